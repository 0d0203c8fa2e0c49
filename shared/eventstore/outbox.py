"""What the relay still has to publish: read oldest first, struck off when it was acknowledged.

On the raw driver's connection like the append: the relay reads every event once more, and through SQLAlchemy's
result rows that alone would cost it a fifth of its time (`make bench`, "relay drain").
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from shared.db import Database
from shared.kernel.events import Envelope

DEPTH_LIMIT = 100_000  # counting further would cost more than it tells

_NAMES = tuple(Envelope.model_fields)
_WAITING = f"select position, {', '.join(_NAMES)} from outbox join events using (position)"
_DEPTH = f"select count(*) from (select 1 from outbox limit {DEPTH_LIMIT}) as waiting"
_OLDEST = "select recorded_at from outbox join events using (position) order by position limit 1"


class Waiting(NamedTuple):
    """An event that is not published yet, and where its row stands."""

    position: int
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many events wait, and since when the oldest does."""

    depth: int
    oldest: datetime | None


class Outbox(Protocol):
    """The rows that the append has put there."""

    async def oldest(self, limit: int, *, but: Sequence[int] = ()) -> list[Waiting]:
        """The oldest rows in order, apart from the positions in `but`, which are on their way.

        It is not "those after the last one read": a transaction that took longer may commit a lower position
        later, and a stream's next version would then be published before it.
        """

    async def strike_off(self, positions: Sequence[int]) -> None: ...

    async def backlog(self) -> Backlog: ...


def outbox_of(db: Database) -> Outbox:
    return SqliteOutbox(db) if db.dialect == "sqlite" else PostgresOutbox(db)


class PostgresOutbox:
    """asyncpg."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._oldest = f"{_WAITING} where position not in (select unnest($1::bigint[])) order by position limit $2"

    async def oldest(self, limit: int, *, but: Sequence[int] = ()) -> list[Waiting]:
        async with self._db.driver() as connection:
            rows = await connection.fetch(self._oldest, but, limit)
        return [Waiting(row[0], Envelope.trusted(dict(zip(_NAMES, row[1:], strict=True)))) for row in map(tuple, rows)]

    async def strike_off(self, positions: Sequence[int]) -> None:
        async with self._db.driver() as connection:
            await connection.execute("delete from outbox where position = any($1::bigint[])", positions)

    async def backlog(self) -> Backlog:
        async with self._db.driver() as connection:
            return Backlog(await connection.fetchval(_DEPTH), await connection.fetchval(_OLDEST))


class SqliteOutbox:
    """aiosqlite. Instants and ids are text there."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._oldest = f"{_WAITING} where position not in (select value from json_each(?)) order by position limit ?"

    async def oldest(self, limit: int, *, but: Sequence[int] = ()) -> list[Waiting]:
        async with self._db.driver() as connection:
            rows = await connection.execute_fetchall(self._oldest, (json.dumps(but), limit))
        return [Waiting(row[0], _from_sqlite(row)) for row in rows]

    async def strike_off(self, positions: Sequence[int]) -> None:
        statement = "delete from outbox where position in (select value from json_each(?))"
        async with self._db.driver() as connection:
            await connection.execute_fetchall(statement, (json.dumps(positions),))

    async def backlog(self) -> Backlog:
        async with self._db.driver() as connection:
            [(depth,)] = await connection.execute_fetchall(_DEPTH)
            oldest = await connection.execute_fetchall(_OLDEST)
        return Backlog(depth, datetime.fromisoformat(oldest[0][0]) if oldest else None)


def _from_sqlite(row: Sequence[Any]) -> Envelope:
    fields: dict[str, Any] = dict(zip(_NAMES, row[1:], strict=True))
    for name in ("event_id", "correlation_id", "causation_id"):
        fields[name] = UUID(fields[name])
    fields["recorded_at"] = datetime.fromisoformat(fields["recorded_at"]).astimezone(UTC)
    return Envelope.trusted(fields)
