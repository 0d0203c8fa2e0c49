"""What the receiver of an alert is told: ids, site, grade and due instants, and no other health data."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.safety import AlertId, Grade, SeriousAdverseEventIdentified
from shared.contracts.terms import Instant, SiteId


class Due(BaseModel):
    """Somebody has to be told until an instant."""

    model_config = ConfigDict(frozen=True)

    to: str = Field(examples=["sponsor"])
    due_at: Instant


class AlertData(BaseModel):
    """The alert. What happened is read with these ids, by those who may."""

    model_config = ConfigDict(frozen=True)

    alert_id: AlertId
    number: int
    adverse_event_id: UUID
    participant_id: UUID
    site_id: SiteId
    grade: Grade
    due: tuple[Due, ...]


class AlertMessage(BaseModel):
    """A serious adverse event, as a webhook after Standard Webhooks. `webhook-id` is the alert's id, on every try.

    The receiver checks the signature, answers 2xx once it has stored the message, and drops ids it has stored.
    """

    model_config = ConfigDict(frozen=True)

    type: Literal["safety.alert-raised"] = "safety.alert-raised"
    timestamp: Instant = Field(description="When the alert was raised")
    data: AlertData

    def body(self) -> str:
        """The same bytes on every try."""
        return self.model_dump_json()


def message_of(alert: SeriousAdverseEventIdentified, raised_at: datetime) -> AlertMessage:
    return AlertMessage(
        timestamp=raised_at,
        data=AlertData(
            alert_id=alert.alert_id,
            number=alert.number,
            adverse_event_id=alert.adverse_event_id,
            participant_id=alert.participant_id,
            site_id=alert.site_id,
            grade=alert.grade,
            due=tuple(Due(to=notice.to, due_at=notice.due_at) for notice in alert.notices),
        ),
    )
