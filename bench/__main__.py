"""`make bench` or `python -m bench [NAME ...] [--rounds N]`: every figure beside its floor, in the same rounds."""

import argparse
import tempfile
from pathlib import Path

from bench import append, http
from bench.harness import Result, show
from deploy.native.servers import PostgresServer

MEASURES = {"append": append.measure, "http": http.measure}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], help="which; none: all")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder, PostgresServer(Path(folder) / "postgres") as postgres:
        postgres.execute("create database bench")
        for name, measure in MEASURES.items():
            if not given.names or name in given.names:
                results += measure(postgres, given.rounds)
    show(results, given.rounds)


if __name__ == "__main__":
    main()
