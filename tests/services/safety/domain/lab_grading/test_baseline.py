"""Which value is the baseline, and what it is held against."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain.lab_grading import baseline, grading
from services.safety.domain.lab_grading.analytes import by_key
from services.safety.domain.lab_grading.baseline import Beginning, Dated
from services.safety.domain.lab_grading.facts import (
    NO_BASELINE,
    Baseline,
    Facts,
    Limits,
    Measured,
    Qualifier,
    UnreadableValue,
)
from shared.contracts.safety_laboratory import BaselineBasis
from shared.protocol.safety import GradingBaseline
from shared.protocol.visits import Side
from tests.services.safety.builders import BANGKOK

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
        (BEFORE_LYMPHODEPLETION, Beginning(INFUSED - timedelta(days=6), INFUSED), "day -10"),  # taken at that instant
        (BEFORE_LYMPHODEPLETION, Beginning(INFUSED - timedelta(days=6, microseconds=-1), INFUSED), "day -6"),
        (
            BEFORE_LYMPHODEPLETION,
            Beginning(INFUSED + timedelta(hours=14), INFUSED),
            "day -1",
        ),  # the day's end, after it
        (BEFORE_LYMPHODEPLETION, Beginning(None, None), None),
    ],
)
def test_the_last_value_before_treatment_is_the_baseline(
    rule: GradingBaseline, began: Beginning, chosen: str | None
) -> None:
    for order in (SERIES, SERIES[::-1]):
        found = baseline.choose(order, began, rule)
        assert (None if found is None else found.id) == chosen


@pytest.mark.parametrize(
    ("rule", "began", "basis"),
    [
        (BEFORE_LYMPHODEPLETION, BEGAN, BaselineBasis.LYMPHODEPLETION),
        (BEFORE_LYMPHODEPLETION, Beginning(BEGAN.lymphodepletion, None), BaselineBasis.LYMPHODEPLETION),
        (BEFORE_LYMPHODEPLETION, Beginning(None, INFUSED), BaselineBasis.INFUSION_ALONE),
        (BEFORE_LYMPHODEPLETION, Beginning(None, None), BaselineBasis.INFUSION_ALONE),
        (BEFORE_INFUSION, BEGAN, BaselineBasis.INFUSION),
        (BEFORE_INFUSION, Beginning(None, INFUSED), BaselineBasis.INFUSION),
    ],
)
def test_it_is_told_what_the_baseline_lies_before(
    rule: GradingBaseline, began: Beginning, basis: BaselineBasis
) -> None:
    assert began.basis(rule) is basis


FIRST_DAY = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("side", "first_dose_at", "taken", "before"),
    [  # what is taken on the first day of lymphodepletion, in Bangkok
        (Side.BEFORE, None, "09T00:00:00", True),
        (Side.BEFORE, None, "09T23:59:59", True),
        (Side.BEFORE, None, "10T00:00:00", False),
        (Side.AFTER, None, "08T23:59:59", True),
        (Side.AFTER, None, "09T00:00:00", False),
        (Side.BEFORE, "09T08:30:00", "09T08:29:59", True),
        (Side.BEFORE, "09T08:30:00", "09T08:30:00", False),
        (Side.AFTER, "09T08:30:00", "09T08:29:59", True),  # the hour is known: the setting says nothing
        (Side.AFTER, "09T08:30:00", "09T08:30:00", False),
    ],
)
def test_a_value_of_the_first_day(side: Side, first_dose_at: str | None, taken: str, before: bool) -> None:
    at = None if first_dose_at is None else _in_bangkok(first_dose_at)
    began = Beginning(baseline.first_dose(FIRST_DAY, at, BANGKOK, side), INFUSED)
    value = an_alt(-5, taken_at=_in_bangkok(taken))
    assert (baseline.choose([value], began, BEFORE_LYMPHODEPLETION) == value) is before


def _in_bangkok(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=BANGKOK)


def test_the_first_day_is_the_sites() -> None:
    ends = baseline.first_dose(FIRST_DAY, None, BANGKOK, Side.BEFORE)
    assert ends == datetime.combine(date(2026, 3, 9), time(17), UTC)


HOURS = st.integers(-400, 400).map(lambda hours: INFUSED + timedelta(hours=hours))
VALUES = st.lists(
    st.builds(
        lambda at, number, usable: an_alt(0, id=str(number), taken_at=at, valid=usable),
        HOURS,
        st.integers(0, 9),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)
BEGINNINGS = st.builds(Beginning, st.none() | HOURS, st.none() | HOURS)


@given(VALUES, BEGINNINGS, st.sampled_from(GradingBaseline))
def test_whenever_treatment_began_the_baseline_is_the_last_valid_value_before_it(
    values: list[Dated], began: Beginning, rule: GradingBaseline
) -> None:
    chosen, begins = baseline.choose(values, began, rule), began.by(rule)
    valid = [each for each in values if each.valid]
    if chosen is None:
        assert begins is None or all(each.taken_at >= begins for each in valid)
        return
    assert begins is not None
    assert chosen in valid
    assert chosen.taken_at < begins
    assert not any(chosen.taken_at < each.taken_at < begins for each in valid)
    assert baseline.for_grading(chosen, chosen, by_key("ALT")) == NO_BASELINE
    assert baseline.choose(values[::-1], began, rule) == chosen


@given(VALUES, BEGINNINGS)
def test_before_lymphodepletion_is_never_later_than_before_the_infusion(values: list[Dated], began: Beginning) -> None:
    """Where the infusion is known: what is before lymphodepletion is before both."""
    early = baseline.choose(values, began, BEFORE_LYMPHODEPLETION)
    late = baseline.choose(values, began, BEFORE_INFUSION)
    if early is not None and began.infusion is not None:
        assert late is not None
        assert early.taken_at <= late.taken_at


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
