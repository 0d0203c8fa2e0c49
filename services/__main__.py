"""python -m services: the whole trial in one process, on SQLite, and the commands around it."""

import argparse
import asyncio
import sys
from pathlib import Path

from services import embedded
from services.loading import cdisc, demo
from shared.auth.local_issuer import add_token_arguments, token_of
from shared.kernel.errors import TrialError
from shared.process import running
from shared.settings import Settings, read_settings


def _serve(folder: Path, settings: Settings) -> None:
    def started() -> None:
        sys.stdout.write(f"the trial is at {settings.public_url}; pages: {settings.public_url}/safety/docs\n")
        sys.stdout.flush()

    async def main(stop: asyncio.Event) -> None:
        await embedded.serve_trial(folder, settings, stop, on_started=started)

    running.run(main, settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".trial"), help="folder of databases and keys (.trial)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer on HOST:PORT until Ctrl-C")
    shown = commands.add_parser("demo", help="serve, load the sample trial through the API, print its outcomes")
    shown.add_argument("--once", action="store_true", help="leave after printing")
    token = commands.add_parser("token", help="print a bearer token of the local issuer")
    add_token_arguments(token)
    load = commands.add_parser("load", help="load a study through the API of a running trial")
    load.add_argument("format", choices=["cdisc"])
    load.add_argument("directory", type=Path, help="folder with dm, ae, ex, lb, tu and tr as CSV")
    return parser


def main() -> None:
    given = _parser().parse_args()
    try:
        settings = read_settings()
        folder: Path = given.data.resolve()
        match given.command:
            case "serve":
                _serve(folder, settings)
            case "demo":
                demo.run(folder, settings, once=given.once)
            case "token":
                sys.stdout.write(token_of(embedded.local_issuer(folder, settings), given) + "\n")
            case "load":
                sys.exit(cdisc.run(given.directory, folder, settings))
    except TrialError as error:
        sys.exit(f"{error.code}: {error}")


if __name__ == "__main__":
    main()
