"""How adverse events and alerts read: folded from their streams, once, into what is answered."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.safety.consent_flags import FLAG, Gaps
from services.safety.domain.record import OnRecord, Retracted
from services.safety.notices.memory import Try
from shared.contracts.safety import (
    ActionTaken,
    AdverseEventTerm,
    AgentCausality,
    AlertAcknowledged,
    AlertCause,
    AlertChannel,
    AlertDelivered,
    AlertId,
    AlertLevel,
    AlertRecipient,
    Grade,
    GradeSince,
    Notice,
    Outcome,
    SeriousAdverseEventIdentified,
    Seriousness,
    treatment_emergent,
)
from shared.contracts.terms import Instant, PartialDate, ParticipantId, Reason, ShortText, SiteId
from shared.kernel.events import Envelope


class RaisedAlert(BaseModel):
    """An alert as it was raised. What became of it since is read at the alert itself."""

    alert_id: AlertId
    number: int
    because: AlertCause
    seriousness: tuple[Seriousness, ...]
    grade: Grade
    became_aware_at: Instant
    notices: tuple[Notice, ...]

    @classmethod
    def of(cls, raised: SeriousAdverseEventIdentified) -> Self:
        return cls.model_validate(raised, from_attributes=True)


class AdverseEvent(BaseModel):
    """An adverse event as it stands. `treatment_emergent` null: the participant has not been infused."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    term: AdverseEventTerm
    grade: Grade = Field(description="The grade now")
    worst_grade: Grade
    grades: tuple[GradeSince, ...] = Field(description="Every grade, in order of time")
    onset: PartialDate
    became_aware_at: Instant
    ended_on: PartialDate | None
    serious: bool
    seriousness: tuple[Seriousness, ...]
    causality: tuple[AgentCausality, ...]
    action_taken: ActionTaken
    outcome: Outcome
    treatment_emergent: bool | None
    special_interest: tuple[str, ...] = Field(description="Ids of the protocol's kinds of special interest it is of")
    consent_gaps: Gaps = Field(None, description=f"Of the onset: {FLAG}")
    retracted: bool
    retraction_reason: Reason | None
    alerts: tuple[RaisedAlert, ...]

    @classmethod
    def of(
        cls, state: OnRecord | Retracted, *, site_id: str, infused_on: date | None, special_interest: tuple[str, ...]
    ) -> Self:
        record = state.was if isinstance(state, Retracted) else state
        return cls(
            adverse_event_id=record.adverse_event_id,
            participant_id=record.participant_id,
            site_id=site_id,
            term=record.term,
            grade=record.grade,
            worst_grade=record.worst_grade,
            grades=record.grades,
            onset=record.onset,
            became_aware_at=record.became_aware_at,
            ended_on=record.ended_on,
            serious=bool(record.seriousness),
            seriousness=record.seriousness,
            causality=record.causality,
            action_taken=record.action_taken,
            outcome=record.outcome,
            treatment_emergent=treatment_emergent(record.onset, record.grades, infused_on),
            special_interest=special_interest,
            retracted=isinstance(state, Retracted),
            retraction_reason=state.reason if isinstance(state, Retracted) else None,
            alerts=tuple(RaisedAlert.of(alert) for alert in record.alerts),
        )


class Alert(RaisedAlert):
    """An alert, and how far it has come: what nobody has acknowledged is open."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    delivered_at: datetime | None = Field(description="When a receiver last took it; null: nobody has it yet")
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: ShortText | None

    @classmethod
    def since_raised(cls, raised: SeriousAdverseEventIdentified, life: Sequence[Envelope]) -> Self:
        happened = {type(event): (envelope, event) for envelope in life for event in [envelope.event()]}
        _, delivery = happened.get(AlertDelivered, (None, None))
        envelope, acknowledgement = happened.get(AlertAcknowledged, (None, None))
        since = {
            "delivered_at": delivery.delivered_at if isinstance(delivery, AlertDelivered) else None,
            "acknowledged_at": envelope.recorded_at if envelope else None,
            "acknowledged_by": envelope.actor if envelope else None,
            "note": acknowledgement.note if isinstance(acknowledgement, AlertAcknowledged) else None,
        }
        as_raised = {name: getattr(raised, name) for name in cls.model_fields if name not in since}
        return cls.model_validate({**as_raised, **since})


class DeliveryTry(BaseModel):
    """One try to tell somebody of an alert. Mailboxes are named by the protocol's label; addresses stand nowhere."""

    level: AlertLevel
    number: int = Field(description="1: told by the chain; later ones were asked for by hand at this level")
    channel: AlertChannel
    recipient: AlertRecipient
    attempt: int = Field(description="1 for the first try of this message to this recipient")
    tried_at: Instant
    result: Literal["accepted", "refused", "no-answer"] | None = Field(
        description="no-answer: it may have it or not; null: none is known yet, or the process died"
    )
    failure: str | None = Field(description="A code", examples=["503", "451 at recipient"])

    @classmethod
    def of(cls, tried: Try) -> Self:
        return cls.model_validate(tried, from_attributes=True)
