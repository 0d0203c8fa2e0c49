"""How a row reaches the store and comes back, once for each database, on the raw driver's connection.

The raw driver is allowed in this room alone: an append costs half of what it does through SQLAlchemy's
compiler (`make bench`, "append"). Both recorders pass one contract suite.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import asyncpg

from shared.db import Database, instant_text
from shared.eventstore.group_commit import GroupCommit
from shared.kernel.errors import StaleVersion


class Row(NamedTuple):
    """One event as a row of `events`, without the position that the database gives it."""

    stream: str
    version: int
    event_id: UUID
    type: str
    schema_version: int
    subject: str
    recorded_at: datetime
    actor: str
    role: str
    reason: str | None
    correlation_id: UUID
    causation_id: UUID
    traceparent: str | None
    fingerprint: str
    data: str


COLUMNS = Row._fields
SELECT = (
    "select type, schema_version, data, causation_id, fingerprint, actor from events where stream = ? order by version"
)
HISTORY = f"select {', '.join(COLUMNS)} from events where stream = ? order by version"


class Stored(NamedTuple):
    """What a decision needs of an event: the event, which command it came from, and whose that was."""

    type: str
    schema_version: int
    data: str
    causation_id: UUID
    fingerprint: str
    actor: str


class Recorder(Protocol):
    """Appends rows all or none, and reads one stream in order. Versions have no gaps: the n-th row is version n."""

    async def insert(self, rows: Sequence[Row]) -> None:
        """Append. Raises `StaleVersion` if one of the versions is taken; then no row is there."""

    async def select(self, stream: str) -> list[Stored]: ...

    async def history(self, stream: str) -> list[Row]: ...


def recorder_for(db: Database) -> Recorder:
    return SqliteRecorder(db) if db.dialect == "sqlite" else PostgresRecorder(db)


@lru_cache(maxsize=64)
def _postgres_insert(rows: int) -> str:
    width = len(COLUMNS)
    values = ", ".join(
        "(" + ", ".join(f"${row * width + column + 1}" for column in range(width)) + ")" for row in range(rows)
    )
    return (
        f"with appended as (insert into events ({', '.join(COLUMNS)}) values {values} returning position) "
        "insert into outbox (position) select position from appended"
    )


@lru_cache(maxsize=64)
def _sqlite_insert(rows: int) -> str:
    marks = "(" + ", ".join("?" * len(COLUMNS)) + ")"
    return f"insert into events ({', '.join(COLUMNS)}) values {', '.join([marks] * rows)}"


class PostgresRecorder:
    """asyncpg: events and outbox rows in one statement, one round trip, autocommitted."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._select, self._history = (query.replace("?", "$1") for query in (SELECT, HISTORY))

    async def insert(self, rows: Sequence[Row]) -> None:
        values = [value for row in rows for value in row]
        try:
            async with self._db.driver() as connection:
                await connection.execute(_postgres_insert(len(rows)), *values)
        except asyncpg.UniqueViolationError as error:
            raise StaleVersion(f"{rows[0].stream} is past version {rows[0].version - 1}") from error

    async def select(self, stream: str) -> list[Stored]:
        async with self._db.driver() as connection:
            return [Stored(*record) for record in await connection.fetch(self._select, stream)]

    async def history(self, stream: str) -> list[Row]:
        async with self._db.driver() as connection:
            return [Row(*record) for record in await connection.fetch(self._history, stream)]


class SqliteRecorder:
    """aiosqlite: one statement that the trigger completes, committed with those that came at the same time."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._commits = GroupCommit(db)

    async def insert(self, rows: Sequence[Row]) -> None:
        values = [_to_sqlite(value) for row in rows for value in row]
        try:
            await self._commits.execute(_sqlite_insert(len(rows)), values)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorname != "SQLITE_CONSTRAINT_UNIQUE":
                raise  # a bug of ours, not somebody who was faster
            raise StaleVersion(f"{rows[0].stream} is past version {rows[0].version - 1}") from error

    async def select(self, stream: str) -> list[Stored]:
        async with self._db.driver() as connection:
            found = await connection.execute_fetchall(SELECT, (stream,))
        return [Stored(kind, version, data, UUID(cause), mark, by) for kind, version, data, cause, mark, by in found]

    async def history(self, stream: str) -> list[Row]:
        async with self._db.driver() as connection:
            return [_from_sqlite(record) for record in await connection.execute_fetchall(HISTORY, (stream,))]


def _to_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    return instant_text(value) if isinstance(value, datetime) else value


def _from_sqlite(record: Sequence[Any]) -> Row:
    row = Row(*record)
    return row._replace(
        event_id=UUID(record[2]),
        recorded_at=datetime.fromisoformat(record[6]),
        correlation_id=UUID(record[10]),
        causation_id=UUID(record[11]),
    )
