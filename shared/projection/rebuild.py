"""A read model built anew from the beginning of its topics, beside the old one, which serves until the swap.

The live runner may be at work all the while. Rows, cursors, positions and parked events change hands in one
transaction, and never backwards: the new model is at least as far as the old one was. A rebuild that was killed
leaves the old model as it is; the next one takes over the tables aside.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.kernel.clock import Clock, system_clock
from shared.kernel.errors import Conflict, Unavailable
from shared.messaging.bus import Bus
from shared.projection import aside, ledger
from shared.projection.ledger import Move, Place, Standing
from shared.projection.parking import parking
from shared.projection.planning import Arrival, SetAside, Step, decoded, describe, plan
from shared.projection.projection import Projection
from shared.projection.tables import cursors, offsets, parked_events, progress
from shared.projection.writing import BulkWriter, cause, is_poison

Report = Callable[[int, int], None]  # messages read, messages to read

BATCH = 2000
POLL_SECONDS = 1.0
SILENT_POLLS = 30  # a bus that delivers nothing for so long lacks what it says it holds
SWAPS_WITHOUT_WAITING = 3


class GapOnTheBus(Conflict):
    """The topics lack an event, so no read model can be built from them. Let its service republish, then rebuild."""


class AnotherRebuild(Conflict):
    """A later rebuild of the same projection has taken over; this one stops."""


class BusFellSilent(Unavailable):
    """The bus does not deliver what it says it holds."""


class Refused(Exception):
    """The database refuses the rows of a batch."""


async def rebuild(
    db: Database,
    bus: Bus,
    projection: Projection,
    report: Report = lambda _done, _total: None,
    *,
    clock: Clock = system_clock,
) -> int:
    """Rebuild one projection and swap it in. The answer is the number of events it then holds.

    Raises:
        GapOnTheBus: an event is missing on the bus; the old model goes on serving.
        AnotherRebuild: a later rebuild of the same projection has taken over.
    """
    work = _Rebuild(db, bus, projection, report, clock)
    await work.begin()
    try:
        for _ in range(SWAPS_WITHOUT_WAITING):
            await work.read_to(await work.ends())
            if await work.swap():
                return work.standing.events
        await work.swap(patient=True)
        return work.standing.events
    finally:
        await work.close()


class _Rebuild:
    """One rebuild. Its standing, with a cursor for every stream, lives in memory until the swap."""

    def __init__(self, db: Database, bus: Bus, projection: Projection, report: Report, clock: Clock) -> None:
        self.standing = Standing(early={})
        self._db = db
        self._bus = bus
        self._topics = sorted(projection.topics)
        self._subscription = bus.subscribe(self._topics, {})
        self._projection = projection
        self._report = report
        self._clock = clock
        self._tables = sorted(table.name for table in projection.tables)
        self._writer = BulkWriter(db.engine.dialect, suffix=aside.SUFFIX)
        self._aside: list[SetAside] = []
        self._ticket = uuid4().hex
        self._fetched: dict[Place, int] = {}

    async def begin(self) -> None:
        """Make the tables aside, and take the ticket with which alone they may be written."""
        await ledger.register(self._db, [self._projection.name])
        async with self._db.begin() as connection:
            await ledger.lock(connection, self._projection.name)
            await aside.create(connection, self._tables)
            await self._set_ticket(connection, self._ticket)

    async def close(self) -> None:
        await self._subscription.close()

    async def ends(self) -> Mapping[Place, int]:
        return await self._bus.end_offsets(self._topics)

    async def read_to(self, ends: Mapping[Place, int], within: AsyncConnection | None = None) -> None:
        """Take in everything before `ends`, fetching the next batch while one is written."""
        silent = 0
        ahead: asyncio.Task[list[Arrival]] | None = None
        try:
            while not _past(self.standing.offsets, ends):
                arrivals = await (ahead or self._fetch())
                silent = 0 if arrivals else silent + 1
                if silent > SILENT_POLLS:
                    raise BusFellSilent("the bus holds messages that it does not deliver; try again")
                ahead = None if _past(self._fetched, ends) else asyncio.create_task(self._fetch())
                await self._take_in(arrivals, within)
                self._report(sum(self.standing.offsets.values()), sum(ends.values()))
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _fetch(self) -> list[Arrival]:
        deliveries = await self._subscription.poll(POLL_SECONDS, BATCH)
        self._fetched.update({(delivery.topic, delivery.partition): delivery.offset + 1 for delivery in deliveries})
        return decoded(deliveries, self._projection.handlers)

    async def _take_in(self, arrivals: Sequence[Arrival], within: AsyncConnection | None) -> None:
        """A batch, or one event after the other where one of them has to be found that no table takes."""
        try:
            await self._apply(arrivals, None, within)
        except Refused:
            for arrival in arrivals:
                try:
                    await self._apply([arrival], None, within)
                except Refused as refused:
                    await self._apply([arrival], str(refused), within)

    async def _apply(self, arrivals: Sequence[Arrival], poison: str | None, within: AsyncConnection | None) -> None:
        step = plan(self._projection, self.standing, arrivals, poison)
        try:
            await self._write(step, within)
        except Exception as error:
            if is_poison(error):
                raise Refused(describe(cause(error))) from error
            async with self._db.connect() as connection:
                await self._show_ticket(connection)  # the tables are gone where a later rebuild has swapped them in
            raise
        step.accept()
        self._aside += step.aside

    async def _write(self, step: Step, within: AsyncConnection | None) -> None:
        statements = self._writer.statements(step.rows.changes())
        if within is not None:
            async with within.begin_nested():
                await self._writer.run(within, statements)
        elif statements:
            async with self._db.begin() as connection:
                await self._writer.run(connection, statements)
                # Asked last: by now these tables are locked against a later rebuild, which makes them anew.
                await self._show_ticket(connection)

    async def swap(self, *, patient: bool = False) -> bool:
        """Put the new model in the place of the old one, unless that is further by now.

        A patient swap keeps the live runner waiting while it reads what is still missing.
        """
        name = self._projection.name
        async with self._db.begin() as connection:
            await ledger.lock(connection, name)
            await self._show_ticket(connection)
            live = (await ledger.load(connection, [name]))[name]
            if not _past(self.standing.offsets, live.offsets):
                if not patient:
                    return False
                # Of a topic that was lost and made anew, the old model may have read more than there is.
                ends = await self.ends()
                reached = {place: min(offset, ends.get(place, 0)) for place, offset in live.offsets.items()}
                await self.read_to(reached, connection)
            self._insist_on_whole_streams()
            await aside.swap(connection, self._tables)
            await self._hand_over(connection, live.epoch)
        return True

    def _insist_on_whole_streams(self) -> None:
        for stream, version in sorted((self.standing.early or {}).items()):
            seen = self.standing.cursors.get(stream, 0)
            raise GapOnTheBus(f"{stream} has version {version} on the bus, but not {seen + 1}; publish it again")

    async def _hand_over(self, connection: AsyncConnection, epoch: int) -> None:
        name, standing = self._projection.name, self.standing
        await ledger.forget(connection, name, cursors, offsets, parked_events)
        if self._aside:
            writer = BulkWriter(connection.dialect)
            await writer.run(connection, writer.statements([parking(name, self._aside, self._clock())]))
        await ledger.claim(
            connection,
            [
                Move(
                    projection=name,
                    epoch=epoch,
                    next_epoch=ledger.new_epoch(),
                    events=standing.events,
                    newest=standing.newest,
                    categories=standing.categories,
                    halted=None,
                    cursors=standing.cursors,
                    offsets=standing.offsets,
                )
            ],
        )
        await self._set_ticket(connection, None)

    async def _set_ticket(self, connection: AsyncConnection, ticket: str | None) -> None:
        of_this = progress.c.projection == self._projection.name
        await connection.execute(update(progress).where(of_this).values(rebuild=ticket))

    async def _show_ticket(self, connection: AsyncConnection) -> None:
        of_this = progress.c.projection == self._projection.name
        if await connection.scalar(select(progress.c.rebuild).where(of_this)) != self._ticket:
            raise AnotherRebuild(f"a later rebuild of {self._projection.name} has taken over")


def _past(reached: Mapping[Place, int], ends: Mapping[Place, int]) -> bool:
    return all(reached.get(place, 0) >= end for place, end in ends.items())
