"""What the safety service publishes of the case that a serious adverse event becomes.

A case is a stream of its own beside the event's, so that the sponsor's work never makes the event's version stale. It
holds the sponsor's assessment, whether the case is a suspected unexpected serious adverse reaction (SUSAR), the clocks
of the duties to report, and every version of the report as it was sent.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from shared.contracts.enrollment_terms import Route, Sex, SubjectNumber
from shared.contracts.safety import (
    ActionTaken,
    AdverseEventTerm,
    AgentCausality,
    GradeSince,
    MeddraCode,
    Outcome,
    Part,
    Seriousness,
)
from shared.contracts.safety_reports import ReportFrame
from shared.contracts.terms import (
    Code,
    Instant,
    Measurement,
    Narrative,
    PartialDate,
    ParticipantId,
    ProtocolRef,
    Reason,
    ShortText,
    SiteId,
)
from shared.kernel.events import Event

CaseClockId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-clock-[1-9]\d{0,3}$"),
    Field(
        description="The adverse event's id and the clock's number, so each leads to the other",
        examples=["018f2b6e-5f0a-7c31-9d2e-0c7a5b1e4d10-clock-1"],
    ),
]
AdverseEventVersion = Annotated[int, Field(ge=1, description="The version of the adverse event this rests on")]


class Expectedness(StrEnum):
    """Whether the reference safety information lists such an event (ICH E2A)."""

    EXPECTED = "expected"
    UNEXPECTED = "unexpected"


class CaseUrgency(StrEnum):
    """The two kinds of serious cases, of which one is reported sooner."""

    FATAL_OR_LIFE_THREATENING = "fatal-or-life-threatening"
    OTHER = "other"


class ReportKind(StrEnum):
    INITIAL = "initial"
    FOLLOW_UP = "follow-up"  # more has become known
    AMENDMENT = "amendment"  # what was reported was wrong (E2B C.1.11.1: 2)
    NULLIFICATION = "nullification"  # the case should never have been reported (E2B C.1.11.1: 1); ends it


class AcknowledgementForm(StrEnum):
    """How a recipient answered."""

    E2B = "e2b"  # the file of an ICH E2B(R3) acknowledgement
    PAPER = "paper"  # a letter, of which a safety officer recorded what it says


class ClockCause(StrEnum):
    """What started a clock."""

    ALERT = "alert"  # the site became aware
    SUSAR = "susar"  # the sponsor became aware of a suspected unexpected reaction
    REPORT = "report"  # a first report asks for its completion
    NEW_INFORMATION = "new-information"  # something became known after a report


class StopCause(StrEnum):
    """Why a clock stopped before its duty was done."""

    NO_LONGER_SUSAR = "no-longer-susar"
    LESS_URGENT = "less-urgent"  # the clock of the other kind of cases runs instead
    RETRACTED = "retracted"  # the adverse event never was


class ListedTerm(Part):
    """A reaction that the reference safety information lists, and how severe it is expected to be."""

    meddra_code: MeddraCode
    specification: ShortText | None = Field(None, description="For an 'Other, specify' term: what is listed")
    max_grade: int = Field(ge=1, le=4, strict=True, description="The worst CTCAE grade short of death that is listed")
    fatal: bool = Field(False, strict=True, description="Whether a fatal outcome is listed")


class ReferenceSafetyInformationRecorded(Event, type="safety.reference-safety-information-recorded", version=1):
    """The sponsor put a version of the reference safety information on record. It holds for onsets from a day on."""

    rsi_version: Code
    effective_from: date
    terms: tuple[ListedTerm, ...]


class ReferenceSafetyInformationWithdrawn(Event, type="safety.reference-safety-information-withdrawn", version=1):
    """A version was entered wrongly and counts nowhere; the right one is recorded under another name."""

    rsi_version: Code
    reason: Reason


class ExpectednessProposal(Part):
    """What the rule says about expectedness, and by which version. None: no version was in force at onset."""

    expectedness: Expectedness
    rsi_version: Code | None
    explanation: str


class SponsorAssessed(Event, type="safety.sponsor-assessed", version=1):
    """The sponsor judged the case. It stands beside the investigator's opinion, and replaces the sponsor's own.

    `causality` names the agents that the sponsor judged. `expectedness` None: the rule's proposal stands; another
    than the proposal comes with the reason. `assessed_at` is when it was recorded.
    """

    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    adverse_event_version: AdverseEventVersion
    causality: tuple[AgentCausality, ...]
    expectedness: Expectedness | None
    proposed: ExpectednessProposal
    reason: Reason | None
    became_aware_at: Instant
    assessed_at: Instant
    protocol: ProtocolRef


class SusarBasis(Part):
    """Why a case is, or is not, a suspected unexpected serious adverse reaction.

    `related_by` empty: both say it is not related. `no-opinion`: somebody's opinion is missing, and counts as related.
    """

    seriousness: tuple[Seriousness, ...]
    related_by: tuple[Literal["investigator", "sponsor", "no-opinion"], ...]
    expectedness: Expectedness
    expectedness_by: Literal["sponsor", "rule"]
    rsi_version: Code | None
    explanation: str


class SusarIdentified(Event, type="safety.susar-identified", version=1):
    """The case is a suspected unexpected serious adverse reaction, more urgent than known, or known for longer.

    `sponsor_aware_at` is when the sponsor first held the information that makes it one: its clocks run from there.
    """

    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    number: int = Field(ge=1, description="1 for the case's first identification")
    urgency: CaseUrgency
    basis: SusarBasis
    sponsor_aware_at: Instant
    protocol: ProtocolRef


class SusarNoLongerHeld(Event, type="safety.susar-no-longer-held", version=1):
    """An input changed, and the case is no suspected unexpected serious adverse reaction now. What was sent stays."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    number: int = Field(ge=1, description="The identification that no longer holds")
    basis: SusarBasis
    retracted: bool
    protocol: ProtocolRef


