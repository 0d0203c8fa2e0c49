"""Looks whether what readers wait for has arrived: one task for everybody who waits at a database.

On PostgreSQL whoever moves a projection says so in the transaction that does (`ledger`), and a look follows at once;
the clock asks for one besides, so that no word has to be relied on. On SQLite nobody tells, and the clock asks alone.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from shared.db import Database
from shared.messaging.lease import set_within
from shared.projection.connections import Connection, execute, reading
from shared.projection.ledger import channel_of

FIRST_PAUSE, LONGEST_PAUSE = 0.003, 0.02  # between two looks where nobody tells
UNTOLD_PAUSE = 0.1  # where somebody does
LINGER_SECONDS = 0.5  # with nobody waiting, so that who comes next finds the connection listening

_ARRIVED = (
    "select p.projection, p.categories, c.stream, c.version from projection_progress p "
    "left join projection_cursors c on c.projection = p.projection and c.stream in "
)
_ASKED = {"postgresql": "(select unnest($1::text[]))", "sqlite": "(select value from json_each(?))"}


@dataclass(slots=True)
class Arrivals:
    """How far each projection has come with some streams, and which kinds of streams it follows."""

    versions: dict[str, dict[str, int]] = field(default_factory=dict)
    categories: dict[str, frozenset[str]] = field(default_factory=dict)


Look = Callable[[Sequence[str]], Awaitable[Arrivals]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one reader waits for."""

    stream: str
    category: str
    version: int
    projections: frozenset[str]

    def is_in(self, arrivals: Arrivals) -> bool:
        """In some projection of this database, and in each of those named that has ever met this kind of stream."""
        versions = arrivals.versions.get(self.stream, {})
        has_it = {projection for projection, version in versions.items() if version >= self.version}
        follows = {name for name in self.projections if self.category in arrivals.categories.get(name, ())}
        return bool(has_it) and not follows - has_it


class Lookout:
    """One task looks for everybody who waits at a database, so that its looks do not grow with their number."""

    def __init__(self, *, untold_pause: float = UNTOLD_PAUSE) -> None:
        self._untold_pause = untold_pause
        self._waiting: dict[asyncio.Future[None], Wanted] = {}
        self._stirred = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def sees(self, db: Database, wanted: Wanted, timeout: float) -> bool:  # noqa: ASYNC109 - a wait, not an abort
        """True as soon as it has arrived, False where it has not within so many seconds."""
        if self._looking is None or self._looking.done():
            async with reading(db) as connection:
                if wanted.is_in(await _look(connection, db.dialect, [wanted.stream])):
                    return True
        arrived = asyncio.get_running_loop().create_future()
        self._waiting[arrived] = wanted
        self._stirred.set()
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
            try:
                if db.dialect == "sqlite":
                    await self._look_by_the_clock(db)
                else:
                    await self._look_when_told(db)
            except Exception as error:  # noqa: BLE001 - each who waits raises it
                self._tell(list(self._waiting), error)

    async def _look_by_the_clock(self, db: Database) -> None:
        pause = FIRST_PAUSE
        while self._waiting:
            pause = FIRST_PAUSE if self._stirred.is_set() else min(pause * 1.25, LONGEST_PAUSE)
            self._stirred.clear()
            await asyncio.sleep(pause)
            async with reading(db) as connection:
                await self._look_for_all(partial(_look, connection, db.dialect))

    async def _look_when_told(self, db: Database) -> None:
        async with _listening(db, self._hear) as connection:
            while await self._somebody_waits():
                self._stirred.clear()
                await self._look_for_all(partial(_look, connection, db.dialect))
                if self._waiting:
                    await set_within(self._stirred, self._untold_pause)

    async def _somebody_waits(self) -> bool:
        if not self._waiting:
            self._stirred.clear()
            await set_within(self._stirred, LINGER_SECONDS)
        return bool(self._waiting)

    async def _look_for_all(self, look: Look) -> None:
        waiting = dict(self._waiting)
        if waiting:
            arrivals = await look(sorted({wanted.stream for wanted in waiting.values()}))
            self._tell([arrived for arrived, wanted in waiting.items() if wanted.is_in(arrivals)])

    def _hear(self, *_told: object) -> None:
        if self._waiting:
            self._stirred.set()

    def _tell(self, waiting: Iterable["asyncio.Future[None]"], error: Exception | None = None) -> None:
        for arrived in waiting:
            self._waiting.pop(arrived, None)
            if arrived.done():  # its reader has left
                continue
            if error is None:
                arrived.set_result(None)
            else:
                arrived.set_exception(error)


@asynccontextmanager
async def _listening(db: Database, hear: Callable[..., None]) -> AsyncIterator[Connection]:
    channel = channel_of(db.schema)
    async with db.driver() as connection:
        await connection.add_listener(channel, hear)
        try:
            yield connection
        finally:
            await connection.remove_listener(channel, hear)


async def _look(connection: Connection, dialect: str, streams: Sequence[str]) -> Arrivals:
    asked = json.dumps(streams) if dialect == "sqlite" else streams
    arrivals = Arrivals()
    for projection, categories, stream, version in await execute(connection, _ARRIVED + _ASKED[dialect], (asked,)):
        arrivals.categories[projection] = frozenset(categories.split(","))
        if stream is not None:
            arrivals.versions.setdefault(stream, {})[projection] = version
    return arrivals
