"""How lesions, assessments and responses read: folded from their stream, once, into what is answered."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.efficacy.domain import burden
from shared.contracts.efficacy import ResponseAssigned
from shared.contracts.efficacy_terms import (
    Criteria,
    Evaluator,
    Findings,
    LesionDescription,
    Response,
    ResponseBasis,
    ResponseOf,
    Rule,
    SupportiveResponse,
)
from shared.contracts.terms import PartialDate, ParticipantId, ProtocolRef, Reason, SiteId


class Lesion(LesionDescription):
    """A lesion known at baseline. A retracted one no longer counts."""

    lesion_id: UUID
    retracted: bool

    @classmethod
    def of(cls, lesion_id: UUID, lesion: burden.Lesion) -> Self:
        return cls(**dict(lesion.described), lesion_id=lesion_id, retracted=lesion.retracted)


class Override(BaseModel):
    """A reader's own judgement, and what the criteria had said when it was made."""

    response: Response
    assigned: Response
    reason: Reason
    basis_changed: bool = Field(description="The assigned response or its numbers changed since: look again")


class AssessmentResponse(BaseModel):
    """The response to one assessment: `response` counts; what the criteria assigned always stays beside it."""

    response: Response
    criteria: Criteria
    assigned: Response
    rule: Rule
    explanation: str
    would_change: tuple[str, ...]
    basis: ResponseBasis
    protocol: ProtocolRef
    override: Override | None
    supportive: tuple[SupportiveResponse, ...] = Field(description="What the other sets make of the same measurements")

    @classmethod
    def of(cls, assessment: burden.Assessment, assigned: ResponseAssigned) -> Self:
        override, beside = assessment.override, assessment.supportive
        return cls(
            response=assigned.response if override is None else override.response,
            criteria=assigned.criteria,
            assigned=assigned.response,
            rule=assigned.rule,
            explanation=assigned.explanation,
            would_change=assigned.would_change,
            basis=assigned.basis,
            protocol=assigned.protocol,
            override=None if override is None else _override(override),
            supportive=() if beside is None else beside.responses,
        )


class ReportedResponse(BaseModel):
    """A response that somebody stated, beside what the same set of criteria makes of the measurements."""

    of: ResponseOf
    criteria: Criteria
    response: Response
    stated_on: PartialDate | None
    computed: Response | None = Field(description="null: of a part alone, or the set was not asked or covers no such")
    agrees: bool | None = Field(description="null: there is nothing computed to compare it with")

    @classmethod
    def of_assessment(cls, assessment: burden.Assessment) -> tuple[Self, ...]:
        return tuple(
            cls(
                of=each.of,
                criteria=each.criteria,
                response=each.response,
                stated_on=each.stated_on,
                computed=(computed := assessment.computed(each.criteria) if each.of is ResponseOf.OVERALL else None),
                agrees=None if computed is None else computed is each.response,
            )
            for _, each in sorted(assessment.reported.items())
        )


class Assessment(Findings):
    """One assessment as it stands. The baseline and a retracted one have no response."""

    assessment_id: UUID
    evaluator: Evaluator
    baseline: bool
    retracted: bool
    response: AssessmentResponse | None
    reported: tuple[ReportedResponse, ...] = Field(description="What was stated of it; replaces no response")

    @classmethod
    def of(cls, assessment_id: UUID, assessment: burden.Assessment) -> Self:
        assigned = None if assessment.retracted else assessment.assigned
        return cls(
            **dict(assessment.findings),
            assessment_id=assessment_id,
            evaluator=assessment.evaluator,
            baseline=assessment.baseline,
            retracted=assessment.retracted,
            response=None if assigned is None else AssessmentResponse.of(assessment, assigned),
            reported=ReportedResponse.of_assessment(assessment),
        )


class TumourBurden(BaseModel):
    """All that the investigator has on record of one participant's tumour. Assessments are in order of time."""

    participant_id: ParticipantId
    site_id: SiteId
    lesions: tuple[Lesion, ...]
    assessments: tuple[Assessment, ...]

    @classmethod
    def of(cls, state: burden.TumourBurden, *, participant_id: UUID, site_id: str) -> Self:
        return cls(
            participant_id=participant_id,
            site_id=site_id,
            lesions=tuple(Lesion.of(*each) for each in state.lesions.items()),
            assessments=tuple(Assessment.of(*each) for each in state.in_order_of_time),
        )


def _override(override: burden.Override) -> Override:
    return Override(
        response=override.response,
        assigned=override.assigned,
        reason=override.reason,
        basis_changed=override.basis_changed,
    )