class ClockBasis(Part):
    """What started a clock: the alert's id, or the number of the identification or the report."""

    cause: ClockCause
    reference: str
    urgency: CaseUrgency
    site_aware_at: Instant = Field(description="A report sent before does not do the duty")
    adverse_event_version: AdverseEventVersion = Field(description="A report of an earlier version does not either")


class _OfClock(BaseModel):
    """What every event of a clock says: which clock of which case, whom to tell, and until when."""

    clock_id: CaseClockId
    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    clock: Code = Field(description="The clock's id in the protocol", examples=["investigator-to-sponsor"])
    to: Code = Field(description="Who is to be told", examples=["sponsor"])
    due_at: Instant


class ClockStarted(_OfClock, Event, type="safety.clock-started", version=1):
    """A duty to report began to run. The steps it will take are fixed here, whatever a later protocol says."""

    number: int = Field(ge=1, description="1 for the case's first clock")
    basis: ClockBasis
    since: Instant
    due_soon_at: Instant
    escalate_at: tuple[Instant, ...]
    protocol: ProtocolRef


class ClockDueSoon(_OfClock, Event, type="safety.clock-due-soon", version=1):
    """A duty to report is due soon, and not done."""

    at: Instant = Field(description="The instant of this step; it may lie long before it was recorded")


class ClockEscalated(_OfClock, Event, type="safety.clock-escalated", version=1):
    """A duty to report is not done: the next one up is to be told."""

    level: int = Field(ge=1)
    at: Instant


class ClockMissed(_OfClock, Event, type="safety.clock-missed", version=1):
    """The instant passed, and no report was on record."""


class ClockMet(_OfClock, Event, type="safety.clock-met", version=1):
    """A report did the duty. A clock that was missed may be met too: late, or in time and recorded late."""

    report_number: int = Field(ge=1)
    met_at: Instant = Field(description="When the report was sent")
    late: bool


class ClockStopped(_OfClock, Event, type="safety.clock-stopped", version=1):
    """The duty ceased before it was done."""

    because: StopCause


