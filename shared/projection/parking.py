"""Events that a projection could not take in: kept in order, listed, and taken in again when the cause is mended.

Parking is by subject: once one event of a participant is set aside, all later ones follow it, since a read model
that has the later and lacks the earlier would be wrong. Everybody else's events go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.kernel.errors import Conflict
from shared.kernel.events import Envelope
from shared.messaging.bus import Delivery
from shared.projection import ledger
from shared.projection.ledger import Move, Standing
from shared.projection.planning import SetAside, decoded, describe, plan
from shared.projection.projection import Projection
from shared.projection.rows import Changes, Shape
from shared.projection.tables import offsets, parked_events, progress
from shared.projection.writing import BulkWriter, cause, is_poison

_PARKED = Shape(parked_events, key=("projection", "stream", "version"))


class ProjectionHalted(Conflict):
    """The projection stands before a gap. Rebuild it, or resume it if the topic has no gap."""


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """One line of the list. `subject` is empty where the message was none of our events."""

    subject: str
    stream: str
    version: int
    error: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one subject's parked events; `error` is why those that are left could not be taken in."""

    subject: str
    applied: int
    left: int
    error: str | None


def parking(projection: str, aside: Sequence[SetAside], now: datetime) -> Changes:
    """Rows for the parked events; an event that waits there already stays as it is."""
    changes = Changes(_PARKED)
    for one in aside:
        columns = {"subject": one.subject, "envelope": one.envelope, "error": one.error, "parked_at": now}
        changes.insert_once((projection, one.stream, one.version), columns)
    return changes


async def halted_at(db: Database, projection: str) -> str | None:
    """Why and at which event a projection has halted; None: it has not."""
    query = select(progress.c.halted_reason).where(progress.c.projection == projection)
    async with db.connect() as connection:
        reason: str | None = await connection.scalar(query)
    return reason


async def parked(db: Database, projection: str) -> list[ParkedEvent]:
    """What waits, in the order of its arrival."""
    columns = [parked_events.c[name] for name in ("subject", "stream", "version", "error", "parked_at")]
    query = select(*columns).where(parked_events.c.projection == projection).order_by(parked_events.c.position)
    async with db.connect() as connection:
        return [ParkedEvent(*row) for row in await connection.execute(query)]


async def resume(db: Database, projection: str) -> bool:
    """Let a halted projection read its topics again, from their beginning. False: it was not halted.

    It halts again if the topics themselves have the gap. When the missing event has been published again, it
    stands after those that follow it, which only a rebuild can cope with.
    """
    async with db.begin() as connection:
        await ledger.lock(connection, projection)
        woken = await connection.execute(
            update(progress)
            .where(progress.c.projection == projection, progress.c.halted_reason.is_not(None))
            .values(halted_reason=None, epoch=ledger.new_epoch())
        )
        if woken.rowcount:
            await connection.execute(delete(offsets).where(offsets.c.projection == projection))
    return bool(woken.rowcount)


async def replay_parked(db: Database, projection: Projection, subject: str | None = None) -> list[Replayed]:
    """Take parked events in again, of one subject or of all, each subject in a transaction of its own.

    Raises:
        ProjectionHalted: a halted projection takes nothing in.
    """
    query = (
        select(parked_events.c.subject)
        .where(parked_events.c.projection == projection.name, parked_events.c.subject != "")
        .group_by(parked_events.c.subject)
        .order_by(func.min(parked_events.c.position))
    )
    async with db.connect() as connection:
        subjects = list(await connection.scalars(query))
    return [await _replay(db, projection, one) for one in subjects if subject in {None, one}]


async def _replay(db: Database, projection: Projection, subject: str) -> Replayed:
    async with db.begin() as connection:
        await ledger.lock(connection, projection.name)
        standing = (await ledger.load(connection, [projection.name]))[projection.name]
        if standing.halted:
            raise ProjectionHalted(f"{projection.name} is halted: {standing.halted}")
        standing.parked.discard(subject)
        waiting = await _waiting(connection, projection.name, subject)
        envelopes = [Envelope.model_validate_json(row.envelope) for row in waiting]
        streams = sorted({envelope.stream for envelope in envelopes})
        for _, stream, version in await ledger.load_cursors(connection, [projection.name], streams):
            standing.cursors[stream] = version
        epoch, applied, error = standing.epoch, 0, None
        for envelope in envelopes:
            error = await _take_in(connection, projection, standing, envelope)
            if error:
                break
            applied += 1
        await _strike_off(connection, waiting, applied, error)
        await ledger.claim(connection, [_move(projection.name, epoch, standing)])
        return Replayed(subject, applied, len(waiting) - applied, error)


async def _waiting(connection: AsyncConnection, projection: str, subject: str) -> Sequence[Any]:
    found = await connection.execute(
        select(parked_events.c.position, parked_events.c.envelope)
        .where(parked_events.c.projection == projection, parked_events.c.subject == subject)
        .order_by(parked_events.c.position)
    )
    return found.all()


async def _take_in(
    connection: AsyncConnection, projection: Projection, standing: Standing, envelope: Envelope
) -> str | None:
    """One event, in a savepoint: the events before it stay applied if this one fails. The answer is why it does."""
    nowhere = Delivery(topic=min(projection.topics), partition=-1, offset=0, envelope=envelope)
    step = plan(projection, standing, decoded([nowhere], projection.handlers))
    if step.halted or step.aside:
        return step.halted or step.aside[0].error
    try:
        async with connection.begin_nested():
            writer = BulkWriter(connection.dialect)
            await writer.run(connection, writer.statements(step.rows.changes()))
    except Exception as error:
        if not is_poison(error):
            raise
        return describe(cause(error))
    step.accept()
    standing.offsets.clear()  # it came from no topic now
    return None


async def _strike_off(connection: AsyncConnection, waiting: Sequence[Any], applied: int, error: str | None) -> None:
    done = [row.position for row in waiting[:applied]]
    await connection.execute(delete(parked_events).where(parked_events.c.position.in_(done)))
    if error:
        still = parked_events.c.position == waiting[applied].position
        await connection.execute(update(parked_events).where(still).values(error=error))


def _move(projection: str, epoch: int, standing: Standing) -> Move:
    return Move(
        projection=projection,
        epoch=epoch,
        next_epoch=ledger.new_epoch(),
        events=standing.events,
        newest=standing.newest,
        categories=standing.categories,
        halted=None,
        cursors=standing.cursors,
        offsets={},
    )
