"""The relay: publishes what stands in the outbox, oldest first, and strikes off what was acknowledged.

No transaction is open while it publishes: a relay that hangs would otherwise block its successor and hold back
the whole database. So it reads the oldest rows, publishes them, and deletes them by their positions, under a
lease that lets one relay of a service do so at a time. A batch is published when the one before it was
acknowledged as a whole. What can happen:

- It dies between publishing and deleting: its successor publishes the same events again. Readers skip them
  by stream and version.
- It is stopped while it publishes, another takes over, and it wakes up: it finishes sending events that were the
  oldest when it read them, so everything that precedes them is on the topic already. Again readers skip.
- Part of a batch is acknowledged and part is not: nothing is struck off, and the whole batch is sent again before
  any other. The bus sends nothing after a failure, so no stream ever shows a version before its predecessor.
- Rows with lower positions appear after higher ones were published (their transactions took longer): they are
  in the outbox, so they are read next. Within a stream this cannot happen: version 2 is only appended by
  someone who has seen version 1, so version 1 has the lower position and is visible first.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.db import Database, DatabaseAway
from shared.eventstore.outbox import Waiting, outbox_of
from shared.kernel.clock import Clock, system_clock
from shared.messaging.bus import Bus, BusUnavailable
from shared.messaging.hints import Hint
from shared.messaging.lease import Lease, set_within

log = logging.getLogger(__name__)

BATCH = 500
LOOK_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0


@dataclass(slots=True)
class Progress:
    """Where a relay stands. Its loop writes here; health and metrics read."""

    active: bool = False
    depth: int = 0
    oldest_age_seconds: float = 0.0
    published: int = 0
    failures: int = 0
    last_error: str | None = None  # its code: the health page is open to whoever asks
    last_published_at: datetime | None = None


class Relay:
    """Publishes one service's outbox to its topic."""

    def __init__(
        self,
        db: Database,
        bus: Bus,
        topic: str,
        hint: Hint,
        *,
        lease: Lease | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.progress = Progress()
        self._outbox = outbox_of(db)
        self._bus = bus
        self._topic = topic
        self._hint = hint
        self._lease = lease or Lease(db, "relay")
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Work whenever this relay holds the lease, until `stop` is set."""
        working = asyncio.create_task(self._lease.keep(lambda: self._work(stop), stop))
        watching = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = [task for task in (working, watching) if task.done()]
            for task in (working, watching):
                task.cancel()
            await asyncio.wait({working, watching})
        for task in ended:
            task.result()  # a bug of either is the caller's to know

    async def _work(self, stop: asyncio.Event) -> None:
        self.progress.active = True
        try:
            await self._empty_the_outbox(stop)
        finally:
            self.progress.active = False

    async def _empty_the_outbox(self, stop: asyncio.Event) -> None:
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                await self._drain(stop)
            except (BusUnavailable, DatabaseAway) as error:
                self._note(error)
                await set_within(stop, pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            await self._hint.wait(LOOK_SECONDS)

    async def _drain(self, stop: asyncio.Event) -> None:
        """Publish batch by batch until nothing waits.

        While one batch is on its way, the one before it is struck off and the one after it is read. Behind a batch
        that was not full nothing waited; whoever has written since has rung.
        """
        done: list[int] = []
        batch = await self._outbox.oldest(BATCH)
        while batch and not stop.is_set():
            positions = [position for position, _ in batch]
            self._lease.ensure()
            published, following = await asyncio.gather(
                self._bus.publish(self._topic, [envelope for _, envelope in batch]),
                self._turn_over(done, positions),
                return_exceptions=True,
            )
            if published is not None:
                raise published
            if isinstance(following, BaseException):
                raise following
            self._published(len(batch))
            done, batch = positions, following
        await self._strike_off(done)

    async def _turn_over(self, done: Sequence[int], under_way: Sequence[int]) -> list[Waiting]:
        await self._strike_off(done)
        return await self._outbox.oldest(BATCH, but=under_way) if len(under_way) == BATCH else []

    async def _strike_off(self, positions: Sequence[int]) -> None:
        if positions:
            self._lease.ensure()
            await self._outbox.strike_off(positions)

    def _published(self, count: int) -> None:
        self.progress.published += count
        self.progress.last_published_at = self._clock()
        self.progress.last_error = None

    def _note(self, error: BusUnavailable | DatabaseAway) -> None:
        self.progress.failures += 1
        self.progress.last_error = error.code
        told = {"topic": self._topic, "error_type": type(error).__name__, "attempt": self.progress.failures}
        log.warning("the relay could not publish; nothing is lost, it tries again", extra=told)

    async def _watch(self) -> None:
        """Keep `progress` true, also where this relay waits for the lease or for the broker."""
        while True:
            try:
                await self._measure()
            except DatabaseAway:
                log.debug("the relay cannot look into the outbox: the database is away", extra={"topic": self._topic})
            await asyncio.sleep(LOOK_SECONDS)

    async def _measure(self) -> None:
        backlog = await self._outbox.backlog()
        age = timedelta(0) if backlog.oldest is None else self._clock() - backlog.oldest
        self.progress.depth = backlog.depth
        self.progress.oldest_age_seconds = age.total_seconds()
