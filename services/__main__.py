"""python -m services: the whole trial in one process, on SQLite, and the commands around it.

What serves is imported by the commands that serve: a token or a load takes none of the five services.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from services.loading.addresses import ensure_free, local_url, url_of
from services.loading.cdisc import command as cdisc
from services.loading.client import Tokens
from shared.auth.local_issuer import add_token_arguments, local_issuer, token_of
from shared.kernel.actor import Role
from shared.kernel.errors import TrialError
from shared.settings import Settings, read_settings


def _serve(folder: Path, settings: Settings) -> None:
    from services import embedded  # noqa: PLC0415 - see above
    from shared.process import running  # noqa: PLC0415

    url = url_of(settings)

    def started() -> None:
        sys.stdout.write(f"the trial is at {url}; pages: {url}/safety/docs\n")
        sys.stdout.flush()

    async def main(stop: asyncio.Event) -> None:
        await embedded.serve_trial(folder, settings, stop, on_started=started)

    ensure_free(settings)
    running.run(main, settings)


def _demo(folder: Path, settings: Settings, *, once: bool) -> None:
    from services import embedded  # noqa: PLC0415 - see above
    from services.loading import demo  # noqa: PLC0415

    async def serve(stop: asyncio.Event, started: Callable[[], None]) -> None:
        await embedded.serve_trial(folder, settings, stop, on_started=started)

    demo.run(demo.Trial(serve, _tokens(folder, settings), folder, settings), once=once)


def _tokens(folder: Path, settings: Settings) -> Tokens:
    """Tokens of the folder's own issuer, one subject per role and site, as people would hold them."""
    issuer = local_issuer(folder, settings)

    def token(role: Role, site: str) -> str:
        return issuer.token(subject=f"{role}@{site}" if site != "*" else role, roles=[role], sites=[site])

    return token


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".trial"), help="folder of databases and keys (.trial)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer on HOST:PORT until Ctrl-C")
    shown = commands.add_parser("demo", help="serve, load the sample trial through the API, print its outcomes")
    shown.add_argument("--once", action="store_true", help="leave after printing")
    token = commands.add_parser("token", help="print a bearer token of the local issuer")
    add_token_arguments(token)
    load = commands.add_parser(
        "load",
        help="load a study through the API of a running trial",
        description="Exit codes: 0 every row was taken, found there, or refused with its reason; 1 the load stopped "
        "before its end or nothing was sent, start it again; 2 the command was misused.",
    )
    load.add_argument("format", choices=["cdisc"])
    load.add_argument("directory", type=Path, help="folder with dm, ae, ex, lb, tu and tr as CSV")
    load.add_argument("--url", help="base URL of the trial (that of HOST and PORT)")
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
                _demo(folder, settings, once=given.once)
            case "token":
                sys.stdout.write(token_of(local_issuer(folder, settings), given) + "\n")
            case "load":
                cdisc.run(given.directory, given.url or local_url(settings), _tokens(folder, settings))
    except TrialError as error:
        sys.exit(f"{error.code}: {error}")


if __name__ == "__main__":
    main()
