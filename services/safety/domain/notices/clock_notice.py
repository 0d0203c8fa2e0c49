"""The notice that a step of a reporting clock sends out: who has it. Its id names the clock and the step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.safety.domain.notices.escalation import Notification
from shared.contracts.safety import AlertChannel
from shared.contracts.safety_clock_notices import ClockNoticeDelivered
from shared.kernel.decider import Command, Decider


class RecordNoticeDelivery(Command):
    """A receiver took the notice. Said by the delivery itself, never by people."""

    level: int
    channel: AlertChannel
    recipient: str
    delivered_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """Which step of which clock it is."""

    notice_id: str
    clock_id: str
    adverse_event_id: UUID
    participant_id: UUID


Delivered = frozenset[Notification]


def evolve(state: Delivered, event: ClockNoticeDelivered) -> Delivered:
    return state | {Notification(event.level, 1, event.channel, event.recipient)}


def decide(command: RecordNoticeDelivery, state: Delivered, facts: Facts) -> list[ClockNoticeDelivered]:
    if Notification(command.level, 1, command.channel, command.recipient) in state:
        return []
    about: dict[str, Any] = {
        "notice_id": facts.notice_id,
        "clock_id": facts.clock_id,
        "adverse_event_id": facts.adverse_event_id,
        "participant_id": facts.participant_id,
    }
    return [ClockNoticeDelivered(**about, **dict(command))]


DECIDER: Decider[RecordNoticeDelivery, Delivered, Facts, ClockNoticeDelivered] = Decider(
    category="clock-notice", initial=frozenset(), evolve=evolve, decide=decide
)
