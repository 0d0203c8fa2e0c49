"""Percentages, exact intervals, and medians of values beyond a limit."""

from decimal import Decimal
from statistics import median as plain_median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr, bdtrc

from services.projector.domain.figures import (
    UNDETERMINED,
    Value,
    confidence_interval,
    highest,
    level,
    median,
    percent,
    span,
)
from shared.statistics.proportions import IntervalMethod

EXACT = IntervalMethod.CLOPPER_PEARSON


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 3, "33.3"), (2, 3, "66.7"), (1, 8, "12.5"), (1, 16, "6.3"), (1, 2000, "0.1"), (3, 3, "100.0"), (0, 9, "0.0")],
)
def test_percentages_have_one_decimal_and_halves_go_up(part: int, whole: int, expected: str) -> None:
    assert percent(part, whole) == Decimal(expected)


def test_nobody_is_no_percentage() -> None:
    assert percent(0, 0) is None


@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper"),
    [  # published tables of exact 95 % limits (Clopper and Pearson 1934; Newcombe 1998 for 81/263, 15/148, 0/20, 1/29)
        (0, 1, "0.0", "97.5"),
        (1, 1, "2.5", "100.0"),
        (0, 9, "0.0", "33.6"),
        (1, 9, "0.3", "48.2"),
        (3, 9, "7.5", "70.1"),
        (9, 9, "66.4", "100.0"),
        (5, 10, "18.7", "81.3"),
        (0, 20, "0.0", "16.8"),
        (1, 29, "0.1", "17.8"),
        (15, 148, "5.8", "16.2"),
        (81, 263, "25.3", "36.8"),
    ],
)
def test_exact_limits_are_those_of_the_published_tables(successes: int, trials: int, lower: str, upper: str) -> None:
    found = confidence_interval(successes, trials, EXACT)
    assert found is not None
    assert (found.lower, found.upper) == (Decimal(lower), Decimal(upper))


def test_an_interval_says_by_which_method_it_was_found() -> None:
    found = confidence_interval(81, 263, IntervalMethod.WILSON)
    assert found is not None
    assert (found.method, found.lower, found.upper) == ("wilson", Decimal("25.5"), Decimal("36.6"))


def test_no_trial_no_interval() -> None:
    assert {confidence_interval(0, 0, method) for method in IntervalMethod} == {None}


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 90).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_exact_limits_leave_a_fortieth_in_each_tail(given_counts: tuple[int, int]) -> None:
    successes, trials = given_counts
    found = confidence_interval(successes, trials, EXACT)
    assert found is not None
    lower, upper = float(found.lower) / 100, float(found.upper) / 100
    assert lower <= successes / trials + 0.0005
    assert upper >= successes / trials - 0.0005
    # At limits rounded to a tenth of a percent the tails are 2.5 % within what the rounding moves them.
    if successes > 0:
        assert bdtrc(successes - 1, trials, max(lower - 0.0005, 0)) <= 0.0251
    if successes < trials:
        assert bdtr(successes, trials, min(upper + 0.0005, 1)) <= 0.0251


def values(*texts: str) -> list[Value]:
    return [value(text) for text in texts]


def value(text: str) -> Value:
    if text[0] in "<>":
        return Value(Decimal(text[1:]) if text[1:] else None, text[0])  # type: ignore[arg-type]
    return Value(Decimal(text))


@pytest.mark.parametrize(
    ("given_values", "expected"),
    [
        (("3", "1", "2"), "2"),
        (("1", "2"), "1.5"),
        (("<1", "5", "7"), "5"),  # BLQ ranks below every quantified value
        (("<1", "<1", "7"), "<1"),  # the median falls among BLQ values
        (("<9", "5", "7"), "5"),  # even where another sample's limit is higher
        (("<1", "<3", "<2"), "<2"),
        (("<1", "<2"), "<2"),  # the highest limit that bounds it
        (("<2", "4"), "<3"),  # between BLQ and a number: below the middle of limit and number
        (("<", "4"), "<4"),  # an unknown limit: the number alone bounds it
        (("<", "<1", "<"), "<LLOQ"),
        (("<",), "<LLOQ"),
        ((">10", "5", "7"), "7"),
        ((">10", ">12", "7"), ">10"),
        ((">10", ">12"), ">10"),
        (("4", ">10"), ">7"),
        ((">",), ">ULOQ"),
        (("<1", ">10"), "undetermined"),
        (("<1", "5", ">10"), "5"),
    ],
)
def test_the_median_keeps_values_beyond_a_limit_in_their_place(given_values: tuple[str, ...], expected: str) -> None:
    found = median(values(*given_values))
    assert found is not None
    assert found.text == expected


def test_of_nothing_there_is_no_median_and_no_range() -> None:
    assert median([]) is None
    assert span([]) is None


def test_a_median_that_cannot_be_told_is_no_number() -> None:
    assert UNDETERMINED.number is None


def test_the_range_goes_from_the_lowest_limit_to_the_highest() -> None:
    found = span(values("5", "<2", "<1", "9"))
    assert found is not None
    assert (found.lowest.text, found.highest.text) == ("<1", "9")


def test_the_highest_of_equal_values_is_the_first() -> None:
    assert highest(values("1", "7", "7")) == 1
    assert highest(values("<1", "<1")) == 0
    assert highest(values("900", ">500")) == 1


numbers = st.decimals(min_value=0, max_value=10**6, places=3)


@settings(max_examples=50, deadline=None)
@given(st.lists(numbers, min_size=1))
def test_without_limits_it_is_the_plain_median_and_its_order_does_not_matter(given_numbers: list[Decimal]) -> None:
    found = median(Value(number) for number in given_numbers)
    assert found is not None
    assert found.number == plain_median(given_numbers)
    assert found == median(Value(number) for number in reversed(given_numbers))


@settings(max_examples=50, deadline=None)
@given(st.lists(numbers, min_size=1), st.lists(numbers, max_size=8))
def test_a_limit_never_becomes_a_number(quantified: list[Decimal], limits: list[Decimal]) -> None:
    found = median([*map(Value, quantified), *(Value(limit, "<") for limit in limits)])
    assert found is not None
    if len(limits) > len(quantified):
        assert found.qualifier == "<"
    if len(limits) < len(quantified):
        assert found.qualifier is None


def test_a_level_prints_its_digits_as_they_were_given() -> None:
    assert level(value("12.50")).text == "12.50"
    assert level(Value(Decimal("1E+3"))).text == "1000"
