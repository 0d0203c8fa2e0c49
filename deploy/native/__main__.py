"""`python -m deploy.native stack`: the containers' processes on this machine, until Ctrl-C."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from deploy.native.server import ServerFailed
from deploy.native.stack import Stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.native", description=__doc__)
    parser.add_argument("what", choices=["stack"])
    parser.add_argument("--folder", type=Path, default=Path(".stack"), help="data, logs and keys (.stack)")
    parser.add_argument("--port", type=int, default=8000, help="of the gateway (8000)")
    given = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stack = Stack(given.folder, port=given.port)
    try:
        stack.start(lambda line: print(line, flush=True))
    except ServerFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    issuer = f"python -m shared.auth.local_issuer --folder {stack.issuer_folder}"
    print(f"\nthe trial is at {stack.url}; a token: .venv/bin/{issuer} token --role investigator --site CU")
    print("Ctrl-C stops everything; the data stay in", stack.folder, flush=True)
    stop.wait()
    stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
