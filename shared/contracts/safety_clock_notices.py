"""What the safety service publishes of the notices that the steps of a reporting clock send out."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.safety import AlertChannel, AlertLevel, AlertRecipient
from shared.contracts.safety_cases import CaseClockId
from shared.contracts.terms import Instant, ParticipantId
from shared.kernel.events import Event

ClockNoticeId = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-clock-[1-9]\d{0,3}-(due-soon|escalated-[1-9]\d{0,3}|missed)$"
    ),
    Field(
        description="The clock's id and its step",
        examples=["018f2b6e-5f0a-7c31-9d2e-0c7a5b1e4d10-clock-1-due-soon"],
    ),
]


class ClockNoticeDelivered(Event, type="safety.clock-notice-delivered", version=1):
    """A receiver took the notice of a clock's step. Recorded once, however often it was sent."""

    notice_id: ClockNoticeId
    clock_id: CaseClockId
    adverse_event_id: UUID
    participant_id: ParticipantId
    channel: AlertChannel
    recipient: AlertRecipient
    level: AlertLevel = Field(description="The level of the alerts' chain whose receivers are told")
    delivered_at: Instant
