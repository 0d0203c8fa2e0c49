"""What the safety service publishes about laboratories, their results, the grades of these, and candidates for AEs.

A result holds what was reported, frozen with the limits and the baseline it is graded with, and the grades. Why a
grade is what it is follows from that again at any time, so no explanation is stored. A row that could not be read waits
in a quarantine list outside of the events, because nobody knows yet what it says, or whom it names: events tell that it
waits, why, and what became of it, and nothing that stands in it.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.enrollment_terms import Sex
from shared.contracts.safety import AdverseEventTerm, MeddraCode, Part
from shared.contracts.saying import Says
from shared.contracts.terms import (
    Code,
    Day,
    Instant,
    Measurement,
    PartialDate,
    ParticipantId,
    ProtocolRef,
    Reason,
    SiteId,
)
from shared.kernel.events import Event

LaboratoryId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{1,31}$"),
    Says("a laboratory's code: 2 to 32 capitals, digits and hyphens, such as CU-CENTRAL"),
    Field(description="A laboratory's short code; one that serves two sites has two", examples=["CU-CENTRAL"]),
]
TimeZone = Annotated[str, Field(max_length=64, description="IANA time zone", examples=["Asia/Bangkok"])]
Unit = Annotated[str, StringConstraints(max_length=40), Field(description="UCUM code", examples=["U/L"])]
AnalyteKey = Annotated[Code, Field(description="What is measured: key of the table of analytes", examples=["ALT"])]
Months = Annotated[int, Field(ge=0, le=1560, description="Completed months of age, as the month of birth tells them")]
ResultGradeValue = Annotated[int, Field(strict=True, ge=0, le=5, description="CTCAE grade; 0: within limits")]


class SpecimenType(StrEnum):
    """What the value was measured in (CDISC LBSPEC)."""

    BLOOD = "blood"
    SERUM = "serum"
    PLASMA = "plasma"
    URINE = "urine"
    CSF = "csf"
    OTHER = "other"


class ResultQualifier(StrEnum):
    """The value is a bound: the method could not count further."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


class QuarantineProblem(StrEnum):
    """Why a row could not be read."""

    NOT_IDENTIFIED = "not-identified"  # neither a row id nor a specimen id
    UNKNOWN_PARTICIPANT = "unknown-participant"
    UNKNOWN_TEST = "unknown-test"  # no mapping of the local code, no such analyte or LOINC code
    UNKNOWN_UNIT = "unknown-unit"  # none that is known, or none of this analyte
    BAD_VALUE = "bad-value"
    BAD_LIMITS = "bad-limits"
    BAD_COLLECTION_TIME = "bad-collection-time"  # no instant, or in the future
    UNKNOWN_SPECIMEN = "unknown-specimen"


class LimitsSource(StrEnum):
    """Where the limits of normal of a result come from."""

    RESULT = "result"  # they travelled with it
    LABORATORY = "laboratory"  # the laboratory's own range for age and sex at that date


class LaboratoryRegistered(Event, type="safety.laboratory-registered", version=1):
    """A laboratory of a site may send results. Times without an offset are read in its zone."""

    laboratory_id: LaboratoryId
    site_id: SiteId
    time_zone: TimeZone


class MappedTest(Part):
    """A laboratory's own test code, and the analyte it means. None: known, and no CTCAE term is graded from it."""

    code: Code
    analyte: AnalyteKey | None


class LaboratoryTestsMapped(Event, type="safety.laboratory-tests-mapped", version=1):
    """A laboratory's test codes got a meaning, for results that arrive from now on."""

    laboratory_id: LaboratoryId
    tests: tuple[MappedTest, ...]


class ReferenceRange(Part):
    """The limits of normal of an analyte at one laboratory, for one sex or all, ages from (included) to (excluded)."""

    analyte: AnalyteKey
    unit: Unit
    sex: Sex | None = Field(None, description="Null: for all")
    age_from_months: Months = 0
    age_to_months: Months | None = Field(None, description="Excluded; null: no upper end")
    lln: Measurement | None = None
    uln: Measurement | None = None
    effective_from: Day


class ReferenceRangesRecorded(Event, type="safety.reference-ranges-recorded", version=1):
    """A laboratory stated its own reference ranges. One for the same people and day replaces the earlier one."""

    laboratory_id: LaboratoryId
    ranges: tuple[ReferenceRange, ...]


class ReleaseCause(StrEnum):
    """How a row came out of quarantine."""

    READ = "read"  # it was read again, and could be
    SENT_AGAIN = "sent-again"  # the laboratory sent another content for it, which could be read


class LaboratoryRowQuarantined(Event, type="safety.laboratory-row-quarantined", version=1):
    """A row could not be read, and waits. Nothing of its content stands here."""

    quarantine_id: UUID
    laboratory_id: LaboratoryId
    site_id: SiteId
    problem: QuarantineProblem
    received_at: Instant


class LaboratoryRowReleased(Event, type="safety.laboratory-row-released", version=1):
    """A row waits no longer: what it was sent for is on record."""

    quarantine_id: UUID
    laboratory_id: LaboratoryId
    site_id: SiteId
    because: ReleaseCause


class LaboratoryRowDiscarded(Event, type="safety.laboratory-row-discarded", version=1):
    """Somebody decided that a row in quarantine will not be read."""

    quarantine_id: UUID
    laboratory_id: LaboratoryId
    site_id: SiteId
    problem: QuarantineProblem
    reason: Reason


class BaselineBasis(StrEnum):
    """What the last valid value had to lie before to be the baseline."""

    LYMPHODEPLETION = "before-lymphodepletion"
    INFUSION = "before-infusion"
    INFUSION_ALONE = "before-infusion-no-lymphodepletion"  # the rule asks for one, and none is on record


