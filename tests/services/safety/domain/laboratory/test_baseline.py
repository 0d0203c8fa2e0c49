"""Which value is the baseline, and what it is held against."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.safety.domain.laboratory import baseline, grading
from services.safety.domain.laboratory.analytes import by_key
from services.safety.domain.laboratory.baseline import Beginning, Dated
from services.safety.domain.laboratory.facts import (
    NO_BASELINE,
    Baseline,
    Facts,
    Limits,
    Measured,
    Qualifier,
    UnreadableValue,
)
from shared.protocol.safety import GradingBaseline

INFUSED = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
BEGAN = Beginning(lymphodepletion=INFUSED - timedelta(days=5), infusion=INFUSED)
BEFORE_LYMPHODEPLETION = GradingBaseline.LAST_BEFORE_LYMPHODEPLETION
BEFORE_INFUSION = GradingBaseline.LAST_BEFORE_INFUSION


def an_alt(day: float, value: str = "60", *, uln: str | None = "40", unit: str = "U/L", **changed: object) -> Dated:
    limits = Limits(uln=None if uln is None else Decimal(uln))
    fields = {"id": f"day {day}", "taken_at": INFUSED + timedelta(days=day), "limits": limits}
    return Dated(**{"measured": Measured(Decimal(value), unit), **fields, **changed})  # type: ignore[arg-type]


SERIES = [an_alt(-10), an_alt(-6), an_alt(-3), an_alt(-1), an_alt(0), an_alt(7)]


@pytest.mark.parametrize(
    ("rule", "began", "chosen"),
    [
        (BEFORE_LYMPHODEPLETION, BEGAN, "day -6"),
        (BEFORE_INFUSION, BEGAN, "day -1"),
        (BEFORE_LYMPHODEPLETION, Beginning(None, INFUSED), "day -1"),
        (BEFORE_INFUSION, Beginning(BEGAN.lymphodepletion, None), None),
        (BEFORE_LYMPHODEPLETION, Beginning(BEGAN.lymphodepletion, None), "day -6"),
        (BEFORE_INFUSION, Beginning(INFUSED, INFUSED - timedelta(days=30)), None),
    ],
)
def test_the_last_value_before_treatment_is_the_baseline(
    rule: GradingBaseline, began: Beginning, chosen: str | None
) -> None:
    for order in (SERIES, SERIES[::-1]):
        found = baseline.choose(order, began, rule)
        assert (None if found is None else found.id) == chosen


def test_a_cancelled_value_and_a_bound_are_no_baseline() -> None:
    bound = Measured(Decimal(5), "U/L", Qualifier.BELOW)
    values = [an_alt(-3), an_alt(-2, valid=False), an_alt(-1, measured=bound)]
    found = baseline.choose(values, BEGAN, BEFORE_INFUSION)
    assert found is not None
    assert found.id == "day -3"


def test_an_abnormal_baseline_is_graded_by_its_limits_and_never_against_itself() -> None:
    chosen = an_alt(-1, "60")
    assert baseline.for_grading(chosen, chosen, by_key("ALT")) == NO_BASELINE
    asked = grading.asked(analyte="ALT")
    of_itself = grading.grade(
        asked, chosen.measured, chosen.limits, baseline.for_grading(chosen, chosen, asked.analyte)
    )
    assert of_itself[0].grade == 1


def test_values_before_the_baseline_and_without_one_have_none() -> None:
    chosen = an_alt(-1)
    assert baseline.for_grading(an_alt(-3), chosen, by_key("ALT")) == NO_BASELINE
    assert baseline.for_grading(an_alt(7), None, by_key("ALT")) == NO_BASELINE


def test_a_baseline_is_judged_by_the_limits_of_its_own_day() -> None:
    """The laboratory changed its range: 60 was abnormal above 40 and stays so where the limit is now 70."""
    later = an_alt(7, "95", uln="70")
    held_against = baseline.for_grading(later, an_alt(-1, "60"), by_key("ALT"))
    assert held_against == Baseline(Decimal(60), True)
    assert baseline.for_grading(later, an_alt(-1, "60", uln=None), by_key("ALT")) == Baseline(Decimal(60), None)
    assert baseline.for_grading(later, an_alt(-1, "40"), by_key("ALT")) == Baseline(Decimal(40), False)


@pytest.mark.parametrize(
    ("value", "lln", "abnormal"), [("190", "200", True), ("200", "200", False), ("190", None, None)]
)
def test_a_fibrinogen_is_abnormal_below_its_lower_limit(value: str, lln: str | None, abnormal: bool | None) -> None:
    limits = Limits(lln=None if lln is None else Decimal(lln))
    chosen = an_alt(-1, limits=limits, measured=Measured(Decimal(value), "mg/dL"))
    graded = an_alt(7, measured=Measured(Decimal(1), "g/L"))
    assert baseline.for_grading(graded, chosen, by_key("FIBRINO")) == Baseline(Decimal(value) / 100, abnormal)


@pytest.mark.parametrize(
    ("unit", "value"),
    [("mg/dL", "1"), ("mg/L", "10"), ("umol/L", "88.4"), ("U/L", None), ("furlong", None), (None, None)],
)
def test_a_baseline_comes_in_the_unit_of_the_value_or_not_at_all(unit: str | None, value: str | None) -> None:
    chosen = an_alt(-1, measured=Measured(Decimal(1), "mg/dL"))
    graded = an_alt(7, measured=Measured(Decimal(2), unit))
    found = baseline.for_grading(graded, chosen, by_key("CREAT")).value
    assert found == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Measured(Decimal(-1), "U/L"),
        lambda: Measured(Decimal("NaN"), "U/L"),
        lambda: Measured(Decimal(0), "U/L", Qualifier.BELOW),
        lambda: Limits(uln=Decimal(0)),
        lambda: Limits(lln=Decimal(-1)),
        lambda: Limits(lln=Decimal(5), uln=Decimal(4)),
        lambda: Baseline(Decimal(-1)),
        lambda: Facts(age_years=Decimal(131)),
    ],
)
def test_what_no_measurement_can_be_is_refused(make: object) -> None:
    with pytest.raises(UnreadableValue):
        make()  # type: ignore[operator]
