"""What the safety service publishes: adverse events, and the alerts that serious ones raise.

Grade (how severe), seriousness (what it led to) and causality (what it is attributed to) are three independent
facts. They meet in one place alone: a death from the event is grade 5, results in death and has a fatal outcome.

Whether an event is treatment-emergent is in no event: it follows from onset and infusion, and either may become
known, or be corrected, after the report. Readers derive it with `treatment_emergent`.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Generic, Literal, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.contracts.saying import Says
from shared.contracts.terms import (
    Code,
    Instant,
    PartialDate,
    ParticipantId,
    ProtocolRef,
    Reason,
    ShortText,
    SiteId,
    latest,
)
from shared.kernel.events import Event

Grade = Annotated[
    int,
    Field(
        strict=True, ge=1, le=5, description="CTCAE grade: 1 mild, 2 moderate, 3 severe, 4 life-threatening, 5 death"
    ),
]

MeddraCode = Annotated[
    str,
    StringConstraints(pattern=r"^\d{8}$"),
    Says("a MedDRA code of 8 digits, such as 10052015"),
    Field(description="The MedDRA code that CTCAE gives for the term", examples=["10052015"]),
]

AlertId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[1-9]\d{0,3}$"),
    Says("an alert's id: that of its adverse event, a hyphen and the alert's number"),
    Field(
        description="The adverse event's id and the alert's number, so each leads to the other",
        examples=["018f2b6e-5f0a-7c31-9d2e-0c7a5b1e4d10-1"],
    ),
]

AlertLevel = Annotated[int, Field(ge=1, description="The level of the protocol's chain, 1 at once")]

AlertRecipient = Annotated[
    Code,
    Field(description="`webhook`, or the protocol's label of a mailbox; never an address", examples=["safety-officer"]),
]


class AlertChannel(StrEnum):
    """How somebody is told of an alert."""

    WEBHOOK = "webhook"
    MAIL = "e-mail"


Agent = Annotated[Code, Field(description="What an event is attributed to; the protocol lists them")]


class Seriousness(StrEnum):
    """The criteria of ICH E2A, any of which makes an event serious (AESER)."""

    DEATH = "results-in-death"  # AESDTH
    LIFE_THREATENING = "life-threatening"  # AESLIFE
    HOSPITALISATION = "hospitalisation"  # AESHOSP: admission, or a longer stay
    DISABILITY = "disability"  # AESDISAB: persistent or significant
    CONGENITAL_ANOMALY = "congenital-anomaly"  # AESCONG
    MEDICALLY_IMPORTANT = "medically-important"  # AESMIE


class Attribution(StrEnum):
    """How likely an agent caused the event: the five points of the NCI (AEREL)."""

    UNRELATED = "unrelated"
    UNLIKELY = "unlikely"
    POSSIBLE = "possible"
    PROBABLE = "probable"
    DEFINITE = "definite"

    @property
    def is_related(self) -> bool:
        """A reasonable possibility, in the two-way answer that regulators ask for: possible and above."""
        return self in _RELATED


_RELATED = frozenset({Attribution.POSSIBLE, Attribution.PROBABLE, Attribution.DEFINITE})


class Outcome(StrEnum):
    """How the event stands or ended: CDISC codelist OUT (AEOUT)."""

    RECOVERED = "recovered"
    RECOVERED_WITH_SEQUELAE = "recovered-with-sequelae"
    RECOVERING = "recovering"
    NOT_RECOVERED = "not-recovered"
    FATAL = "fatal"
    UNKNOWN = "unknown"


# With one of these an event has ended, whether or not its last day is known.
ENDS = frozenset({Outcome.RECOVERED, Outcome.RECOVERED_WITH_SEQUELAE, Outcome.FATAL})


class ActionTaken(StrEnum):
    """What was done with the study treatment because of the event: CDISC codelist ACN (AEACN)."""

    DOSE_INCREASED = "dose-increased"
    DOSE_NOT_CHANGED = "dose-not-changed"
    DOSE_RATE_REDUCED = "dose-rate-reduced"
    DOSE_REDUCED = "dose-reduced"
    DRUG_INTERRUPTED = "drug-interrupted"
    DRUG_WITHDRAWN = "drug-withdrawn"
    NOT_APPLICABLE = "not-applicable"
    NOT_EVALUABLE = "not-evaluable"
    UNKNOWN = "unknown"


class AlertCause(StrEnum):
    """Why an alert was raised. Each starts clocks of its own; none ends another's."""

    REPORTED_SERIOUS = "reported-serious"
    BECAME_SERIOUS = "became-serious"
    BECAME_LIFE_THREATENING = "became-life-threatening"
    BECAME_FATAL = "became-fatal"
    AWARENESS_CORRECTED = "awareness-corrected"


