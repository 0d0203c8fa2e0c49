"""Statistics of censored values: by hand, against the curve of others, and what holds of all."""

import warnings
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.statistics.censored import Estimate, Measurement, Method, NoEstimate, distribution, geometric_mean, median


def measured(text: str) -> list[Measurement]:
    """`<2 40 >900`; `<?` is below a limit that nobody told."""
    return [
        Measurement(
            None if each.endswith("?") else Decimal(each.strip("<>")),
            "<" if each[0] == "<" else ">" if each[0] == ">" else None,
        )
        for each in text.split()
    ]


def text(found: Estimate) -> str:
    return f"{found.beyond or ''}{found.number}"


@pytest.mark.parametrize(
    ("told", "middle", "mean"),
    [
        ("1 2 4", "2", "2"),
        ("4 1", "2.5", "2"),
        ("7", "7", "7"),
        ("<2 40 50", "40", "<15.874"),  # 4000 to the third
        ("<2 40", "<21", "<8.94427"),  # between below 2 and 40
        ("<2 <2 40", "<2", "<5.42884"),
        ("<1 <2 <3 <4 40", "<3", "<3.9487"),  # the middle one lies below 3
        ("<2 <3", "<2.5", "<2.44949"),
        ("<10 3 5 20 <4", "3", "5.02415"),  # masses: 20 1/5, 5 4/15, 3 8/15; nothing is left below 3
        ("<3 3", "<3", "<3"),  # a value of the size of a limit lies above it
        ("1 >5 2", "2", ">2.15443"),
        (">5 >9", ">7", ">6.7082"),
        ("3 3 >3", "3", ">3"),
    ],
)
def test_median_and_geometric_mean_by_hand(told: str, middle: str, mean: str) -> None:
    values = measured(told)
    assert (text(median(values)), text(geometric_mean(values))) == (middle, mean)
    method = Method.KAPLAN_MEIER if any(each.beyond for each in values) else Method.PLAIN
    assert {median(values).method, geometric_mean(values).method} == {method}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("", NoEstimate.NOTHING_MEASURED),
        ("<2 3 >9", NoEstimate.CENSORED_ON_BOTH_SIDES),
        ("<? 3", NoEstimate.LIMIT_UNKNOWN),
    ],
)
def test_what_cannot_be_had_has_its_reason(told: str, why: NoEstimate) -> None:
    for found in (median(measured(told)), geometric_mean(measured(told))):
        assert (found.number, found.missing) == (None, why)


def test_a_geometric_mean_is_of_positive_numbers() -> None:
    assert geometric_mean(measured("0 3")).missing is NoEstimate.NOT_POSITIVE
    assert median(measured("0 3")).number == Decimal("1.5")


def test_no_value_is_replaced_by_a_number() -> None:
    """Half a limit in its place would give a geometric mean of 6.3 and say nothing of it."""
    found = geometric_mean(measured("<2 40"))
    assert (found.beyond, found.method) == ("<", Method.KAPLAN_MEIER)


NUMBERS = st.integers(1, 30).map(Decimal)
LEFT = st.lists(st.builds(Measurement, NUMBERS, st.sampled_from(["<", None])), min_size=1)
RIGHT = st.lists(st.builds(Measurement, NUMBERS, st.sampled_from([">", None])), min_size=1)


@given(LEFT | RIGHT, st.randoms(use_true_random=False))
def test_the_order_of_values_never_matters(told: list[Measurement], random: Random) -> None:
    other = random.sample(told, len(told))
    assert (median(told), geometric_mean(told)) == (median(other), geometric_mean(other))


@given(LEFT | RIGHT, st.sampled_from([Decimal("0.001"), Decimal(1000)]))
def test_another_unit_changes_nothing_but_the_number(told: list[Measurement], factor: Decimal) -> None:
    other = [Measurement(each.number * factor, each.beyond) for each in told if each.number is not None]
    for statistic in (median, geometric_mean):
        here, there = statistic(told), statistic(other)
        assert here.number is not None
        assert (here.number * factor, here.beyond, here.method) == (there.number, there.beyond, there.method)


@given(LEFT)
def test_the_masses_are_those_of_everybody(told: list[Measurement]) -> None:
    atoms = distribution(told)
    assert sum(atom.mass for atom in atoms) == 1
    assert all(atom.mass > 0 for atom in atoms)


@given(st.lists(NUMBERS, min_size=1))
def test_without_limits_the_median_is_the_usual_one(numbers: list[Decimal]) -> None:
    ordered = sorted(numbers)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    assert median([Measurement(each) for each in numbers]) == Estimate(Method.PLAIN, middle)


@settings(max_examples=25, deadline=None)
@given(LEFT)
def test_the_distribution_is_that_of_lifelines(told: list[Measurement]) -> None:
    """Left-censored, fitted by another's code: the mass at and below each quantified value."""
    from lifelines import KaplanMeierFitter

    quantified = [each for each in told if each.beyond is None]
    if not quantified:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = KaplanMeierFitter().fit_left_censoring(
            [float(each.number or 0) for each in told], [each.beyond is None for each in told]
        )
    curve = fitted.cumulative_density_.iloc[:, 0]
    atoms = distribution(told)
    for number in {each.number for each in quantified if each.number is not None}:
        below = sum((atom.mass for atom in atoms if atom.number <= number), Fraction(0))
        assert float(below) == pytest.approx(float(curve.loc[float(number)]), abs=1e-9)
