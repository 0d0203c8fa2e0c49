"""Tells of alerts, up the protocol's chain, until somebody acknowledges; and of the steps of reporting clocks.

A process manager with a memory of its own. What is to be told comes from safety's own events. Before a try it is
written down that there is one, so that a process that dies in the midst of it tries again, and backs off. A receiver
may therefore get a message twice, under the same id (`webhook-id`, `Message-ID`), by which it drops the second; the
trial records each delivery once.

A receiver that does not take a message is tried again for as long as nobody acknowledges: giving up would lose a
serious event. What waits is counted in the metrics. Each channel goes its own pace: one that hangs holds up no other.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import assert_never

from prometheus_client import Counter

from services.safety.domain.notices.message import message_of
from services.safety.notices.channels import Accepted, Channel, Line, NoAnswer, Outgoing, Refused
from services.safety.notices.memory import DeliveryMemory, Sending
from services.safety.notices.plan import DeliveryPlan
from services.safety.notices.records import DeliveryRecords, Standing
from shared.contracts.safety import AlertChannel
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.clock import Clock
from shared.process.watching import rounds
from shared.protocol import AlertLevel

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)  # the shortest clock of a serious event runs 24 h
LONGEST_ASKED_PAUSE = timedelta(hours=1)  # what a receiver can ask for by Retry-After

TRIES = Counter("trial_alert_deliveries_total", "Tries to tell somebody", ["channel", "result"])

log = logging.getLogger("trial.safety")


def pause_after(attempts: int) -> timedelta:
    """How long to wait after this many tries: 5 s, doubling, up to 15 minutes."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 16)), LONGEST_PAUSE)


class AlertDelivery:
    """One round after another, until told to stop. Runs in one worker at a time, under a lease."""

    name = "alert-delivery"

    def __init__(
        self,
        db: Database,
        store: EventStore,
        clock: Clock,
        levels: tuple[AlertLevel, ...],
        channels: Mapping[AlertChannel, Channel],
    ) -> None:
        self._clock = clock
        self._channels = channels
        self._plan = DeliveryPlan(db, clock, levels, channels)
        self._memory = DeliveryMemory(db, clock)
        self._records = DeliveryRecords(store)

    async def run(self, stop: asyncio.Event) -> None:
        if not self._channels:
            log.warning("no ALERT_WEBHOOK_URL and no ALERT_SMTP_HOST: alerts are not delivered, only listed")
        async with AsyncExitStack() as opened, asyncio.TaskGroup() as together:
            together.create_task(rounds(self.name, self.plan, stop))
            for name, channel in self._channels.items():
                line = await opened.enter_async_context(channel.connected())
                together.create_task(rounds(self.name, partial(self.send, name, line, stop), stop))

    async def plan(self) -> None:
        """Plan what has fallen due; without a channel, count what waits."""
        await self._memory.count()
        if self._channels:
            await self._plan.make()

    async def send(self, channel: AlertChannel, line: Line, stop: asyncio.Event) -> None:
        """Try everything of a channel whose time has come."""
        for sending in await self._memory.due(channel):
            if stop.is_set():
                return
            await self._deliver(line, sending)

    async def _deliver(self, line: Line, sending: Sending) -> None:
        match await self._records.standing(sending):
            case Standing.OVER:
                return
            case Standing.TOLD:  # by a process that died before it had noted so
                await self._memory.known_delivered(sending)
            case Standing.WANTED:
                await self._tell(line, sending)

    async def _tell(self, line: Line, sending: Sending) -> None:
        await self._memory.begin(sending, pause_after(sending.attempts + 1))
        channel = sending.notification.channel.value
        match await line.send(self._outgoing(sending)):
            case Accepted():
                await self._records.record(sending, self._clock())
                await self._memory.delivered(sending)
                TRIES.labels(channel, "accepted").inc()
                known = {"alert_id": sending.notice_id, "attempt": sending.attempts + 1}
                log.info("alert delivered", extra=known)
            case Refused() as refused:
                await self._put_off(sending, refused)
                TRIES.labels(channel, "gone" if refused.gone else "refused").inc()
            case NoAnswer(why):
                await self._memory.put_off(sending, pause_after(sending.attempts + 1), "no-answer", why)
                TRIES.labels(channel, "no-answer").inc()
                self._warn(sending, why)
            case answer:
                assert_never(answer)

    def _outgoing(self, sending: Sending) -> Outgoing:
        told = sending.notification
        return Outgoing(
            id=sending.message_id,
            thread=sending.notice_id,
            recipient=told.recipient,
            message=message_of(sending.kind, sending.about, sending.raised_at, told.level, told.number),
            since=sending.since,
            at=self._clock(),
        )

    async def _put_off(self, sending: Sending, refused: Refused) -> None:
        pause = LONGEST_PAUSE if refused.gone else pause_after(sending.attempts + 1)
        if refused.retry_after is not None:
            pause = max(pause, min(refused.retry_after, LONGEST_ASKED_PAUSE))
        await self._memory.put_off(sending, pause, "refused", refused.why)
        self._warn(sending, refused.why, logging.ERROR if refused.gone else logging.WARNING)

    def _warn(self, sending: Sending, why: str, level: int = logging.WARNING) -> None:
        known = {"alert_id": sending.notice_id, "attempt": sending.attempts + 1, "reason_code": why}
        log.log(level, "alert not delivered; it will be tried again", extra=known)
