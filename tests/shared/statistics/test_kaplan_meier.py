"""Kaplan-Meier against what R prints, against two other implementations, and what holds of every curve."""

import warnings
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from shared.statistics.kaplan_meier import Curve, Limits, LimitsBy, Median, Observation, kaplan_meier


def observed(text: str) -> list[Observation]:
    """`9 13+`: an event at 9, censored at 13."""
    return [Observation(float(each.rstrip("+")), not each.endswith("+")) for each in text.split()]


# Acute myelogenous leukaemia, maintained chemotherapy or not: `aml` of R's package survival (Miller 1981, page 49).
MAINTAINED = observed("9 13 13+ 18 23 28+ 31 34 45+ 48 161+")
NOT_MAINTAINED = observed("5 5 8 8 12 16+ 23 27 30 33 43 45")
# Remission in acute leukaemia under 6-mercaptopurine and under placebo (Freireich 1963, in Kalbfleisch and Prentice).
MERCAPTOPURINE = observed("6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+")
PLACEBO = observed("1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23")


def printed(curve: Curve) -> list[tuple[float, int, int, float, float, float]]:
    """As `summary(survfit(...))` prints: time, n.risk, n.event, survival, limits on the log scale."""
    lines = []
    for step in curve.steps:
        limits = step.limits(LimitsBy.LOG)
        if step.events and limits is not None:
            told = (step.time, step.at_risk, step.events)
            lines.append((*told, round(step.survival, 3), round(limits.lower, 4), round(limits.upper, 3)))
    return lines


def test_the_curve_of_those_with_maintenance_is_as_r_prints_it() -> None:
    assert printed(kaplan_meier(MAINTAINED)) == [
        (9, 11, 1, 0.909, 0.7541, 1.000),
        (13, 10, 1, 0.818, 0.6192, 1.000),
        (18, 8, 1, 0.716, 0.4884, 1.000),
        (23, 7, 1, 0.614, 0.3769, 0.999),
        (31, 5, 1, 0.491, 0.2549, 0.946),
        (34, 4, 1, 0.368, 0.1549, 0.875),
        (48, 2, 1, 0.184, 0.0359, 0.944),
    ]


@pytest.mark.parametrize(
    ("told", "median"),
    [
        (MAINTAINED, Median(31, 18, None)),
        (NOT_MAINTAINED, Median(23, 8, None)),
        (MERCAPTOPURINE, Median(23, 16, None)),
        (PLACEBO, Median(8, 4, 12)),
    ],
)
def test_the_median_and_its_interval_are_as_r_prints_them(told: list[Observation], median: Median) -> None:
    """R's default is the log scale: `print(survfit(...))`."""
    assert kaplan_meier(told).median(LimitsBy.LOG) == median


def test_the_published_curve_under_mercaptopurine() -> None:
    heights = [round(step.survival, 3) for step in kaplan_meier(MERCAPTOPURINE).steps if step.events]
    assert heights == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]


@pytest.mark.parametrize(
    ("told", "median"),
    [
        ("1 2 3 4", 2.5),  # the curve lies at one half from 2 to 3
        ("1 2 3+ 4+", 2),  # it lies there for ever: from when on
        ("1 2 3 4+", 2.5),
        ("1 2 3", 2),
        ("1 2+ 3+", None),
        ("1+", None),
        ("0 0", 0),
    ],
)
def test_the_median_where_the_curve_lies_at_one_half(told: str, median: float | None) -> None:
    assert kaplan_meier(observed(told)).median(LimitsBy.LOG_LOG).time == median


def test_of_nobody_there_is_a_curve_without_steps() -> None:
    curve = kaplan_meier([])
    assert (curve.steps, curve.median(LimitsBy.PLAIN)) == ((), Median(None, None, None))
    assert (curve.at_risk(0), curve.survival_at(10)) == (0, None)


def test_where_the_formula_has_no_limits_there_are_none() -> None:
    first, last = kaplan_meier(observed("1+ 2")).steps
    assert (first.survival, first.limits(LimitsBy.LOG_LOG), first.limits(LimitsBy.LOG)) == (1, None, Limits(1, 1))
    assert [last.limits(by) for by in LimitsBy] == [None, None, None]


