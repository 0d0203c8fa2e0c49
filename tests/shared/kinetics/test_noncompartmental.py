"""Non-compartmental kinetics: tables worked out by hand, what PKNCA prints, and what holds of every curve."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinetics.noncompartmental import KineticRule, Kinetics, kinetics
from shared.kinetics.points import BlqRule, CurveRule, Point, TwoValuesAtOneTime
from shared.protocol import AucMethod, load_protocol
from tests.shared.kinetics.hand_checked import (
    CASES,
    EXPECTED_BY_PKNCA,
    HALF_LIFE_OF_PKNCA,
    LOG_DOWN,
    PRINTED_BY_PKNCA,
    THEOPHYLLINE,
    UP_TO_12_PRINTED_BY_PKNCA,
    Case,
    points,
    rule,
)

PARAMETERS = (
    *("cmax", "tmax", "clast", "tlast", "auc_last", "auc_interval", "auc_inf"),
    *("lambda_z", "half_life", "lambda_z_points", "adjusted_r2"),
)
AREAS = ("auc_last", "auc_interval", "auc_inf")
TWELVE = Decimal("1e-12")


def same(found: Decimal | int | None, expected: Any) -> bool:
    """To twelve significant digits."""
    if found is None or expected is None:
        return found is expected
    return abs(Decimal(found) - Decimal(expected)) <= TWELVE * abs(Decimal(expected))


@pytest.mark.parametrize("case", [*CASES, *EXPECTED_BY_PKNCA], ids=lambda case: case.name)
def test_it_is_as_worked_out_by_hand(case: Case) -> None:
    found = kinetics(points(case.samples), case.settings)
    got = {name: getattr(found, name) for name in case.expected}
    assert all(same(got[name], expected) for name, expected in case.expected.items()), (got, case.expected)
    for name, words in case.reasons.items():
        assert words in found.missing[name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_is_null_has_its_reason_and_nothing_else_has(case: Case) -> None:
    found = kinetics(points(case.samples), case.settings)
    assert {name for name in PARAMETERS if getattr(found, name) is None} == found.missing.keys()


def test_the_half_life_is_that_of_pknca() -> None:
    samples, printed = HALF_LIFE_OF_PKNCA
    found = kinetics(points(samples), rule())
    assert str((found.half_life or Decimal(0)).quantize(Decimal(printed))) == printed
    assert found.lambda_z_points == 3


def test_theophylline_is_as_pknca_prints_it() -> None:
    found = kinetics(points(THEOPHYLLINE), rule(LOG_DOWN, ("0", "24")))
    shown = {name: Decimal(getattr(found, name)) for name in PRINTED_BY_PKNCA}
    assert {name: str(shown[name].quantize(Decimal(text))) for name, text in PRINTED_BY_PKNCA.items()} == (
        PRINTED_BY_PKNCA
    )
    shorter = kinetics(points(THEOPHYLLINE)[:-1], rule(LOG_DOWN, ("0", "24")))
    assert str((shorter.auc_last or Decimal(0)).quantize(Decimal("1e-6"))) == UP_TO_12_PRINTED_BY_PKNCA


@pytest.mark.parametrize(
    ("point", "quantified"),
    [
        (Point(Decimal(7), Decimal("0.1"), Decimal("0.1")), "0.1"),  # at the limit
        (Point(Decimal(7), Decimal("0.09"), Decimal("0.1")), None),
        (Point(Decimal(7), Decimal(0)), None),  # a count is never 0
        (Point(Decimal(7), Decimal("0.5"), Decimal("0.1"), below=True), None),  # reported as below, whatever number
        (Point(Decimal(7), None, Decimal("0.1")), None),
    ],
)
def test_a_value_is_quantified_from_its_limit_on(point: Point, quantified: str | None) -> None:
    assert kinetics([point], rule()).cmax == (None if quantified is None else Decimal(quantified))


def test_what_was_left_out_or_stood_for_something_is_told() -> None:
    found = kinetics(points("-1=5 0=<1 7=<1 14=8 21=<2 28=4 30=? 60=<1"), rule(between="half-lloq"))
    assert found.remarks == (
        "The curve runs from 0 to 28; areas are by linear.",
        "Below the limit before the first quantifiable one: 2, taken as 0.",
        "Below the limit between quantifiable ones: 1, taken as half the LLOQ.",
        "Below the limit after the last quantifiable one: 1, left out.",
        "Without a value: 1, left out.",
        "Before the infusion: 1, left out.",
    )
    fitted = kinetics(points("7=16 14=8 21=4 28=2"), rule())
    assert fitted.remarks == (
        "Lambda z is that of 3 points from 14 to 28.",
        "The curve runs from 0, taken as 0 before the infusion, to 28; areas are by linear.",
    )


def test_a_time_has_one_value() -> None:
    twice = kinetics(points("7=10 7.0=10.0 14=<1 14=<1.0"), rule())
    assert twice == kinetics(points("7=10 14=<1"), rule())
    for contradiction in ("7=10 7=11", "7=10 7=<1", "7=<1 7=<2"):
        with pytest.raises(TwoValuesAtOneTime):
            kinetics(points(contradiction), rule())


def test_the_protocol_says_how() -> None:
    assert KineticRule.of(load_protocol()) == KineticRule(
        auc_method=AucMethod.LINEAR_UP_LOG_DOWN,
        interval=(Decimal(0), Decimal(28)),
        blq=CurveRule(BlqRule.ZERO, BlqRule.HALF_LLOQ, predose_zero=True),
        lambda_z_points=3,
        lambda_z_adjusted_r2=Decimal("0.8"),
    )


values = st.decimals(min_value="0.01", max_value="9999", places=2)
samples = st.lists(
    st.builds(
        lambda time, value, below, limit: Point(time, value, limit, below),
        st.decimals(min_value=0, max_value=90, places=1),
        values,
        st.booleans(),
        st.one_of(st.none(), values),
    ),
    max_size=9,
    unique_by=lambda point: point.time,
)
rules = st.builds(
    rule,
    st.sampled_from(AucMethod),
    before_first=st.sampled_from(("zero", "drop", "half-lloq")),
    between=st.sampled_from(("zero", "drop", "half-lloq")),
    predose_zero=st.booleans(),
    adjusted_r2=st.sampled_from(("0", "0.8")),
)


def scaled(told: list[Point], by: Decimal) -> list[Point]:
    def times(number: Decimal | None) -> Decimal | None:
        return None if number is None else number * by

    return [replace(each, value=times(each.value), lloq=times(each.lloq)) for each in told]


@given(samples, rules, st.sampled_from(("1000", "0.001", "7")))
def test_another_unit_of_values_scales_values_and_areas_and_changes_nothing_else(
    told: list[Point], settings: KineticRule, factor: str
) -> None:
    by = Decimal(factor)
    one, other = kinetics(told, settings), kinetics(scaled(told, by), settings)
    for name in ("tmax", "tlast", "lambda_z", "half_life", "lambda_z_points", "adjusted_r2"):
        assert getattr(one, name) == getattr(other, name)
    for name in ("cmax", "clast", *AREAS):
        was = getattr(one, name)
        assert same(getattr(other, name), None if was is None else was * by)
    assert (one.missing, one.remarks) == (other.missing, other.remarks)


@given(samples, rules, st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_matter(told: list[Point], settings: KineticRule, random: Any) -> None:
    found = kinetics(told, settings)
    random.shuffle(told)
    assert kinetics(told, settings) == found


@given(samples, rules)
def test_parameters_hold_together(told: list[Point], settings: KineticRule) -> None:
    found = kinetics(told, settings)
    assert {name for name in PARAMETERS if getattr(found, name) is None} == found.missing.keys()
    if found.cmax is not None and found.clast is not None and found.tmax is not None and found.tlast is not None:
        assert found.clast <= found.cmax
        assert found.tmax <= found.tlast
    _areas_hold_together(found)
    if found.lambda_z is not None and found.half_life is not None and found.adjusted_r2 is not None:
        assert found.lambda_z > 0
        assert found.adjusted_r2 <= 1
        assert same(found.lambda_z * found.half_life, Decimal(2).ln())


def _areas_hold_together(found: Kinetics) -> None:
    assert found.auc_interval is None or found.auc_interval >= 0  # 0 where it ends before the first quantified value
    assert found.auc_last is None or found.auc_last > 0
    if found.auc_last is not None and found.auc_inf is not None:
        assert found.auc_inf > found.auc_last
    if found.auc_last is not None and found.auc_interval is not None:  # it ends no later than Tlast
        assert found.auc_interval <= found.auc_last


@given(samples, rules)
def test_linear_areas_are_never_smaller(told: list[Point], settings: KineticRule) -> None:
    """An exponential fall lies below the straight line."""
    linear, log_down = (kinetics(told, replace(settings, auc_method=method)).auc_last for method in AucMethod)
    assert (linear is None) == (log_down is None)
    assert linear is None or log_down is None or log_down <= linear
