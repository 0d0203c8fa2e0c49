"""How far each projection has come: read, compared and moved in the transaction that writes its rows.

Several runners, a rebuild and a replay may work on one database. Each change of a projection gives it a new epoch,
and whoever wants to change it must name the epoch it has seen: who was overtaken writes nothing, reads again and
plans again. The first statement of a transaction claims the epochs, so the row of `projection_progress` is also the
lock. Epochs are random numbers: two histories, of which a restored database has lost one, share none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import randbits
from typing import Any
from uuid import UUID

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.projection.connections import Connection, execute, speaks_postgres
from shared.projection.tables import cursors, offsets, parked_events, progress

Place = tuple[str, int]  # topic and partition
Newest = tuple[datetime, UUID]  # when it was recorded, and its id: the same whatever the order of arrival

MAX_REMEMBERED_STREAMS = 10_000  # per projection; the database knows them all


@dataclass(slots=True)
class Standing:
    """What one projection has taken in. `cursors` holds the streams asked for lately (0: none of it yet).

    A gap halts a projection, unless it reads a topic that may hold the missing event further on, as a rebuild
    does after events were published again: then `early` holds the streams' versions that came too early.
    """

    epoch: int = 0
    events: int = 0
    newest: Newest | None = None
    categories: frozenset[str] = frozenset()
    halted: str | None = None
    offsets: dict[Place, int] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)
    parked_events: int = 0
    early: dict[str, int] | None = None


@dataclass(slots=True)
class Move:
    """One projection's way from one standing to the next, and from one epoch to the next."""

    projection: str
    epoch: int
    next_epoch: int
    events: int
    newest: Newest | None
    categories: frozenset[str]
    halted: str | None
    cursors: Mapping[str, int]
    offsets: Mapping[Place, int]


def new_epoch() -> int:
    return randbits(62)


async def register(db: Database, projections: Iterable[str]) -> None:
    """Make sure that every projection has its row in `projection_progress`."""
    insert = (postgresql if db.dialect == "postgresql" else sqlite).insert(progress)
    rows = [{"projection": name, "epoch": 0, "events": 0, "categories": ""} for name in sorted(projections)]
    async with db.begin() as connection:
        await connection.execute(insert.on_conflict_do_nothing(), rows)


async def epochs(connection: AsyncConnection, projections: Sequence[str]) -> dict[str, int]:
    found = await connection.execute(
        select(progress.c.projection, progress.c.epoch).where(progress.c.projection.in_(projections))
    )
    return {row.projection: row.epoch for row in found}


async def load(connection: AsyncConnection, projections: Sequence[str]) -> dict[str, Standing]:
    """Standings without cursors. The epoch is read first: what changes meanwhile only costs another reading."""
    found = await connection.execute(select(progress).where(progress.c.projection.in_(projections)))
    standings = {row.projection: _standing(row) for row in found}
    for row in await connection.execute(select(offsets).where(offsets.c.projection.in_(projections))):
        standings[row.projection].offsets[row.topic, row.partition] = row.next_offset
    aside = select(parked_events.c.projection, parked_events.c.subject).where(
        parked_events.c.projection.in_(projections)
    )
    for name, subject in await connection.execute(aside):
        standings[name].parked_events += 1
        if subject:
            standings[name].parked.add(subject)
    return standings


def _standing(row: Any) -> Standing:
    return Standing(
        epoch=row.epoch,
        events=row.events,
        newest=None if row.last_event_id is None else (row.last_recorded_at, row.last_event_id),
        categories=frozenset(row.categories.split(",")) - {""},
        halted=row.halted_reason,
    )


async def load_cursors(
    connection: Connection, projections: Sequence[str], streams: Sequence[str]
) -> list[tuple[str, str, int]]:
    """`(projection, stream, version)` of those streams that have been met."""
    if speaks_postgres(connection):
        found = await execute(connection, _CURSORS_OF, (list(projections), list(streams)))
    else:
        found = (await connection.execute(_CURSORS_IN, {"projections": projections, "streams": streams})).all()
    return [(name, stream, version) for name, stream, version in found]


async def claim(
    connection: Connection, moves: Sequence[Move], parts: Sequence[str] = (), values: Sequence[Any] = ()
) -> bool:
    """Take the projections from the epochs named, and write how far they are then. False: one was overtaken, and
    the transaction must be given up.

    On PostgreSQL `parts` are done in the same statement; the parameters of theirs begin after `PARAMETERS`.
    """
    if speaks_postgres(connection):
        beside = "".join(f", part{number} as ({part})" for number, part in enumerate(parts))
        ((entirely, *_),) = await execute(connection, _CLAIM + beside + _SAID, (*_as_arrays(moves), *values))
        return bool(entirely)
    return bool(await connection.run_sync(_claim_one_by_one, moves))