class Part(BaseModel):
    """A value inside an event or a command."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AdverseEventTerm(Part):
    """A term of the dictionary as it was at the time of the report (AEDECOD, AELLTCD, AEBODSYS)."""

    edition: str = Field(description="Edition of CTCAE", examples=["5.0"])
    meddra_code: MeddraCode
    name: str = Field(examples=["Cytokine release syndrome"])
    soc: str = Field(description="System organ class", examples=["Immune system disorders"])
    specification: ShortText | None = Field(None, description="What was seen, for the terms that end 'Other, specify'")


class GradeBasis(Part):
    """How a grade was obtained: read from CTCAE, or mapped from another scale by the rule that `mapping` names."""

    how: Literal["ctcae", "mapped"] = "ctcae"
    mapping: ShortText | None = Field(
        None, examples=["AESEV: mild 1, moderate 2, severe 3"], description="The rule, if and only if mapped"
    )

    @model_validator(mode="after")
    def _names_the_mapping(self) -> Self:
        if (self.how == "mapped") != (self.mapping is not None):
            raise ValueError('a mapped grade names its mapping; a grade with "how": "ctcae" has none')
        return self


class GradeSince(Part):
    """A grade, and the day from which the event has it."""

    grade: Grade
    since: PartialDate
    basis: GradeBasis = GradeBasis()


class AgentCausality(Part):
    """The investigator's opinion about one agent."""

    agent: Agent
    attribution: Attribution


class Notice(Part):
    """A duty to tell somebody, and until when: one of the protocol's clocks, started."""

    clock: Code = Field(description="The clock's id in the protocol", examples=["investigator-to-sponsor"])
    to: Code = Field(description="Who is to be told", examples=["sponsor"])
    due_at: Instant


T = TypeVar("T")


class Replaced(Part, Generic[T]):
    """A wrong entry and the right one, side by side."""

    was: T
    now: T


class AdverseEventReported(Event, type="safety.adverse-event-reported", version=1):
    """A site reported an adverse event for the first time.

    `ended_on` None: it goes on, or the end is not known. `seriousness` empty: not serious. `causality` names the
    agents that were assessed; an agent that is not named was not assessed, which is not "unrelated".
    """

    adverse_event_id: UUID
    participant_id: ParticipantId
    term: AdverseEventTerm
    grade: Grade
    grade_basis: GradeBasis
    onset: PartialDate
    became_aware_at: Instant
    ended_on: PartialDate | None
    seriousness: tuple[Seriousness, ...]
    causality: tuple[AgentCausality, ...]
    action_taken: ActionTaken
    outcome: Outcome
    protocol: ProtocolRef


class AdverseEventRegraded(Event, type="safety.adverse-event-regraded", version=1):
    """The event got better or worse: from `since` on it has another grade. The earlier grade stays true before."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    previous_grade: Grade
    grade: Grade
    grade_basis: GradeBasis
    since: PartialDate


class AdverseEventResolved(Event, type="safety.adverse-event-resolved", version=1):
    """The event came to its end: recovered, with or without sequelae, or fatal."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    ended_on: PartialDate
    outcome: Outcome


class SeriousnessReassessed(Event, type="safety.seriousness-reassessed", version=1):
    """New information changed which criteria of seriousness the event meets. Empty: it is no longer held serious."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    previous: tuple[Seriousness, ...]
    seriousness: tuple[Seriousness, ...]
    became_aware_at: Instant


class CausalityAssessed(Event, type="safety.causality-assessed", version=1):
    """An investigator gave an opinion about the agents named here; those about other agents stand."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    causality: tuple[AgentCausality, ...]


