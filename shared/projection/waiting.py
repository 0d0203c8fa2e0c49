"""For readers: waiting until a write has arrived, and saying up to where an answer was built."""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.kernel.errors import Unacceptable, Unavailable
from shared.projection.lookout import Lookout, Wanted
from shared.projection.projection import Projection
from shared.projection.tables import parked_events, progress

LONGEST_WAIT = 2.0  # seconds

_LOOKOUTS: "WeakKeyDictionary[Database, Lookout]" = WeakKeyDictionary()
_POSITION = re.compile(r"(?P<stream>(?P<category>[a-z][a-z0-9-]*):\S{1,200})@(?P<version>[1-9]\d{0,8})")

_WAITING_THERE = select(func.count()).where(parked_events.c.projection == progress.c.projection)
_AS_OF = select(
    *(progress.c[name] for name in ("events", "last_recorded_at", "last_event_id", "halted_reason")),
    _WAITING_THERE.scalar_subquery().label("parked"),
).where(progress.c.projection.in_(bindparam("names", expanding=True)))


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
    names = frozenset(projection.name for projection in projections)
    wanted = Wanted(parts["stream"], parts["category"], int(parts["version"]), names)
    if not await _LOOKOUTS.setdefault(db, Lookout()).sees(db, wanted, timeout):
        raise NotYetProjected(f"{position} has not arrived here yet; ask again")


async def as_of(source: Database | AsyncConnection, projections: Sequence[Projection]) -> AsOf:
    """Read this before the rows: they are then built from these events at least.

    It depends on the events that were taken in alone, not on how they were batched or when they arrived.
    """
    if isinstance(source, Database):
        async with source.connect() as connection:
            return await as_of(connection, projections)
    found = (await source.execute(_AS_OF, {"names": [projection.name for projection in projections]})).all()
    newest = max(
        ((row.last_recorded_at, row.last_event_id) for row in found if row.last_event_id is not None),
        default=(None, None),
    )
    return AsOf(
        events=sum(row.events for row in found),
        last_recorded_at=newest[0],
        last_event_id=newest[1],
        parked=sum(row.parked for row in found),
        halted=any(row.halted_reason is not None for row in found),
    )
