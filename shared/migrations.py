"""Migrations of one service's database: one history for PostgreSQL and SQLite, run under a lock.

A service's `migrations/env.py` is two lines: import its METADATA and call `run(METADATA)`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from shared.db import Database

LOCK_KEY = 0x434D4430  # "CMD0": one migration at a time per database
TEMPLATE = '''"""${message}

It must suit the code that is already running: add nullable, backfill, enforce, in separate migrations.
"""

import sqlalchemy as sa
from alembic import op

import shared.db
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}

'''
LOCK_TIMEOUT = "5s"  # a migration that waits longer for a table would hold up everybody behind it


class Drift(Exception):
    """The tables in code and the tables that the migrations make are not the same."""


def run(metadata: MetaData) -> None:
    """Run by each service's env.py inside alembic."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=False,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=connection.dialect.name == "postgresql",
    )
    with context.begin_transaction():
        context.run_migrations()


def config(folder: Path, connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(folder))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


async def _within(db: Database, work: Callable[[Connection], Any]) -> Any:
    async with db.begin() as connection:
        if db.dialect == "postgresql":
            await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
            await connection.execute(text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
            await connection.execute(text("set local statement_timeout = 0"))
        return await connection.run_sync(work)


async def ensure_schema(db: Database) -> None:
    """Make the service's schema where it is missing and the role may; in production `init.sql` has made it."""
    if db.dialect != "postgresql":
        return
    async with db.begin() as connection:
        there = await connection.scalar(text("select to_regnamespace(:name) is not null"), {"name": db.schema})
        if not there:
            await connection.execute(text(f'create schema if not exists "{db.schema}"'))


async def upgrade(db: Database, folder: Path) -> None:
    """Bring a database to the newest revision. Safe to run at any time, by any number of processes at once."""
    await ensure_schema(db)
    await _within(db, lambda connection: command.upgrade(config(folder, connection), "head"))


async def check(db: Database, folder: Path, metadata: MetaData) -> None:
    """Upgrade, then raise `Drift` where code and database differ."""
    await upgrade(db, folder)

    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": connection.dialect.name == "postgresql", "include_name": _is_not_left_over}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    found = await _within(db, differences)
    if found:
        raise Drift("; ".join(map(str, found)))


def _is_not_left_over(name: str | None, kind: str, _parents: object) -> bool:
    """A rebuild that was killed leaves its new table behind until the next one."""
    return not (kind == "table" and name is not None and name.endswith("__rebuild"))


async def write_revision(db: Database, folder: Path, message: str) -> None:
    """Write the next migration from the difference between code and database; a person reads and mends it."""
    await upgrade(db, folder)
    template = folder / "script.py.mako"  # alembic looks for it here; one text serves all services
    template.write_text(TEMPLATE, encoding="utf-8")
    try:
        await _within(
            db,
            lambda connection: command.revision(
                config(folder, connection), message=message, autogenerate=True, rev_id=_next_number(folder)
            ),
        )
    finally:
        template.unlink()


def _next_number(folder: Path) -> str:
    """Migrations are numbered: one service's history is one line."""
    return f"{1 + max((int(file.name[:4]) for file in (folder / 'versions').glob('[0-9]*.py')), default=0):04}"
