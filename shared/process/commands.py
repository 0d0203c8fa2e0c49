"""`python -m services.<name> COMMAND`: what an operator can ask of a service."""

import argparse
import asyncio
import sys

from sqlalchemy import text

from shared.kernel.errors import TrialError
from shared.process import running, wiring
from shared.process.api import run_api
from shared.process.service import Service
from shared.process.worker import run_worker
from shared.projection import commands as projection_commands
from shared.settings import Settings, read_settings

REPUBLISH = "insert into outbox (position) select position from events where true on conflict do nothing"


class NothingToPublish(TrialError):
    """This service publishes no events."""


HELP = {
    "api": "answer HTTP",
    "worker": "relay events to the bus, keep projections, run tasks",
    "migrate": "bring the database to this version's tables",
    "check-migrations": "migrate, then fail where tables and code differ",
    "revision": "write the next migration: revision MESSAGE",
    "republish": "publish every event of this service again (readers skip what they have)",
    "rebuild": "build a projection anew beside the old one, then swap: rebuild NAME",
    "resume": "let a halted projection read again: resume NAME",
    "parked": "list what a projection could not take in, and where it halted: parked NAME",
    "replay-parked": "take parked events in again: replay-parked NAME [SUBJECT]",
}


def main(service: Service, argv: list[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 failed, 2 misused."""
    given = _parse(service, argv)
    try:
        sys.exit(_run(service, read_settings(), given.command, given.arguments))
    except TrialError as error:
        sys.exit(f"{error.code}: {error}")


def _parse(service: Service, argv: list[str] | None) -> argparse.Namespace:
    known = HELP | {name: own.help for name, own in service.commands.items()}
    listed = "\n".join(f"  {name:18}{what}" for name, what in known.items())
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{service.name}",
        description=f"{service.title}.\n\ncommands:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=known, metavar="COMMAND")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT")
    return parser.parse_args(argv)


def _run(service: Service, settings: Settings, command: str, arguments: list[str]) -> int:
    if command == "republish" and service.topic is None:
        raise NothingToPublish(f"{service.name} has no events of its own: republish those of the other services")
    match command:
        case "api":
            run_api(service, settings)
            return 0
        case "worker":
            run_worker(service, settings)
            return 0
        case _ if command in service.commands:
            running.freeze()
            return asyncio.run(_own_command(service, settings, command, arguments))
        case _ if command in projection_commands.NAMES:
            running.freeze()
            return asyncio.run(_projection_command(service, settings, [command, *arguments]))
        case _:
            running.freeze()
            return asyncio.run(_database_command(service, settings, command, arguments))


async def _projection_command(service: Service, settings: Settings, words: list[str]) -> int:
    db = wiring.open_service_database(service, settings)
    bus = wiring.open_bus(settings, f"{service.name}-{words[0]}")
    try:
        return await projection_commands.run(db, bus, service.projections, words)
    finally:
        await bus.close()
        await db.dispose()


async def _own_command(service: Service, settings: Settings, command: str, arguments: list[str]) -> int:
    db = wiring.open_service_database(service, settings)
    try:
        done = await service.commands[command].run(db, arguments)
    finally:
        await db.dispose()
    sys.stdout.write(f"{done}\n")
    return 0


async def _database_command(service: Service, settings: Settings, command: str, arguments: list[str]) -> int:
    from shared import migrations  # noqa: PLC0415 - alembic, of which an api and a worker have no need

    db = wiring.open_service_database(service, settings)
    try:
        match command:
            case "migrate":
                await migrations.upgrade(db, service.migrations)
            case "check-migrations":
                await migrations.check(db, service.migrations, service.metadata)
            case "revision":
                await migrations.write_revision(db, service.migrations, " ".join(arguments) or "change")
            case "republish":
                async with db.begin() as connection:
                    await connection.execute(text(REPUBLISH))
    finally:
        await db.dispose()
    sys.stdout.write(f"{service.name}: {command} done\n")
    return 0
