"""What the delivery remembers of each sending, and the log of its tries that people read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Gauge
from sqlalchemy import func, select

from services.safety.domain.notices.escalation import Notification
from services.safety.domain.notices.message import NoticeKind
from services.safety.notices.plan import BATCH, EACH, OPEN
from services.safety.tables import delivery_tries, notices, sendings
from shared.contracts.safety import AlertChannel
from shared.db import Database
from shared.kernel.clock import Clock
from shared.upserts import upsert

MOST_TRIES = 200  # that the log shows

UNDELIVERED = Gauge("trial_alerts_undelivered", "Alerts and notices of clocks that no receiver has")
OLDEST = Gauge("trial_alerts_oldest_undelivered_seconds", "Age of the oldest of them")
OPEN_ALERTS = Gauge("trial_alerts_unacknowledged", "Alerts of serious adverse events that nobody has acknowledged")
WAITING = Gauge("trial_alert_sendings_waiting", "Messages to one recipient each that wait to be taken", ["channel"])


@dataclass(frozen=True, slots=True)
class Sending:
    """Somebody to tell now of a notice. `attempts` are the tries before."""

    notice_id: str
    kind: NoticeKind
    raised_at: datetime
    traceparent: str | None
    about: Mapping[str, Any]
    notification: Notification
    since: datetime
    attempts: int

    @property
    def key(self) -> dict[str, Any]:
        told = self.notification
        return {
            "notice_id": self.notice_id,
            "level": told.level,
            "number": told.number,
            "channel": told.channel.value,
            "recipient": told.recipient,
        }

    @property
    def message_id(self) -> str:
        """The same on every try, and of no other sending."""
        told = self.notification
        return f"{self.notice_id}.{told.level}.{told.number}.{told.recipient}"


@dataclass(frozen=True, slots=True)
class Try:
    """One try to tell somebody, as the log shows it."""

    level: int
    number: int
    channel: AlertChannel
    recipient: str
    attempt: int
    tried_at: datetime
    result: str | None
    failure: str | None


class DeliveryMemory:
    """The sendings of the delivery alone. Nothing else writes them."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def count(self) -> None:
        """Show in the metrics what waits."""
        told = select(sendings.c.notice_id).where(
            sendings.c.notice_id == notices.c.notice_id, sendings.c.delivered_at.is_not(None)
        )
        untold = select(func.count(), func.min(notices.c.raised_at)).select_from(EACH).where(OPEN, ~told.exists())
        alerts = select(func.count()).select_from(EACH).where(OPEN, notices.c.kind == NoticeKind.ALERT.value)
        each = select(sendings.c.channel, func.count().label("waiting")).select_from(_with_sendings())
        each = each.where(OPEN, sendings.c.delivered_at.is_(None)).group_by(sendings.c.channel)
        async with self._db.connect() as connection:
            undelivered, oldest = (await connection.execute(untold)).one()
            OPEN_ALERTS.set((await connection.execute(alerts)).scalar_one())
            waiting = {row.channel: row.waiting for row in (await connection.execute(each)).all()}
        UNDELIVERED.set(undelivered)
        OLDEST.set((self._clock() - oldest).total_seconds() if undelivered else 0)
        for channel in AlertChannel:
            WAITING.labels(channel.value).set(waiting.get(channel.value, 0))

    async def due(self, channel: AlertChannel) -> list[Sending]:
        """What is to be sent by a channel now, the oldest first."""
        about = (notices.c.kind, notices.c.raised_at, notices.c.traceparent, notices.c.about)
        query = select(sendings, *about).select_from(_with_sendings())
        query = query.where(
            OPEN,
            sendings.c.channel == channel.value,
            sendings.c.delivered_at.is_(None),
            sendings.c.next_attempt_at <= self._clock(),
        )
        order = (sendings.c.since, sendings.c.notice_id, sendings.c.level, sendings.c.number, sendings.c.recipient)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query.order_by(*order).limit(BATCH))).all()
        return [_sending(row) for row in rows]

    async def begin(self, sending: Sending, pause: timedelta) -> None:
        """Write a try down before it is made: a process that dies in it must not come back without a pause."""
        now = self._clock()
        attempt = sending.attempts + 1
        noted = {"attempts": attempt, "next_attempt_at": now + pause}
        await self._note(sending, noted, attempt, {"tried_at": now})

    async def delivered(self, sending: Sending) -> None:
        """Somebody has it; nothing is tried any more."""
        await self._note(sending, {"delivered_at": self._clock()}, sending.attempts + 1, {"result": "accepted"})

    async def known_delivered(self, sending: Sending) -> None:
        """The trial had it on record, by a process that died before it had noted so here."""
        await self._note(sending, {"delivered_at": self._clock()}, sending.attempts, {"result": "accepted"})

    async def put_off(self, sending: Sending, pause: timedelta, result: str, failure: str) -> None:
        told = {"result": result, "failure": failure}
        await self._note(sending, {"next_attempt_at": self._clock() + pause}, sending.attempts + 1, told)

    async def _note(self, sending: Sending, noted: dict[str, Any], attempt: int, tried: dict[str, Any]) -> None:
        now = self._clock()
        first = {"since": sending.since, "attempts": attempt, "next_attempt_at": now}
        async with self._db.begin() as connection:
            await connection.execute(upsert(self._db, sendings, sending.key, noted, first=first))
            if attempt:
                key = {**sending.key, "attempt": attempt}
                await connection.execute(upsert(self._db, delivery_tries, key, tried, first={"tried_at": now}))


async def tries_of(db: Database, alert_id: str) -> list[Try]:
    """The latest tries to tell somebody of an alert, the newest first."""
    tried = delivery_tries.c
    query = select(delivery_tries).where(tried.notice_id == alert_id)
    query = query.order_by(
        tried.tried_at.desc(), tried.level.desc(), tried.number.desc(), tried.channel, tried.recipient
    )
    async with db.connect() as connection:
        rows = (await connection.execute(query.limit(MOST_TRIES))).mappings().all()
    return [
        Try(**{name: row[name] for name in Try.__slots__ if name != "channel"}, channel=AlertChannel(row["channel"]))
        for row in rows
    ]


def _with_sendings() -> Any:
    return EACH.join(sendings, sendings.c.notice_id == notices.c.notice_id)


def _sending(row: Any) -> Sending:
    return Sending(
        notice_id=row.notice_id,
        kind=NoticeKind(row.kind),
        raised_at=row.raised_at,
        traceparent=row.traceparent,
        about=row.about,
        notification=Notification(row.level, row.number, AlertChannel(row.channel), row.recipient),
        since=row.since,
        attempts=row.attempts,
    )
