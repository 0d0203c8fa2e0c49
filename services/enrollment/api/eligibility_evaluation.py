"""A calculator of eligibility: it answers the protocol's criteria from the findings it is given, and keeps nothing."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from services.enrollment.api.permissions import EnrollmentDep
from services.enrollment.domain.criteria.comparing import Qualifier
from services.enrollment.domain.criteria.evaluation import CriterionEvaluated, FindingsContradict, evaluate
from services.enrollment.domain.criteria.findings import Finding, PassedOver
from services.enrollment.domain.criteria.person import Person
from services.enrollment.domain.criteria.reasons import Reason
from services.enrollment.domain.criteria.wording import asked, explained, shown
from shared.auth.permissions import ReadsTrialData
from shared.contracts.enrollment_terms import Answer, CriterionCategory, Eligibility, Sex
from shared.contracts.terms import BirthMonth, Day, ProtocolRef
from shared.http import problems
from shared.http.service_app import router as make_router

router = make_router("/v1/evaluations", "evaluations")

MOST_FINDINGS = 500

Shown = Annotated[
    Decimal,
    PlainSerializer(lambda number: format(number, "f"), return_type=str, when_used="json"),
    Field(description="A decimal, as a string, with at most 15 significant digits", examples=["1.55"]),
]


class AskedEligibility(BaseModel):
    """What is known of a child on a day. Who is meant is not told: nothing is kept."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "as_of": "2026-03-06",
                    "birth_month": "2017-03",
                    "sex": "F",
                    "findings": [
                        {
                            "finding_id": "f1",
                            "analyte": "AST",
                            "number": "62",
                            "unit": "U/L",
                            "upper_limit_of_normal": "40",
                            "observed_on": "2026-03-04",
                        },
                        {"finding_id": "f2", "quantity": "measurable_disease", "flag": True},
                        {
                            "finding_id": "f3",
                            "quantity": "pregnancy_test",
                            "choice": "NEGATIVE",
                            "observed_on": "2026-03-04",
                        },
                    ],
                }
            ]
        },
    )

    as_of: Annotated[Day, Field(description="The day that eligibility is asked for; no finding is later")]
    birth_month: BirthMonth | None = None
    sex: Sex = Field(Sex.UNKNOWN, description="U: not known")
    findings: Annotated[tuple[Finding, ...], Field(max_length=MOST_FINDINGS)] = ()


class EvidenceUsed(BaseModel):
    """The finding that an answer rests on. `value`: as it was compared, in the criterion's unit."""

    finding_id: str
    observed_on: date | None
    qualifier: Qualifier | None
    value: Shown | None
    choice: str | None
    flag: bool | None


class FindingPassedOver(BaseModel):
    """A finding of the criterion's quantity that did not count. `why` null: there is a newer one."""

    finding_id: str
    why: Reason | None

    @classmethod
    def of(cls, passed_over: PassedOver) -> Self:
        return cls(finding_id=passed_over.finding.finding_id, why=passed_over.why)


class CriterionAnswered(BaseModel):
    """One criterion, and its answer, said of what eligibility asks: an exclusion is met where it is absent."""

    criterion_id: str
    category: CriterionCategory
    quantity: str = Field(description="The key of its text, as findings name it")
    label: str
    asked: str = Field(description="The threshold in words")
    unit: str | None
    answer: Answer
    why: Reason
    counts: bool = Field(description="false: the protocol lets it keep nobody out")
    explanation: str
    evidence: tuple[EvidenceUsed, ...] = Field(description="Of one day; several where they are tied")
    passed_over: tuple[FindingPassedOver, ...]

    @classmethod
    def of(cls, found: CriterionEvaluated) -> Self:
        criterion, weighed = found.criterion, found.weighed
        return cls(
            criterion_id=criterion.id,
            category=CriterionCategory(criterion.type.value),
            quantity=criterion.quantity,
            label=criterion.label,
            asked=asked(criterion),
            unit=criterion.unit,
            answer=found.answer,
            why=weighed.answered.why,
            counts=found.counts,
            explanation=explained(found),
            evidence=tuple(
                EvidenceUsed(
                    finding_id=each.finding_id,
                    observed_on=each.observed_on,
                    qualifier=each.qualifier,
                    value=None if answered.value is None else shown(answered.value),
                    choice=each.choice,
                    flag=each.flag,
                )
                for each, answered in weighed.counted
            ),
            passed_over=tuple(FindingPassedOver.of(each) for each in weighed.passed_over),
        )


class EvaluatedEligibility(BaseModel):
    """The protocol's criteria in their order. `outcome`: one that is not met decides; else one that is open does."""

    protocol: ProtocolRef
    protocol_sha256: str = Field(description="Of the protocol's content: the version of its criteria")
    as_of: date
    outcome: Eligibility
    criteria: tuple[CriterionAnswered, ...]
    unused: tuple[str, ...] = Field(description="Findings that no criterion asks for")


@router.post("/eligibility", responses=problems.of(FindingsContradict))
async def evaluate_eligibility(
    asked: AskedEligibility, enrollment: EnrollmentDep, _: ReadsTrialData
) -> EvaluatedEligibility:
    """Answer every eligibility criterion of the protocol from findings. Nothing is recorded.

    The newest valid finding counts. What is missing, too old or in a unit that does not convert is not evaluable, and
    never met.
    """
    protocol = enrollment.protocol
    found = evaluate(Person(asked.sex, asked.birth_month), asked.findings, asked.as_of, protocol)
    return EvaluatedEligibility(
        protocol=protocol.ref,
        protocol_sha256=protocol.sha256,
        as_of=asked.as_of,
        outcome=found.outcome,
        criteria=tuple(CriterionAnswered.of(each) for each in found.criteria),
        unused=found.unused,
    )