def test_events_come_before_those_censored_at_the_same_time() -> None:
    (step,) = kaplan_meier(observed("5 5+")).steps
    assert (step.at_risk, step.events, step.censored, step.survival) == (2, 1, 1, 0.5)


@pytest.mark.parametrize(("time", "at_risk", "survival"), [(0, 3, None), (2, 3, 2 / 3), (3, 2, 2 / 3), (9, 0, 0)])
def test_what_holds_at_a_time(time: float, at_risk: int, survival: float | None) -> None:
    curve = kaplan_meier(observed("2 4+ 8"))
    step = curve.survival_at(time)
    assert curve.at_risk(time) == at_risk
    assert (step and step.survival) == pytest.approx(survival)


observations = st.lists(st.builds(Observation, st.integers(0, 40).map(float), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(observations)
def test_the_curve_never_rises_and_its_limits_hold_it(told: list[Observation]) -> None:
    curve = kaplan_meier(told)
    assert all(later.survival <= earlier.survival for earlier, later in pairwise(curve.steps))
    for step in curve.steps:
        assert 0 <= step.survival <= 1
        for by in LimitsBy:
            limits = step.limits(by)
            assert limits is None or 0 <= limits.lower <= step.survival + 1e-12 <= limits.upper + 2e-12 <= 1 + 2e-12


@settings(max_examples=100, deadline=None)
@given(observations)
def test_nobody_is_lost_from_the_count(told: list[Observation]) -> None:
    curve = kaplan_meier(told)
    assert curve.at_risk(0) == len(told)
    assert sum(step.events + step.censored for step in curve.steps) == len(told)
    for step in curve.steps:
        assert step.at_risk == sum(each.time >= step.time for each in told)


@settings(max_examples=100, deadline=None)
@given(observations.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_the_order_of_participants_never_matters(told: tuple[list[Observation], list[Observation]]) -> None:
    assert kaplan_meier(told[0]) == kaplan_meier(told[1])


@settings(max_examples=100, deadline=None)
@given(observations, st.floats(0.5, 0.99), st.floats(0.001, 0.4))
def test_more_confidence_never_narrows_the_limits(told: list[Observation], confidence: float, less: float) -> None:
    for step in kaplan_meier(told).steps:
        for by in LimitsBy:
            wide, narrow = step.limits(by, confidence), step.limits(by, confidence - less)
            if wide is not None and narrow is not None:
                assert wide.lower <= narrow.lower + 1e-12
                assert narrow.upper <= wide.upper + 1e-12


@settings(max_examples=100, deadline=None)
@given(observations)
def test_the_limits_are_those_of_scipy_where_it_has_them(told: list[Observation]) -> None:
    data = CensoredData(
        uncensored=[each.time for each in told if each.event], right=[each.time for each in told if not each.event]
    )
    survival = ecdf(data).sf
    for by, method in ((LimitsBy.LOG_LOG, "log-log"), (LimitsBy.PLAIN, "linear")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # that it is undefined at some times
            theirs = survival.confidence_interval(0.95, method=method)
        for step, low, high in zip(
            kaplan_meier(told).steps, theirs.low.probabilities, theirs.high.probabilities, strict=True
        ):
            limits = step.limits(by)
            if limits is not None:
                assert (limits.lower, limits.upper) == pytest.approx((low, high), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(observations)
def test_curve_limits_and_median_are_those_of_lifelines(told: list[Observation]) -> None:
    """Lifelines knows the log-log scale alone, and takes the first time at which the curve is at one half or below."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    fitted = KaplanMeierFitter().fit([each.time for each in told], [each.event for each in told])
    theirs = fitted.confidence_interval_
    curve = kaplan_meier(told)
    for step in curve.steps:
        assert step.survival == pytest.approx(fitted.survival_function_at_times(step.time).iloc[0], abs=1e-9)
        assert step.at_risk == fitted.event_table.at_risk[step.time]
        limits = step.limits(LimitsBy.LOG_LOG)
        if limits is not None:
            assert (limits.lower, limits.upper) == pytest.approx(tuple(theirs.loc[step.time]), abs=1e-9)
    if not any(abs(step.survival - 0.5) < 1e-6 for step in curve.steps):
        median = curve.median(LimitsBy.LOG_LOG).time
        assert median_survival_times(fitted) == (float("inf") if median is None else median)
