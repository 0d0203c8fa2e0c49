"""How laboratory results and candidates read. Explanations follow from what is frozen on each result."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.safety.consent_flags import FLAG, Gaps
from services.safety.domain import ctcae
from services.safety.domain.lab_grading.facts import Policy
from services.safety.domain.lab_results import arrival_grading
from services.safety.domain.lab_results.recording import Outcome
from services.safety.domain.lab_results.results import Candidate, Decision, Known
from services.safety.laboratory.intake import Answer
from shared.contracts.safety import AdverseEventTerm, MeddraCode
from shared.contracts.safety_laboratory import (
    AdverseEventCandidateAccepted,
    AdverseEventCandidateDismissed,
    AdverseEventCandidateMerged,
    BaselineUsed,
    CandidateCourse,
    LaboratoryId,
    LaboratoryResult,
    LimitsSource,
    QuarantineProblem,
    ResultGrade,
    ResultQualifier,
    SpecimenType,
)
from shared.contracts.terms import Code, Instant, Measurement, ParticipantId, ProtocolRef, Reason

NOT_GRADED = "no CTCAE v5.0 term is graded from this test"


class GradeOnRecord(BaseModel):
    """The grade of one term. null: cannot be graded, and the explanation says why; 0: within limits."""

    term: str
    meddra_code: MeddraCode
    grade: int | None
    possible_grades: tuple[int, ...]
    rule: str = Field(description="Edition, term, row and arm that gave the grade")
    arm: str | None = Field(description="ULN, LLN, baseline, absolute or symptoms")
    explanation: str | None = Field(description="Null: not worked out here")

    @classmethod
    def of(cls, grade: ResultGrade, explanations: Mapping[str, str]) -> Self:
        return cls(
            term=ctcae.by_code(grade.meddra_code).name,
            meddra_code=grade.meddra_code,
            grade=grade.grade,
            possible_grades=grade.possible,
            rule=grade.rule,
            arm=grade.arm,
            explanation=explanations.get(grade.meddra_code),
        )


def _explanations(result: LaboratoryResult, policy: Policy) -> dict[str, str]:
    explained = arrival_grading.explained(result, result.grading.baseline, policy)
    return {each.meddra_code: each.explanation for each in explained}


class ResultOnRecord(BaseModel):
    """One result as it was reported and as it is graded now, with the limits and the baseline used."""

    result_id: UUID
    laboratory_id: LaboratoryId
    row: Code
    test: Code
    analyte: Code | None = Field(description="Null: no CTCAE term is graded from this test")
    value: Measurement
    qualifier: ResultQualifier | None
    unit: str | None
    lln: Measurement | None
    uln: Measurement | None
    limits_from: LimitsSource | None = Field(description="Null: there are none, so what needs a limit is not graded")
    collected_at: Instant
    received_at: Instant
    specimen: SpecimenType | None
    age_months: int | None
    cancelled: bool
    baseline: BaselineUsed | None = Field(description="Null: none, or the value is the baseline, or before it")
    grades: Sequence[GradeOnRecord]
    edition: str
    protocol: ProtocolRef
    consent_gaps: Gaps = Field(description=f"Of the draw: {FLAG}")

    @classmethod
    def of(cls, known: Known, policy: Policy, consent_gaps: Gaps) -> Self:
        result = known.result
        explanations = _explanations(result, policy)
        return cls(
            **result.model_dump(exclude={"grading"}),
            received_at=known.received_at,
            cancelled=known.cancelled,
            baseline=result.grading.baseline,
            grades=[GradeOnRecord.of(each, explanations) for each in result.grading.grades],
            edition=known.edition,
            protocol=known.protocol,
            consent_gaps=consent_gaps,
        )


class RowAnswer(BaseModel):
    """What became of one row of a batch."""

    row: int = Field(description="Its place in the batch, from 0")
    outcome: Outcome
    result_id: UUID | None
    quarantine_id: UUID | None
    problem: QuarantineProblem | None
    says: str | None = Field(
        description="Why nothing was done, and what to send or add instead; or why nothing is graded"
    )
    grades: Sequence[GradeOnRecord] = Field(description="Explained where a grade could not be given")

    @classmethod
    def of(cls, row: int, answer: Answer, policy: Policy) -> Self:
        result = None if answer.known is None or answer.known.cancelled else answer.known.result
        shown = answer.outcome is not Outcome.CONFLICT and result is not None
        grades = result.grading.grades if shown and result is not None else ()
        lacking = result is not None and any(each.grade is None for each in grades)
        explanations = _explanations(result, policy) if lacking and result is not None else {}
        return cls(
            row=row,
            outcome=answer.outcome,
            result_id=answer.result_id,
            quarantine_id=answer.quarantine_id,
            problem=answer.problem,
            says=NOT_GRADED if shown and result is not None and result.analyte is None else answer.says,
            grades=[GradeOnRecord.of(each, explanations if each.grade is None else {}) for each in grades],
        )


class BatchAnswer(BaseModel):
    """What became of a batch, row by row in its order."""

    dry_run: bool = Field(description="Nothing was recorded, and nothing was put into quarantine")
    counts: dict[Outcome, int] = Field(description="Rows by outcome")
    rows: Sequence[RowAnswer]

    @classmethod
    def of(cls, answers: Sequence[Answer], policy: Policy, *, dry_run: bool) -> Self:
        counts = Counter(answer.outcome for answer in answers)
        return cls(
            dry_run=dry_run,
            counts={outcome: counts[outcome] for outcome in Outcome if counts[outcome]},
            rows=[RowAnswer.of(place, answer, policy) for place, answer in enumerate(answers)],
        )


class CandidateDecision(StrEnum):
    """What an investigator said of a candidate."""

    ACCEPTED = "accepted"
    MERGED = "merged"
    DISMISSED = "dismissed"


_DECISIONS: dict[type[Decision], CandidateDecision] = {
    AdverseEventCandidateAccepted: CandidateDecision.ACCEPTED,
    AdverseEventCandidateMerged: CandidateDecision.MERGED,
    AdverseEventCandidateDismissed: CandidateDecision.DISMISSED,
}


class CandidateOnRecord(BaseModel):
    """An episode of values that may be an adverse event, and what was decided of it."""

    candidate_id: UUID
    participant_id: ParticipantId
    term: AdverseEventTerm
    course: CandidateCourse
    withdrawn: bool = Field(description="No value of the episode has a grade any more")
    decision: CandidateDecision | None
    adverse_event_id: UUID | None
    reason: Reason | None
    wants_a_look: bool = Field(description="Undecided, or the values changed the episode since somebody decided")

    @classmethod
    def of(cls, known: Candidate, participant_id: UUID) -> Self:
        return cls(
            candidate_id=known.candidate_id,
            participant_id=participant_id,
            term=known.term,
            course=known.course,
            withdrawn=known.withdrawn,
            decision=None if known.decision is None else _DECISIONS[type(known.decision)],
            adverse_event_id=getattr(known.decision, "adverse_event_id", None),
            reason=getattr(known.decision, "reason", None),
            wants_a_look=known.wants_a_look,
        )