class BaselineUsed(Part):
    """The baseline of a grade: the value of another result, in the unit of the graded one."""

    result_id: UUID
    value: Measurement
    abnormal: bool | None = Field(description="Beyond its own limits; null: judged by the limits of the graded result")
    basis: BaselineBasis


class ResultGrade(Part):
    """The grade of one CTCAE term. None: cannot be graded. Rule and arm name the row that gave it."""

    meddra_code: MeddraCode
    grade: ResultGradeValue | None
    possible: tuple[ResultGradeValue, ...]
    rule: str = Field(max_length=100)
    arm: str | None = Field(max_length=20, description="ULN, LLN, baseline, absolute or symptoms")


class Grading(Part):
    """How a result is graded now."""

    result_id: UUID
    baseline: BaselineUsed | None
    grades: tuple[ResultGrade, ...]


class LaboratoryResult(Part):
    """One value as reported, with what it is graded by.

    `test` is the code it came under, `analyte` what it was read as then; none: no CTCAE term is graded from it. Limits
    are in the unit of the value. `age_months` None: the month of birth was not known here.
    """

    result_id: UUID
    laboratory_id: LaboratoryId
    row: Code = Field(description="What the laboratory knows the row by")
    test: Code
    analyte: AnalyteKey | None
    value: Measurement
    qualifier: ResultQualifier | None
    unit: Unit | None
    lln: Measurement | None
    uln: Measurement | None
    limits_from: LimitsSource | None
    collected_at: Instant
    specimen: SpecimenType | None
    age_months: Months | None
    grading: Grading


class LaboratoryResultsRecorded(Event, type="safety.laboratory-results-recorded", version=1):
    """A laboratory sent results of one participant, and they were graded on arrival."""

    participant_id: ParticipantId
    results: tuple[LaboratoryResult, ...]
    received_at: Instant
    edition: str = Field(description="Edition of CTCAE", examples=["5.0"])
    protocol: ProtocolRef


class LaboratoryResultCorrected(Event, type="safety.laboratory-result-corrected", version=1):
    """The laboratory put right what it had reported. The earlier content stays in the events before."""

    participant_id: ParticipantId
    result: LaboratoryResult
    reason: Reason
    edition: str
    protocol: ProtocolRef


class LaboratoryResultCancelled(Event, type="safety.laboratory-result-cancelled", version=1):
    """The result should never have been reported: it is graded no more, and is nobody's baseline."""

    participant_id: ParticipantId
    result_id: UUID
    reason: Reason


class LaboratoryResultsRegraded(Event, type="safety.laboratory-results-regraded", version=1):
    """The baseline is another one now, so the values after it were graded anew by what had been frozen on each."""

    participant_id: ParticipantId
    gradings: tuple[Grading, ...]
    edition: str
    protocol: ProtocolRef


class CandidateCourse(Part):
    """The episode of abnormal values behind a candidate: from the first grade of 1 or more until a grade of 0."""

    onset: PartialDate
    worst_grade: int = Field(ge=1, le=5)
    ended_on: PartialDate | None = Field(description="The day of the first value within limits; null: none yet")
    first_result_id: UUID
    worst_result_id: UUID


class AdverseEventCandidateOpened(Event, type="safety.adverse-event-candidate-opened", version=1):
    """Laboratory values of a term have a grade of 1 or more: an investigator is to say whether it is an AE."""

    candidate_id: UUID
    participant_id: ParticipantId
    term: AdverseEventTerm
    course: CandidateCourse
    protocol: ProtocolRef


class AdverseEventCandidateFollowed(Event, type="safety.adverse-event-candidate-followed", version=1):
    """Later, corrected or regraded values changed the episode of a candidate. A decision about it stands."""

    candidate_id: UUID
    participant_id: ParticipantId
    was: CandidateCourse | None = Field(description="Null: it had been withdrawn")
    now: CandidateCourse


class AdverseEventCandidateWithdrawn(Event, type="safety.adverse-event-candidate-withdrawn", version=1):
    """No value of the episode has a grade any more, or another candidate has taken it in."""

    candidate_id: UUID
    participant_id: ParticipantId
    was: CandidateCourse


class AdverseEventCandidateAccepted(Event, type="safety.adverse-event-candidate-accepted", version=1):
    """An investigator took the candidate for an adverse event, which was reported with it."""

    candidate_id: UUID
    participant_id: ParticipantId
    adverse_event_id: UUID
    course: CandidateCourse


class AdverseEventCandidateMerged(Event, type="safety.adverse-event-candidate-merged", version=1):
    """An investigator said that an adverse event on record tells of these values already."""

    candidate_id: UUID
    participant_id: ParticipantId
    adverse_event_id: UUID
    course: CandidateCourse


class AdverseEventCandidateDismissed(Event, type="safety.adverse-event-candidate-dismissed", version=1):
    """An investigator said that the values are no adverse event, and why."""

    candidate_id: UUID
    participant_id: ParticipantId
    course: CandidateCourse
    reason: Reason


LaboratoryEvent = LaboratoryRegistered | LaboratoryTestsMapped | ReferenceRangesRecorded
QuarantineEvent = LaboratoryRowQuarantined | LaboratoryRowReleased | LaboratoryRowDiscarded
CandidateEvent = (
    AdverseEventCandidateOpened
    | AdverseEventCandidateFollowed
    | AdverseEventCandidateWithdrawn
    | AdverseEventCandidateAccepted
    | AdverseEventCandidateMerged
    | AdverseEventCandidateDismissed
)
ResultEvent = (
    LaboratoryResultsRecorded
    | LaboratoryResultCorrected
    | LaboratoryResultCancelled
    | LaboratoryResultsRegraded
    | CandidateEvent
)