_CURSORS_OF = (
    "select projection, stream, version from projection_cursors "
    "where projection = any($1::text[]) and stream = any($2::text[])"
)
_CURSORS_IN = select(cursors.c.projection, cursors.c.stream, cursors.c.version).where(
    cursors.c.projection.in_(bindparam("projections", expanding=True)),
    cursors.c.stream.in_(bindparam("streams", expanding=True)),
)

# One round trip. Nothing is written to the other tables unless every epoch was as named: the count over `claimed`
# makes PostgreSQL finish the update, and so take the locks, before it inserts. The commit need not wait for the
# disk: a transaction that a power cut takes back takes rows and positions together, and the bus has its events.
_CLAIM = """
with claimed as (
    update projection_progress p
    set epoch = n.next_epoch, events = n.events, last_recorded_at = n.recorded_at, last_event_id = n.event_id,
        categories = n.categories, halted_reason = n.halted
    from unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[],
                $8::bigint[])
        as n (projection, epoch, events, recorded_at, event_id, categories, halted, next_epoch)
    where p.projection = n.projection and p.epoch = n.epoch
    returning 1
), agreed as (
    select count(*) = cardinality($1::text[]) as entirely from claimed
), read as (
    insert into projection_cursors (projection, stream, version)
    select n.* from unnest($9::text[], $10::text[], $11::int[]) as n, agreed where entirely
    on conflict (projection, stream) do update set version = excluded.version
), placed as (
    insert into projection_offsets (projection, topic, partition, next_offset)
    select n.* from unnest($12::text[], $13::text[], $14::int[], $15::bigint[]) as n, agreed where entirely
    on conflict (projection, topic, partition) do update set next_offset = excluded.next_offset
)
"""
PARAMETERS = 15
_SAID = """
select entirely, set_config('synchronous_commit', 'off', true), pg_notify('projected_' || current_schema(), '')
from agreed
"""


def channel_of(schema: str) -> str:
    """Where PostgreSQL tells at each commit that projections of this schema have moved."""
    return f"projected_{schema}"


def _as_arrays(moves: Sequence[Move]) -> tuple[list[Any], ...]:
    return (
        [move.projection for move in moves],
        [move.epoch for move in moves],
        [move.events for move in moves],
        [move.newest and move.newest[0] for move in moves],
        [move.newest and move.newest[1] for move in moves],
        [",".join(sorted(move.categories)) for move in moves],
        [move.halted for move in moves],
        [move.next_epoch for move in moves],
        *_columns(_cursor_rows(moves), 3),
        *_columns(_offset_rows(moves), 4),
    )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _claim_one_by_one(connection: SyncConnection, moves: Sequence[Move]) -> bool:
    for move in moves:
        claimed = connection.execute(
            _CLAIM_SQLITE,
            {
                "of": move.projection,
                "seen": move.epoch,
                "to_epoch": move.next_epoch,
                "to_events": move.events,
                "to_last_recorded_at": move.newest and move.newest[0],
                "to_last_event_id": move.newest and move.newest[1],
                "to_categories": ",".join(sorted(move.categories)),
                "to_halted_reason": move.halted,
            },
        )
        if claimed.rowcount != 1:
            return False
    for table, column, rows in (
        ("projection_cursors (projection, stream, version)", "version", _cursor_rows(moves)),
        ("projection_offsets (projection, topic, partition, next_offset)", "next_offset", _offset_rows(moves)),
    ):
        if rows:
            connection.exec_driver_sql(_upsert_sqlite(table, column), rows)
    return True


_CLAIM_SQLITE = (
    progress.update()
    .where(progress.c.projection == bindparam("of"), progress.c.epoch == bindparam("seen"))
    .values(
        {
            name: bindparam(f"to_{name}")
            for name in ("epoch", "events", "last_recorded_at", "last_event_id", "categories", "halted_reason")
        }
    )
)


def _upsert_sqlite(table: str, column: str) -> str:
    names = table.partition("(")[2].rstrip(")").split(", ")
    marks = ", ".join("?" * len(names))
    return (
        f"insert into {table} values ({marks}) "
        f"on conflict ({', '.join(names[:-1])}) do update set {column} = excluded.{column}"
    )


def _cursor_rows(moves: Iterable[Move]) -> list[tuple[Any, ...]]:
    return [(move.projection, stream, version) for move in moves for stream, version in move.cursors.items()]


def _offset_rows(moves: Iterable[Move]) -> list[tuple[Any, ...]]:
    return [(move.projection, *place, offset) for move in moves for place, offset in move.offsets.items()]


async def lock(connection: AsyncConnection, projection: str) -> bool:
    """Keep everybody else from changing a projection until the end of the transaction. False: there is none."""
    found = await connection.execute(
        select(progress.c.epoch).where(progress.c.projection == projection).with_for_update()
    )
    return found.first() is not None


async def forget(connection: AsyncConnection, projection: str, *tables: Any) -> None:
    """Drop what a projection has in these of the runtime's tables."""
    for table in tables:
        await connection.execute(delete(table).where(table.c.projection == projection))
