"""For readers: waiting until a write has arrived, and saying up to where an answer was built."""

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.kernel.errors import Unacceptable, Unavailable
from shared.projection.connections import execute, reading
from shared.projection.projection import Projection
from shared.projection.tables import parked_events, progress

LONGEST_WAIT = 2.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.003, 0.02

_POSITION = re.compile(r"(?P<stream>(?P<category>[a-z][a-z0-9-]*):\S{1,200})@(?P<version>[1-9]\d{0,8})")

_ARRIVED = (
    "select p.projection, p.categories, c.stream, c.version from projection_progress p "
    "left join projection_cursors c on c.projection = p.projection and c.stream in "
)
_ASKED = {"postgresql": "(select unnest($1::text[]))", "sqlite": "(select value from json_each(?))"}


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
    wanted = _Wanted(parts["stream"], parts["category"], int(parts["version"]), names)
    arrived = wanted.is_in(await _look(db, [wanted.stream]))
    if not arrived and not await _LOOKOUTS.setdefault(db, _Lookout()).sees(db, wanted, timeout):
        raise NotYetProjected(f"{position} has not arrived here yet; ask again")


@dataclass(slots=True)
class _Arrivals:
    """How far each projection has come with some streams, and which kinds of streams it follows."""

    versions: dict[str, dict[str, int]] = field(default_factory=dict)
    categories: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one reader waits for."""

    stream: str
    category: str
    version: int
    projections: frozenset[str]

    def is_in(self, arrivals: _Arrivals) -> bool:
        """In some projection of this database, and in each of those named that has ever met this kind of stream."""
        versions = arrivals.versions.get(self.stream, {})
        has_it = {projection for projection, version in versions.items() if version >= self.version}
        follows = {name for name in self.projections if self.category in arrivals.categories.get(name, ())}
        return bool(has_it) and not follows - has_it


async def _look(db: Database, streams: Sequence[str]) -> _Arrivals:
    asked = json.dumps(streams) if db.dialect == "sqlite" else streams
    async with reading(db) as connection:
        rows = await execute(connection, _ARRIVED + _ASKED[db.dialect], (asked,))
    arrivals = _Arrivals()
    for projection, categories, stream, version in rows:
        arrivals.categories[projection] = frozenset(categories.split(","))
        if stream is not None:
            arrivals.versions.setdefault(stream, {})[projection] = version
    return arrivals


class _Lookout:
    """One task looks for everybody who waits at a database, so that its looks do not grow with their number."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], _Wanted] = {}
        self._looking: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE

    async def sees(self, db: Database, wanted: _Wanted, timeout: float) -> bool:  # noqa: ASYNC109 - see `wait_for`
        arrived = asyncio.get_running_loop().create_future()
        self._waiting[arrived] = wanted
        self._pause = FIRST_PAUSE
        if self._looking is None or self._looking.done():
            self._looking = db.start(self._keep_looking(db))
        try:
            async with asyncio.timeout(timeout):
                await arrived
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(arrived, None)
        return True

    async def _keep_looking(self, db: Database) -> None:
        while self._waiting:
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 1.25, LONGEST_PAUSE)
            waiting = dict(self._waiting)
            if not waiting:  # all have left meanwhile
                return
            try:
                arrivals = await _look(db, sorted({wanted.stream for wanted in waiting.values()}))
            except Exception as error:  # noqa: BLE001 - each who waits raises it
                self._tell(waiting, error)
            else:
                self._tell([arrived for arrived, wanted in waiting.items() if wanted.is_in(arrivals)])

    def _tell(self, waiting: Iterable["asyncio.Future[None]"], error: Exception | None = None) -> None:
        for arrived in waiting:
            self._waiting.pop(arrived, None)
            if arrived.done():  # its reader has left
                continue
            if error is None:
                arrived.set_result(None)
            else:
                arrived.set_exception(error)


_LOOKOUTS: "WeakKeyDictionary[Database, _Lookout]" = WeakKeyDictionary()


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