class ReportedEvent(Part):
    """The adverse event as a report tells it."""

    adverse_event_id: UUID
    version: AdverseEventVersion
    term: AdverseEventTerm
    grades: tuple[GradeSince, ...]
    onset: PartialDate
    became_aware_at: Instant
    ended_on: PartialDate | None
    seriousness: tuple[Seriousness, ...]
    action_taken: ActionTaken
    outcome: Outcome
    causality: tuple[AgentCausality, ...] = Field(description="The investigator's")
    retracted: bool
    retraction_reason: Reason | None


class AgeAtOnset(Part):
    """Completed months, as far as month of birth and onset tell. Completed years are these over 12, rounded down."""

    months_at_least: int = Field(ge=0)
    months_at_most: int = Field(ge=0)


class ReportedParticipant(Part):
    """Who is concerned, by number and never by name. None: not known here."""

    participant_id: ParticipantId
    site_id: SiteId
    subject_number: SubjectNumber | None
    sex: Sex | None
    age_at_onset: AgeAtOnset | None
    weight_kg: Measurement | None = Field(description="At the last infusion")


class ReportedInfusion(Part):
    """The product as it was given."""

    number: int
    started_at: Instant
    ended_at: Instant
    route: Route
    lot: Code | None
    cells_per_kg: Measurement | None
    total_car_positive_cells: Measurement | None


class ReportedAssessment(Part):
    """The sponsor's side. `causality` empty: not judged. `expectedness` is what counts, `proposed` the rule's."""

    causality: tuple[AgentCausality, ...]
    expectedness: Expectedness
    expectedness_by: Literal["sponsor", "rule"]
    proposed: ExpectednessProposal
    reason: Reason | None
    susar: CaseUrgency | None = Field(description="None: no suspected unexpected serious adverse reaction")


class ReportContent(Part):
    """One version of a report, complete: nothing has to be looked up in an earlier one."""

    adverse_event: ReportedEvent
    participant: ReportedParticipant
    infusions: tuple[ReportedInfusion, ...]
    sponsor: ReportedAssessment
    first_received_at: Instant = Field(description="When the sponsor first held the case (E2B C.1.4)")
    latest_information_at: Instant = Field(description="When the newest of this became known (E2B C.1.5)")
    narrative: Narrative | None = Field(description="The course in words, for the recipient (E2B H.1)")
    narrative_reference: Code | None = Field(description="Where further documents are kept (E2B C.1.6.1.r.1)")
    reaction_llt: MeddraCode | None = Field(
        description="MedDRA's lowest level term of an event that CTCAE has no term for: 'Other, specify' is none"
    )
    frame: ReportFrame


class ReportSubmitted(Event, type="safety.report-submitted", version=1):
    """A version of the report was sent to one recipient, with this content."""

    report_id: UUID
    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    number: int = Field(ge=1, description="1 for the case's first report, whoever got it")
    kind: ReportKind
    recipient: Code
    sent_at: Instant
    submitted_at: Instant = Field(description="When it was recorded; the content is what was known then")
    reason: Reason | None
    content: ReportContent
    protocol: ProtocolRef


class ReportAcknowledged(Event, type="safety.report-acknowledged", version=1):
    """The recipient answered: accepted, or rejected and to be sent again."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    report_number: int = Field(ge=1)
    form: AcknowledgementForm
    verdict: Literal["accepted", "rejected"]
    receiver_reference: Code | None = Field(description="The recipient's own number for the case or the message")
    acknowledged_at: Instant = Field(description="When the file was written, or the letter was received")


ClockEvent = ClockStarted | ClockDueSoon | ClockEscalated | ClockMissed | ClockMet | ClockStopped
CaseEvent = SponsorAssessed | SusarIdentified | SusarNoLongerHeld | ClockEvent | ReportSubmitted | ReportAcknowledged
ReferenceSafetyInformationEvent = ReferenceSafetyInformationRecorded | ReferenceSafetyInformationWithdrawn
