"""Asking for grades in one line: numbers as texts, everything else not known."""

from decimal import Decimal
from typing import Any

from services.safety.domain.lab_grading import grading
from services.safety.domain.lab_grading.facts import DEFAULT, Baseline, Facts, Limits, Measured, Policy, Qualifier
from services.safety.domain.lab_grading.grading import ExplainedGrade


def a_number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def graded(
    analyte: str | None,
    value: str,
    unit: str | None = None,
    *,
    term: str | None = None,
    lln: str | None = None,
    uln: str | None = None,
    baseline: str | None = None,
    abnormal: bool | None = None,
    policy: Policy = DEFAULT,
    **facts: Any,
) -> dict[str, ExplainedGrade]:
    """The grades by their direction; `<40` and the like are read as bounds."""
    digits = value.lstrip("<>=")
    qualifier = Qualifier(value[: -len(digits)]) if digits != value else None
    asked = grading.asked(analyte=analyte, term=term, unit=unit)
    found = grading.grade(
        asked,
        Measured(Decimal(digits), unit, qualifier),
        Limits(a_number(lln), a_number(uln)),
        Baseline(a_number(baseline), abnormal),
        Facts(**facts),
        policy,
    )
    return {each.direction.value: each for each in found}


def high(analyte: str | None, value: str, unit: str | None = None, **given: Any) -> ExplainedGrade:
    return graded(analyte, value, unit, **given)["high"]


def low(analyte: str | None, value: str, unit: str | None = None, **given: Any) -> ExplainedGrade:
    return graded(analyte, value, unit, **given)["low"]
