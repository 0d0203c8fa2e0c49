"""The runner: one subscription feeds all projections of one database.

It keeps no state that matters. Positions live in the database, in the transaction of the rows, so a runner may
die at any point, and a second one beside it does no harm: see `ledger`.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.db import Database
from shared.kernel.clock import Clock, system_clock
from shared.kernel.errors import Unavailable
from shared.messaging.bus import Bus, Subscription
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.health import ProjectionHealth, count, health_of, show
from shared.projection.ledger import Place, Standing
from shared.projection.planning import Arrival, Step, decoded
from shared.projection.projection import Projection

log = logging.getLogger("trial.projection")

BATCH = 1000
POLL_SECONDS = 0.5
LOOK_AROUND_SECONDS = 1.0  # how soon a resumed or rebuilt projection is noticed
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


@dataclass(slots=True)
class Progress:
    """What the runner has done since it started."""

    batches: int = 0
    messages: int = 0
    last_error: str | None = None  # its code


class Runner:
    """Keeps projections up to date with the bus."""

    def __init__(
        self,
        db: Database,
        bus: Bus,
        projections: Sequence[Projection],
        *,
        clock: Clock = system_clock,
        batch: int = BATCH,
    ) -> None:
        self.progress = Progress()
        self._db = db
        self._bus = bus
        self._clock = clock
        self._batch = batch
        self._applier = Applier(db, projections, clock)
        self._topics = sorted({topic for projection in projections for topic in projection.topics})
        self._ends: dict[Place, int] = {}
        self._passed: dict[Place, int] = {}  # how far this subscription was taken in
        self._standings: dict[str, Standing] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`. A database or a broker that is away is waited out; a bug is raised."""
        watching = asyncio.create_task(self._watch())
        pause = FIRST_PAUSE
        try:
            while not stop.is_set():
                batches = self.progress.batches
                try:
                    await self._follow(stop)
                except Unavailable as away:
                    pause = FIRST_PAUSE if self.progress.batches > batches else min(pause * 2, LONGEST_PAUSE)
                    self.progress.last_error = away.code
                    log.warning("projections wait", extra={"reason_code": away.code, "seconds": pause})
                    await _pause(stop, pause)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def health(self) -> list[ProjectionHealth]:
        """How every projection stood when last looked at. No input or output."""
        now = self._clock()
        return [
            health_of(projection, self._standings.get(projection.name, Standing()), self._ends, now)
            for projection in self._applier.projections
        ]

    async def _follow(self, stop: asyncio.Event) -> None:
        """Subscribe where the hindmost projection stands; return when it has to be done again, or to stop."""
        await ledger.register(self._db, self._applier.names)
        await self._applier.refresh()
        self._remember()
        self._ends = dict(await self._bus.end_offsets(self._topics))
        self._forgive_lost_topics()
        self._passed = {place: self._hindmost(place) for place in self._ends}
        subscription = self._bus.subscribe(self._topics, self._passed)
        try:
            await self._pump(subscription, stop)
        finally:
            await subscription.close()

    def _forgive_lost_topics(self) -> None:
        """A topic that ends before our position was made anew: read it again, versions tell what is known."""
        for standing in self._applier.standings.values():
            for place, offset in standing.offsets.items():
                if offset > self._ends.get(place, offset):
                    log.error("a topic ends before the position read", extra={"topic": place[0], "position": offset})
                    standing.offsets[place] = 0

    def _hindmost(self, place: Place) -> int:
        """Where to read a partition from: nothing is behind its end, where no projection wants it."""
        return min(
            (standing.offsets.get(place, 0) for standing in self._followers(place[0])), default=self._ends[place]
        )

    def _followers(self, topic: str) -> list[Standing]:
        standings = self._applier.standings
        return [
            standing
            for projection in self._applier.projections
            if topic in projection.topics and (standing := standings[projection.name]).halted is None
        ]

    async def _pump(self, subscription: Subscription, stop: asyncio.Event) -> None:
        """Fetch and decode the next batch while this one is written."""
        loop = asyncio.get_running_loop()
        stopping = asyncio.create_task(stop.wait())
        fetching = asyncio.create_task(self._fetch(subscription))
        looked = loop.time()
        try:
            while not stop.is_set():
                await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not fetching.done():
                    return
                arrivals = fetching.result()
                fetching = asyncio.create_task(self._fetch(subscription))
                if arrivals:
                    await self._take_in(arrivals)
                if loop.time() - looked > LOOK_AROUND_SECONDS or not self._applier.standings:
                    await self._applier.refresh()
                    self._remember()
                    looked = loop.time()
                if self._left_somebody_behind():
                    return
        finally:
            fetching.cancel()
            stopping.cancel()
            await asyncio.gather(fetching, stopping, return_exceptions=True)

    async def _fetch(self, subscription: Subscription) -> list[Arrival]:
        deliveries = await subscription.poll(POLL_SECONDS, self._batch)
        return decoded(deliveries, self._applier.wanted)

    async def _take_in(self, arrivals: Sequence[Arrival]) -> None:
        for step in await self._applier.apply(arrivals):
            self._tell(step)
        for arrival in arrivals:
            delivery = arrival.delivery
            self._passed[delivery.topic, delivery.partition] = delivery.offset + 1
        self.progress.batches += 1
        self.progress.messages += len(arrivals)
        self.progress.last_error = None
        self._remember()

    def _tell(self, step: Step) -> None:
        count(self._db.schema, step)
        labels = {"service": self._db.schema, "projection": step.projection.name}
        if step.halted:
            log.error("a gap halts a projection; `parked NAME` says where", extra=labels)
        if step.counts.parked or step.counts.foreign:
            log.error("events were set aside", extra={**labels, "count": len(step.aside)})

    def _remember(self) -> None:
        """The standings as the health page shows them, also while the applier reads them anew."""
        if self._applier.standings:
            self._standings = self._applier.standings

    def _left_somebody_behind(self) -> bool:
        """A projection was resumed or rebuilt to a place before the one read here."""
        if not self._applier.standings:
            return False
        return any(
            standing.offsets.get(place, 0) < passed
            for place, passed in self._passed.items()
            for standing in self._followers(place[0])
        )

    async def _watch(self) -> None:
        """Keep the ends of the topics and the gauges fresh."""
        while True:
            with suppress(Unavailable):
                self._ends = dict(await self._bus.end_offsets(self._topics))
            for health in self.health():
                show(self._db.schema, health)
            await asyncio.sleep(2 * LOOK_AROUND_SECONDS)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
