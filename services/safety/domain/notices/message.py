"""What receivers are told: ids, site, grade and due instants, and no other health data; by webhook, or in a mail."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.safety import AlertId, AlertLevel, Grade, SeriousAdverseEventIdentified
from shared.contracts.safety_cases import CaseClockId, ClockDueSoon, ClockEscalated, ClockMissed
from shared.contracts.safety_clock_notices import ClockNoticeId
from shared.contracts.terms import Code, Instant, SiteId


class NoticeKind(StrEnum):
    """What somebody is told of: an alert, or the step of a reporting clock."""

    ALERT = "alert"
    DUE_SOON = "due-soon"
    ESCALATED = "escalated"
    MISSED = "missed"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Due(_Part):
    """Somebody has to be told until an instant."""

    to: Code = Field(examples=["sponsor"])
    due_at: Instant


class AlertData(_Part):
    """The alert. What happened is read with these ids, by those who may."""

    alert_id: AlertId
    number: int
    adverse_event_id: UUID
    participant_id: UUID
    site_id: SiteId
    grade: Grade
    due: tuple[Due, ...]
    level: AlertLevel
    notification: int = Field(description="1: told by the chain; later ones were asked for by hand at this level")


class ClockData(_Part):
    """A duty to report that is not done: which clock of which adverse event, whom to tell, and until when."""

    notice_id: ClockNoticeId
    clock_id: CaseClockId
    adverse_event_id: UUID
    participant_id: UUID
    site_id: SiteId
    clock: Code
    due: tuple[Due, ...]
    level: AlertLevel


class AlertMessage(_Part):
    """A serious adverse event, as a webhook after Standard Webhooks. `webhook-id` is the same on every try.

    The receiver checks the signature, answers 2xx once it has stored the message, and drops ids it has stored.
    """

    type: Literal["safety.alert-raised"] = "safety.alert-raised"
    timestamp: Instant = Field(description="When the alert was raised")
    data: AlertData

    def body(self) -> str:
        """The same bytes on every try."""
        return self.model_dump_json()


class ClockMessage(_Part):
    """A step of a reporting clock, as a webhook after Standard Webhooks. `webhook-id` is the same on every try."""

    type: Literal["safety.clock-due-soon", "safety.clock-escalated", "safety.clock-missed"]
    timestamp: Instant = Field(description="When the step was recorded")
    data: ClockData

    def body(self) -> str:
        """The same bytes on every try."""
        return self.model_dump_json()


Message = AlertMessage | ClockMessage


def about_alert(raised: SeriousAdverseEventIdentified) -> dict[str, Any]:
    """What is told of an alert at every level, ready for JSON."""
    ids = raised.model_dump(
        mode="json", include={"alert_id", "number", "adverse_event_id", "participant_id", "site_id", "grade"}
    )
    due = [Due(to=notice.to, due_at=notice.due_at).model_dump(mode="json") for notice in raised.notices]
    return {**ids, "due": due}


def about_clock(step: ClockDueSoon | ClockEscalated | ClockMissed, notice_id: str) -> dict[str, Any]:
    """What is told of a clock's step, ready for JSON."""
    ids = step.model_dump(mode="json", include={"clock_id", "adverse_event_id", "participant_id", "site_id", "clock"})
    return {"notice_id": notice_id, **ids, "due": [Due(to=step.to, due_at=step.due_at).model_dump(mode="json")]}


def message_of(kind: NoticeKind, about: Mapping[str, Any], raised_at: datetime, level: int, number: int) -> Message:
    """The message to everybody of a level; the same for each of them and on every try."""
    if kind is NoticeKind.ALERT:
        data = AlertData.model_validate({**about, "level": level, "notification": number})
        return AlertMessage(timestamp=raised_at, data=data)
    clock = ClockData.model_validate({**about, "level": level})
    return ClockMessage.model_validate({"type": f"safety.clock-{kind}", "timestamp": raised_at, "data": clock})
