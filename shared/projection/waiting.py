"""For readers: waiting until a write has arrived, and saying up to where an answer was built."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.kernel.errors import Unacceptable, Unavailable
from shared.projection.projection import Projection
from shared.projection.tables import cursors, parked_events, progress

LONGEST_WAIT = 2.0  # seconds
_FIRST_LOOK, _LONGEST_PAUSE = 0.004, 0.02

_POSITION = re.compile(r"(?P<stream>(?P<category>[a-z][a-z0-9-]*):\S{1,200})@(?P<version>[1-9]\d{0,8})")

_WHO_HAS_IT = select(progress.c.projection, progress.c.categories, cursors.c.version).select_from(
    progress.outerjoin(
        cursors,
        and_(cursors.c.projection == progress.c.projection, cursors.c.stream == bindparam("stream")),
    )
)


class NotYetProjected(Unavailable):
    """The write is on record, but this answer would not show it yet. Ask again."""


class UnknownPosition(Unacceptable):
    """A position is `<stream>@<version>`, as the header Trial-Position of a write gives it."""


class AsOf(BaseModel):
    """Up to which event an answer was built."""

    model_config = ConfigDict(frozen=True)

    events: int = Field(description="Events taken in, over all read models of this answer")
    last_recorded_at: datetime | None = Field(description="When the newest of them was recorded")
    last_event_id: UUID | None = Field(description="The newest of them")
    parked: int = Field(description="Events set aside because they could not be taken in: what they say is missing")
    halted: bool = Field(description="True: a read model of this answer takes nothing in until somebody mends it")


async def wait_for(
    db: Database,
    projections: Sequence[Projection],
    position: str,
    *,
    timeout: float = LONGEST_WAIT,  # noqa: ASYNC109 - how long a reader is kept waiting, not an abort
) -> None:
    """Return once the write at `position` is in these projections. Those that do not follow its kind of stream
    need not have it.

    Raises:
        UnknownPosition: this is no position.
        NotYetProjected: it has not arrived in time.
    """
    parts = _POSITION.fullmatch(position)
    if parts is None:
        raise UnknownPosition("give the position as the header Trial-Position has it: <stream>@<version>")
    stream, category, version = parts["stream"], parts["category"], int(parts["version"])
    names = {projection.name for projection in projections}
    clock = asyncio.get_running_loop().time
    give_up, pause = clock() + timeout, _FIRST_LOOK
    while True:
        async with db.connect() as connection:
            found = (await connection.execute(_WHO_HAS_IT, {"stream": stream})).all()
        if _has_arrived(found, names, category, version):
            return
        if clock() + pause > give_up:
            raise NotYetProjected(f"{position} has not arrived here yet; ask again")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _has_arrived(found: Sequence[Any], names: set[str], category: str, version: int) -> bool:
    """In some projection of this database, and in each of `names` that has ever met this kind of stream."""
    has_it = {row.projection for row in found if row.version is not None and row.version >= version}
    follows = {row.projection for row in found if category in row.categories.split(",")}
    return bool(has_it) and not (names & follows) - has_it


async def as_of(source: Database | AsyncConnection, projections: Sequence[Projection]) -> AsOf:
    """Read this before the rows: they are then built from these events at least.

    It depends on the events that were taken in alone, not on how they were batched or when they arrived.
    """
    if isinstance(source, Database):
        async with source.connect() as connection:
            return await as_of(connection, projections)
    names = [projection.name for projection in projections]
    columns = (progress.c.events, progress.c.last_recorded_at, progress.c.last_event_id, progress.c.halted_reason)
    found = (await source.execute(select(*columns).where(progress.c.projection.in_(names)))).all()
    waiting = select(func.count()).select_from(parked_events).where(parked_events.c.projection.in_(names))
    newest = max(
        ((row.last_recorded_at, row.last_event_id) for row in found if row.last_event_id is not None),
        default=(None, None),
    )
    return AsOf(
        events=sum(row.events for row in found),
        last_recorded_at=newest[0],
        last_event_id=newest[1],
        parked=(await source.scalar(waiting)) or 0,
        halted=any(row.halted_reason is not None for row in found),
    )
