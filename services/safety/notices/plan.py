"""Plans who is to be told: everybody of a level when it begins, and once more when a safety officer asks.

A plan is a row per recipient in the delivery's memory, and how far the chain has come, written together. Planning
twice adds nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from services.safety.domain.notices.escalation import begins_at, level_of_step, notifications, present_level
from services.safety.domain.notices.message import NoticeKind
from services.safety.notices.channels import Channel
from services.safety.tables import clock_ends, escalations, notices, resends, sendings
from shared.contracts.safety import AlertChannel
from shared.db import Database
from shared.kernel.clock import Clock
from shared.protocol import AlertLevel
from shared.upserts import insert, upsert

BATCH = 50
EACH = notices.outerjoin(clock_ends, clock_ends.c.clock_id == notices.c.clock_id)
OPEN: ColumnElement[bool] = (
    notices.c.raised_at.is_not(None) & notices.c.acknowledged_at.is_(None) & clock_ends.c.ended_at.is_(None)
)


class DeliveryPlan:
    """What the chain of the protocol asks for, as far as there are channels for it."""

    def __init__(
        self, db: Database, clock: Clock, levels: tuple[AlertLevel, ...], channels: Mapping[AlertChannel, Channel]
    ) -> None:
        self._db = db
        self._clock = clock
        self._levels = levels
        self._channels = frozenset(channels)

    async def make(self) -> None:
        """Plan what has fallen due since the last time."""
        for notice in await self._beginning():
            await self._begin_levels(notice)
        for resend in await self._asked():
            await self._write(resend.alert_id, resend.level, resend.number, resend.asked_at)

    async def _beginning(self) -> Sequence[Any]:
        """The open notices of which a level begins now, the oldest first."""
        known = EACH.outerjoin(escalations, escalations.c.notice_id == notices.c.notice_id)
        now = self._clock()
        begins = or_(
            escalations.c.notice_id.is_(None) & (notices.c.raised_at <= now), escalations.c.next_level_at <= now
        )
        columns = (notices.c.notice_id, notices.c.kind, notices.c.clock_level, notices.c.raised_at)
        query = select(*columns, func.coalesce(escalations.c.level, 0).label("level")).select_from(known)
        query = query.where(OPEN, begins).order_by(notices.c.raised_at, notices.c.notice_id).limit(BATCH)
        async with self._db.connect() as connection:
            return (await connection.execute(query)).all()

    async def _begin_levels(self, notice: Any) -> None:
        if notice.kind != NoticeKind.ALERT:
            level = level_of_step(self._levels, NoticeKind(notice.kind), notice.clock_level or 0)
            await self._write(notice.notice_id, level, 1, notice.raised_at, reached=True)
            return
        for level in range(notice.level + 1, present_level(self._levels, notice.raised_at, self._clock()) + 1):
            since = begins_at(self._levels, notice.raised_at, level) or notice.raised_at
            following = begins_at(self._levels, notice.raised_at, level + 1)
            await self._write(notice.notice_id, level, 1, since, reached=True, next_level_at=following)

    async def _asked(self) -> Sequence[Any]:
        planned = select(sendings.c.notice_id).where(
            sendings.c.notice_id == resends.c.alert_id,
            sendings.c.level == resends.c.level,
            sendings.c.number == resends.c.number,
        )
        asked = EACH.join(resends, resends.c.alert_id == notices.c.notice_id)
        query = select(resends).select_from(asked).where(OPEN, ~planned.exists()).order_by(resends.c.asked_at)
        async with self._db.connect() as connection:
            return (await connection.execute(query.limit(BATCH))).all()

    async def _write(
        self,
        notice_id: str,
        level: int,
        number: int,
        since: datetime,
        *,
        reached: bool = False,
        next_level_at: datetime | None = None,
    ) -> None:
        told = [each for each in notifications(self._levels, level, number) if each.channel in self._channels]
        async with self._db.begin() as connection:
            for each in told:
                sending = insert(self._db, sendings).values(
                    notice_id=notice_id,
                    level=level,
                    number=number,
                    channel=each.channel.value,
                    recipient=each.recipient,
                    since=since,
                    attempts=0,
                    next_attempt_at=since,
                )
                await connection.execute(sending.on_conflict_do_nothing())
            if reached:
                how_far = {"level": level, "next_level_at": next_level_at}
                await connection.execute(upsert(self._db, escalations, {"notice_id": notice_id}, how_far))