class AdverseEventCorrected(Event, type="safety.adverse-event-corrected", version=1):
    """An entry was wrong from the start. What is not None was replaced; the wrong entry stays readable here.

    `grades` is the whole history of grades, as it was and as it is. A corrected onset moves its first day too.
    """

    adverse_event_id: UUID
    participant_id: ParticipantId
    reason: Reason
    term: Replaced[AdverseEventTerm] | None = None
    grades: Replaced[tuple[GradeSince, ...]] | None = None
    onset: Replaced[PartialDate] | None = None
    became_aware_at: Replaced[Instant] | None = None
    ended_on: Replaced[PartialDate | None] | None = None
    seriousness: Replaced[tuple[Seriousness, ...]] | None = None
    causality: Replaced[tuple[AgentCausality, ...]] | None = None
    action_taken: Replaced[ActionTaken] | None = None
    outcome: Replaced[Outcome] | None = None


class AdverseEventRetracted(Event, type="safety.adverse-event-retracted", version=1):
    """The report should never have been made: another participant's, a duplicate, no event at all.

    It counts nowhere from now on. What it had said, and the alerts it raised, stay on record.
    """

    adverse_event_id: UUID
    participant_id: ParticipantId
    reason: Reason


class SeriousAdverseEventIdentified(Event, type="safety.serious-adverse-event-identified", version=1):
    """An adverse event is serious, or more urgent than was known: the duties to tell begin.

    The clocks run from `became_aware_at`, when the site learned of what `because` names, not from the onset and
    not from the entry: a late entry is overdue at once. A later downgrade or retraction withdraws no alert.
    """

    alert_id: AlertId
    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    number: int = Field(ge=1, description="1 for the event's first alert")
    because: AlertCause
    seriousness: tuple[Seriousness, ...]
    grade: Grade
    became_aware_at: Instant
    notices: tuple[Notice, ...]
    protocol: ProtocolRef


class AlertDelivered(Event, type="safety.alert-delivered", version=1):
    """A receiver took the alert: it answered 2xx, or its mail server 250. Recorded once, however often it was sent."""

    alert_id: AlertId
    adverse_event_id: UUID
    participant_id: ParticipantId
    channel: AlertChannel
    recipient: AlertRecipient
    level: AlertLevel
    number: int = Field(ge=1, description="1: told by the chain; later ones were asked for by hand at this level")
    delivered_at: Instant


class AlertResendRequested(Event, type="safety.alert-resend-requested", version=1):
    """A safety officer asked that everybody of the present level be told once more."""

    alert_id: AlertId
    adverse_event_id: UUID
    participant_id: ParticipantId
    resend_id: UUID
    level: AlertLevel
    number: int = Field(ge=2, description="How often everybody of this level is told, with this one")


class AlertAcknowledged(Event, type="safety.alert-acknowledged", version=1):
    """A safety officer has taken the alert in hand; who and when stands beside the event."""

    alert_id: AlertId
    adverse_event_id: UUID
    participant_id: ParticipantId
    note: ShortText | None


AdverseEventEvent = (
    AdverseEventReported
    | AdverseEventRegraded
    | AdverseEventResolved
    | SeriousnessReassessed
    | CausalityAssessed
    | AdverseEventCorrected
    | AdverseEventRetracted
    | SeriousAdverseEventIdentified
)

AlertEvent = AlertDelivered | AlertResendRequested | AlertAcknowledged


def treatment_emergent(onset: str, grades: Sequence[GradeSince], infused_on: date | None) -> bool | None:
    """Whether an event emerged under treatment: it began after the infusion, or was there before and got worse.

    `infused_on` is the day of the (first) infusion in the trial's own time zone; None, not infused yet, gives
    None. Dates may be partial: what is not certainly before the infusion counts as after it, so an unclear event
    is counted rather than lost. An onset on the day of infusion is emergent.

    Source: ICH E9, glossary, "treatment emergent"; onset is AESTDTC, the answer AETRTEM.
    """
    if infused_on is None:
        return None
    if latest(onset) >= infused_on:
        return True
    before = [entry.grade for entry in grades if latest(entry.since) < infused_on]
    return any(entry.grade > max(before, default=0) for entry in grades if latest(entry.since) >= infused_on)
