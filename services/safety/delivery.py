"""Delivers alerts until the receiver has them: a process manager with a memory of its own.

What is to be delivered comes from safety's own events. Before a try it is written down that there is one, so that a
process that dies in the midst of it tries again, and backs off. The receiver may therefore get a message twice,
under the same `webhook-id`, by which it drops the second; the trial records its delivery once.

A receiver that answers anything but 2xx, 410 included, is tried again for as long as the alert is undelivered: giving
up would lose a serious event. What waits is counted in the metrics, and stands in the worklist as undelivered.
"""

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_never

from prometheus_client import Counter, Gauge
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from services.safety.domain import adverse_event, alert
from services.safety.domain.alert_message import message_of
from services.safety.receiver import Accepted, Refused
from services.safety.tables import alerts, delivery_attempts
from shared.contracts.safety import SeriousAdverseEventIdentified
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import Actor, Role
from shared.kernel.clock import Clock
from shared.kernel.errors import Unavailable
from shared.telemetry import tracing

if TYPE_CHECKING:
    from services.safety.webhook import Line, Receiver

POLL_SECONDS = 1.0
BATCH = 50
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)  # the shortest clock of a serious event runs 24 h
LONGEST_ASKED_PAUSE = timedelta(hours=1)  # what a receiver can ask for by Retry-After

UNDELIVERED = Gauge("trial_alerts_undelivered", "Alerts of serious adverse events that the receiver does not have")
OLDEST = Gauge("trial_alerts_oldest_undelivered_seconds", "Age of the oldest of them")
TRIES = Counter("trial_alert_deliveries_total", "Tries to deliver an alert", ["result"])

log = logging.getLogger("trial.safety")

_SELF = Actor("alert-delivery", frozenset({Role.SYSTEM}), None, Role.SYSTEM)
_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_EACH = alerts.outerjoin(delivery_attempts, delivery_attempts.c.alert_id == alerts.c.alert_id)
_WAITING = (
    alerts.c.delivered_at.is_(None) & delivery_attempts.c.delivered_at.is_(None) & alerts.c.raised_at.is_not(None)
)


@dataclass(frozen=True, slots=True)
class Due:
    """An alert to try now. `attempts` are those before."""

    alert_id: str
    raised_at: datetime
    traceparent: str | None
    attempts: int


def pause_after(attempts: int) -> timedelta:
    """How long to wait after this many tries: 5 s, doubling, up to 15 minutes."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 16)), LONGEST_PAUSE)


class AlertDelivery:
    """One round after another, until told to stop. Runs in one worker at a time, under a lease."""

    name = "alert-delivery"

    def __init__(self, db: Database, store: EventStore, clock: Clock, receiver: "Receiver | None") -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._receiver = receiver

    async def run(self, stop: asyncio.Event) -> None:
        if self._receiver is None:
            log.warning("no ALERT_WEBHOOK_URL: alerts are not delivered, only listed")
        async with AsyncExitStack() as opened:
            line = await opened.enter_async_context(self._receiver.connected()) if self._receiver else None
            while not stop.is_set():
                await self._round_unless_away(line, stop)
                await _pause(stop, POLL_SECONDS)

    async def _round_unless_away(self, line: "Line | None", stop: asyncio.Event) -> None:
        try:
            await self.round(line, stop)
        except Unavailable:
            log.warning("the database is away; alerts wait")

    async def round(self, line: "Line | None", stop: asyncio.Event) -> None:
        """Try every alert whose time has come; without a receiver, count those that wait."""
        await self._count()
        if line is None:
            return
        for due in await self._due():
            if stop.is_set():
                return
            await self._deliver(line, due)

    async def _count(self) -> None:
        query = select(func.count(), func.min(alerts.c.raised_at)).select_from(_EACH).where(_WAITING)
        async with self._db.connect() as connection:
            waiting, oldest = (await connection.execute(query)).one()
        UNDELIVERED.set(waiting)
        OLDEST.set((self._clock() - oldest).total_seconds() if waiting else 0)

    async def _due(self) -> list[Due]:
        time_has_come = func.coalesce(delivery_attempts.c.next_attempt_at, alerts.c.raised_at) <= self._clock()
        columns = (alerts.c.alert_id, alerts.c.raised_at, alerts.c.traceparent, delivery_attempts.c.attempts)
        query = select(*columns).select_from(_EACH).where(_WAITING, time_has_come)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query.order_by(alerts.c.raised_at).limit(BATCH))).all()
        return [Due(row.alert_id, row.raised_at, row.traceparent, row.attempts or 0) for row in rows]

    async def _deliver(self, line: "Line", due: Due) -> None:
        progress, _ = await self._store.load(alert.DECIDER, due.alert_id)
        if progress.delivered:  # by a process that died before it had noted so
            await self._note(due, delivered_at=self._clock())
            return
        await self._begin(due)
        event, _ = await self._store.load(adverse_event.DECIDER, alert.event_of(due.alert_id))
        raised = alert.raised_in(event, due.alert_id)
        answer = await line.send(due.alert_id, message_of(raised, due.raised_at).body(), at=self._clock())
        match answer:
            case Accepted():
                await self._record(due, raised)
                TRIES.labels("accepted").inc()
            case Refused():
                await self._put_off(due, answer)
                TRIES.labels("gone" if answer.gone else "refused").inc()
            case _:
                assert_never(answer)

    async def _begin(self, due: Due) -> None:
        """Write the try down before it is made: a process that dies in it must not come back without a pause."""
        now = self._clock()
        attempts = due.attempts + 1
        await self._note(due, attempts=attempts, last_attempt_at=now, next_attempt_at=now + pause_after(attempts))

    async def _record(self, due: Due, raised: SeriousAdverseEventIdentified) -> None:
        now = self._clock()
        tracing.begin(due.traceparent)
        frame = tracing.recording(_SELF, at=now, subject=raised.participant_id)
        command = alert.RecordDelivery(delivered_at=now)
        await self._store.execute(alert.DECIDER, due.alert_id, command, raised, frame)
        await self._note(due, delivered_at=now, last_failure=None)
        log.info("alert delivered", extra={"alert_id": due.alert_id, "attempt": due.attempts + 1})

    async def _put_off(self, due: Due, answer: Refused) -> None:
        pause = LONGEST_PAUSE if answer.gone else pause_after(due.attempts + 1)
        if answer.retry_after is not None:
            pause = max(pause, min(answer.retry_after, LONGEST_ASKED_PAUSE))
        await self._note(due, last_failure=answer.why, next_attempt_at=self._clock() + pause)
        level = logging.ERROR if answer.gone else logging.WARNING
        known = {"alert_id": due.alert_id, "attempt": due.attempts + 1, "reason_code": answer.why}
        log.log(level, "alert not delivered; it will be tried again", extra=known)

    async def _note(self, due: Due, **columns: object) -> None:
        first = {"attempts": 0, "last_attempt_at": self._clock(), "next_attempt_at": self._clock()}
        insert = _INSERTS[self._db.dialect](delivery_attempts)
        query = insert.values(alert_id=due.alert_id, **{**first, **columns})
        async with self._db.begin() as connection:
            await connection.execute(query.on_conflict_do_update(index_elements=["alert_id"], set_=columns))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
