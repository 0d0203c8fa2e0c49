"""What the trial's own record says of a sending: whether it is still wanted, whether somebody has it already."""

from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from services.safety.domain.notices import alert, clock_notice
from services.safety.domain.notices.message import NoticeKind
from services.safety.notices.memory import Sending
from shared.eventstore.store import EventStore
from shared.kernel.actor import system
from shared.telemetry import tracing

_SELF = system("alert-delivery")


class Standing(Enum):
    """What becomes of a sending."""

    WANTED = auto()
    TOLD = auto()
    OVER = auto()  # the alert was acknowledged


class DeliveryRecords:
    """The streams of alerts and of clocks' notices, in which each delivery is recorded once."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def standing(self, sending: Sending) -> Standing:
        """What the streams say, of which the queue and the memory may not know yet."""
        if sending.kind is NoticeKind.ALERT:
            progress, _ = await self._store.load(alert.DECIDER, sending.notice_id)
            if progress.acknowledged is not None:
                return Standing.OVER
            told = progress.delivered
        else:
            told, _ = await self._store.load(clock_notice.DECIDER, sending.notice_id)
        return Standing.TOLD if sending.notification in told else Standing.WANTED

    async def record(self, sending: Sending, at: datetime) -> None:
        tracing.begin(sending.traceparent)
        subject, event_id = UUID(sending.about["participant_id"]), UUID(sending.about["adverse_event_id"])
        frame = tracing.recording(_SELF, at=at, subject=subject)
        told = sending.notification
        if sending.kind is NoticeKind.ALERT:
            delivery = alert.RecordDelivery(
                level=told.level,
                number=told.number,
                channel=told.channel,
                recipient=told.recipient,
                delivered_at=at,
            )
            facts = alert.Facts(sending.notice_id, event_id, subject, told.level)
            await self._store.execute(alert.DECIDER, sending.notice_id, delivery, facts, frame)
            return
        notice = clock_notice.RecordNoticeDelivery(
            level=told.level, channel=told.channel, recipient=told.recipient, delivered_at=at
        )
        about = clock_notice.Facts(sending.notice_id, sending.about["clock_id"], event_id, subject)
        await self._store.execute(clock_notice.DECIDER, sending.notice_id, notice, about, frame)
