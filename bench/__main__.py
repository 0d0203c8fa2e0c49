"""`make bench` or `python -m bench [NAME ...] [--rounds N]`: every figure beside its floor, in the same rounds."""

import argparse
import time
from collections.abc import Callable

from bench import append, criteria, http, path, processes, projection, relay
from bench.harness import Result, Servers, say, show

MEASURES: dict[str, Callable[[Servers, int], list[Result]]] = {
    "append": lambda servers, count: append.measure(servers.postgres, count),
    "http": lambda servers, count: http.measure(servers.postgres, count),
    "projection": projection.measure,
    "relay": relay.measure,
    "path": path.measure,
    "processes": processes.measure,
    "criteria": lambda _servers, count: criteria.measure(count),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(MEASURES)}; none: all")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if unknown := set(given.names) - MEASURES.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    results: list[Result] = []
    begun = time.monotonic()
    with Servers() as servers:
        servers.database("bench")
        for name in given.names or MEASURES:
            say(f"{name} (at {time.monotonic() - begun:.0f} s)")
            results += MEASURES[name](servers, given.rounds)
    show(results, given.rounds)


if __name__ == "__main__":
    main()
