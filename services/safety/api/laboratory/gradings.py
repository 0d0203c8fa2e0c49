"""The calculator of laboratory grades: it grades what it is given, keeps nothing, and is about nobody."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.safety.api.calculators import MOST_ITEMS, ItemId
from services.safety.api.permissions import MayLookUp, SafetyDep
from services.safety.domain.lab_grading import grading, numbers
from services.safety.domain.lab_grading.bands import Direction
from services.safety.domain.lab_grading.facts import Baseline, Facts, Limits, Policy, UnreadableValue
from services.safety.domain.lab_grading.grading import ExplainedGrade
from services.safety.domain.lab_grading.numbers import Number
from services.safety.domain.lab_results.arrival_grading import policy_of
from shared.contracts.safety import MeddraCode
from shared.contracts.terms import Flag
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.kernel.errors import Unacceptable

router = make_router("/v1/gradings", "Gradings")

# Other requests get their turn after so many items.
AT_A_STRETCH = 50

SEXES = frozenset({"m", "f", "u", "male", "female", "unknown", "undifferentiated"})


Name = Annotated[str | None, Field(max_length=200)]


class LabItem(BaseModel):
    """One value to grade. Any of `term`, `analyte` and `loinc` names what was measured; null: not known.

    Limits and baseline are in the unit of the value. `<40` and `>1000` are values that could not be counted.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "1",
                    "term": None,
                    "analyte": "ALT",
                    "loinc": None,
                    "value": "120",
                    "unit": "U/L",
                    "lln": None,
                    "uln": "40",
                    "baseline": "30",
                    "baseline_abnormal": None,
                    "symptomatic": None,
                    "on_anticoagulation": None,
                    "age_years": None,
                    "sex": None,
                }
            ]
        },
    )

    id: ItemId
    term: Name = Field(None, description="A CTCAE term by name or MedDRA code: only this term is graded")
    analyte: Name = Field(None, description="CDISC test code or usual name: every term of it is graded, high and low")
    loinc: Name = None
    value: Number = None
    unit: Name = Field(None, description="UCUM or a usual spelling; INR and pH need none")
    lln: Number = Field(None, description="Lower limit of normal")
    uln: Number = Field(None, description="Upper limit of normal")
    baseline: Number = Field(None, description="The value before treatment; null for the baseline value itself")
    baseline_abnormal: Flag | None = Field(
        None, description="Whether the baseline lay beyond its own limits; null: judged by the limits given here"
    )
    symptomatic: Flag | None = None
    on_anticoagulation: Flag | None = None
    age_years: Number = None
    sex: Name = Field(None, description="M, F or U; no grade of CTCAE v5.0 depends on it")


class LabItems(BaseModel):
    """Up to 1,000 values to grade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: Annotated[tuple[LabItem, ...], Field(max_length=MOST_ITEMS)]


class LabGrade(BaseModel):
    """The grade of one term. null: cannot be graded, and the explanation says why; 0: within limits.

    `possible_grades` is what the data allow while a clinical fact is missing; `grade` is then the worst of them.
    """

    term: str
    meddra_code: MeddraCode
    direction: Direction
    grade: int | None
    possible_grades: tuple[int, ...]
    rule: str = Field(description="Edition, term, row and arm (ULN, LLN, baseline, absolute) that gave the grade")
    explanation: str

    @classmethod
    def of(cls, graded: ExplainedGrade) -> "LabGrade":
        return cls(
            term=graded.term,
            meddra_code=graded.meddra_code,
            direction=graded.direction,
            grade=graded.grade,
            possible_grades=graded.possible_grades,
            rule=graded.rule,
            explanation=graded.explanation,
        )


class GradedLabItem(BaseModel):
    """The grades of one item, or why it could not be read and what to send instead."""

    id: ItemId
    grades: Sequence[LabGrade]
    refused: str | None


class GradedLabItems(BaseModel):
    """The answers, in the order of the items."""

    items: Sequence[GradedLabItem]


@router.post("/lab", responses=problems.of())
async def grade_laboratory_values(asked: LabItems, _: MayLookUp, safety: SafetyDep) -> GradedLabItems:
    """Grade laboratory values by CTCAE 5.0, each grade explained. Nothing is recorded.

    An item that cannot be read is refused with the reason; the others are answered.
    """
    answers: list[GradedLabItem] = []
    policy = policy_of(safety.protocol)
    for start in range(0, len(asked.items), AT_A_STRETCH):
        answers += [_answer(item, policy) for item in asked.items[start : start + AT_A_STRETCH]]
        await asyncio.sleep(0)
    return GradedLabItems(items=answers)


def _answer(item: LabItem, policy: Policy) -> GradedLabItem:
    try:
        grades = _grades(item, policy)
    except Unacceptable as refusal:
        return GradedLabItem(id=item.id, grades=[], refused=str(refusal))
    return GradedLabItem(id=item.id, grades=[LabGrade.of(graded) for graded in grades], refused=None)


def _grades(item: LabItem, policy: Policy) -> list[ExplainedGrade]:
    what = grading.asked(term=item.term, analyte=item.analyte, loinc=item.loinc, unit=item.unit)
    if item.sex is not None and item.sex.casefold() not in SEXES:
        raise UnreadableValue("sex is M, F, U or null")
    return grading.grade(
        what,
        numbers.measured(item.value, item.unit),
        Limits(numbers.plain("lln", item.lln), numbers.plain("uln", item.uln)),
        Baseline(numbers.plain("baseline", item.baseline), item.baseline_abnormal),
        Facts(item.symptomatic, item.on_anticoagulation, numbers.plain("age_years", item.age_years)),
        policy,
    )
