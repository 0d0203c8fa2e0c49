"""Intervals of a proportion, against published examples and against the formulas written another way."""

from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from shared.statistics.proportions import IntervalMethod, interval


# Newcombe, Two-sided confidence intervals for the single proportion, Stat Med 1998;17:857, table I (methods 3 and 5).
@pytest.mark.parametrize(
    ("successes", "trials", "exact", "wilson"),
    [
        (81, 263, (0.2527, 0.3676), (0.2553, 0.3662)),
        (15, 148, (0.0578, 0.1617), (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1684), (0.0, 0.1611)),
        (1, 29, (0.0009, 0.1776), (0.0061, 0.1718)),
    ],
)
def test_published_examples(
    successes: int, trials: int, exact: tuple[float, float], wilson: tuple[float, float]
) -> None:
    for method, printed in ((IntervalMethod.CLOPPER_PEARSON, exact), (IntervalMethod.WILSON, wilson)):
        found = interval(successes, trials, method)
        assert (round(found.lower, 4), round(found.upper, 4)) == pytest.approx(printed, abs=1e-9)


counts = st.integers(1, 200).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@settings(max_examples=100, deadline=None)
@given(counts)
def test_both_hold_the_estimate_and_stay_between_0_and_1(told: tuple[int, int]) -> None:
    successes, trials = told
    for method in IntervalMethod:
        found = interval(successes, trials, method)
        assert 0 <= found.lower <= successes / trials + 1e-12
        assert successes / trials - 1e-12 <= found.upper <= 1


@settings(max_examples=100, deadline=None)
@given(counts)
def test_the_exact_limits_are_quantiles_of_beta_distributions(told: tuple[int, int]) -> None:
    successes, trials = told
    found = interval(successes, trials, IntervalMethod.CLOPPER_PEARSON)
    lower = 0.0 if successes == 0 else betaincinv(successes, trials - successes + 1, 0.025)
    upper = 1.0 if successes == trials else betaincinv(successes + 1, trials - successes, 0.975)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(counts)
def test_wilsons_limits_solve_its_equation(told: tuple[int, int]) -> None:
    """(p - P)^2 = z^2 P (1 - P) / n at both limits P."""
    successes, trials = told
    share, z = successes / trials, NormalDist().inv_cdf(0.975)
    found = interval(successes, trials, IntervalMethod.WILSON)
    for limit in (found.lower, found.upper):
        assert abs(share - limit) == pytest.approx(z * sqrt(max(limit * (1 - limit), 0) / trials), abs=1e-9)
