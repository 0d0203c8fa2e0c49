"""The relay: publishes what stands in the outbox, oldest first, and strikes off what was acknowledged.

No transaction is open while it publishes: a relay that hangs would otherwise block its successor and hold back
the whole database. So it reads the oldest rows, publishes them, and deletes them by their positions, under a
lease that lets one relay of a service do so at a time. What can happen:

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
from datetime import datetime

from sqlalchemy import delete, func, select

from shared.db import Database, DatabaseAway
from shared.eventstore.tables import events, outbox
from shared.kernel.clock import Clock, system_clock
from shared.kernel.events import Envelope
from shared.messaging.bus import Bus, BusUnavailable
from shared.messaging.hints import Hint
from shared.messaging.lease import Lease

log = logging.getLogger(__name__)

BATCH = 500
LOOK_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
DEPTH_LIMIT = 100_000  # counting further would cost more than it tells


@dataclass(slots=True)
class Progress:
    """Where a relay stands. Its loop writes here; health and metrics read."""

    active: bool = False
    depth: int = 0
    oldest_age_seconds: float = 0.0
    published: int = 0
    failures: int = 0
    last_error: str | None = None
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
        self._db = db
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
                more = await self._publish_batch()
            except (BusUnavailable, DatabaseAway) as error:
                self._note(error)
                await _set_within(stop, pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            if not more:
                await self._hint.wait(LOOK_SECONDS)

    async def _publish_batch(self) -> bool:
        """Publish the oldest rows and strike them off; True if there may be more."""
        positions, envelopes = await self._oldest()
        if not envelopes:
            return False
        self._lease.ensure()
        await self._bus.publish(self._topic, envelopes)
        self._lease.ensure()
        async with self._db.begin() as connection:
            await connection.execute(delete(outbox).where(outbox.c.position.in_(positions)))
        self.progress.published += len(envelopes)
        self.progress.last_published_at = self._clock()
        self.progress.last_error = None
        return len(envelopes) == BATCH

    async def _oldest(self) -> tuple[Sequence[int], Sequence[Envelope]]:
        async with self._db.connect() as connection:
            rows = (await connection.execute(_OLDEST)).all()
        return [row[0] for row in rows], [
            Envelope.model_construct(_FIELDS, **dict(zip(_NAMES, row[1:], strict=True))) for row in rows
        ]

    def _note(self, error: Exception) -> None:
        self.progress.failures += 1
        self.progress.last_error = str(error)
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
        async with self._db.connect() as connection:
            depth = (await connection.execute(_DEPTH)).scalar_one()
            oldest = (await connection.execute(_OLDEST_INSTANT)).scalar_one_or_none()
        self.progress.depth = depth
        self.progress.oldest_age_seconds = 0.0 if oldest is None else (self._clock() - oldest).total_seconds()


_NAMES = tuple(Envelope.model_fields)
_FIELDS = set(_NAMES)
_OLDEST = (
    select(outbox.c.position, *(events.c[name] for name in _NAMES))
    .join_from(outbox, events, outbox.c.position == events.c.position)
    .order_by(outbox.c.position)
    .limit(BATCH)
)
_DEPTH = select(func.count()).select_from(select(outbox.c.position).limit(DEPTH_LIMIT).subquery())
_OLDEST_INSTANT = (
    select(events.c.recorded_at)
    .join_from(outbox, events, outbox.c.position == events.c.position)
    .order_by(outbox.c.position)
    .limit(1)
)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
