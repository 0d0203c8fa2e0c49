"""Values and bounds against a limit: at it, just past it, and on both sides of it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.domain.criteria.comparing import FOREVER, Qualifier, holds, span
from shared.protocol import Operator


@pytest.mark.parametrize(
    ("value", "at_least", "above", "at_most", "below", "equal"),
    [
        ("4.9", False, False, True, True, False),
        ("5", True, False, True, False, True),
        ("5.1", True, True, False, False, False),
        ("<5", False, False, True, True, False),
        ("<5.1", None, None, None, None, None),
        ("<=5", None, False, True, None, None),
        ("<=4.9", False, False, True, True, False),
        (">5", True, True, False, False, False),
        (">4.9", None, None, None, None, None),
        (">=5", True, None, None, False, None),
        (">=5.1", True, True, False, False, False),
        ("forever", True, True, False, False, False),
    ],
)
def test_at_and_just_past_a_limit_of_5(
    value: str, at_least: bool | None, above: bool | None, at_most: bool | None, below: bool | None, equal: bool | None
) -> None:
    number = value.lstrip("<>=")
    sign = value[: len(value) - len(number)]
    tested = FOREVER if value == "forever" else span(Fraction(number), Qualifier(sign) if sign else None)
    compared = (Operator.AT_LEAST, Operator.ABOVE, Operator.AT_MOST, Operator.BELOW, Operator.EQUAL)
    assert [holds(tested, each, Fraction(5)) for each in compared] == [at_least, above, at_most, below, equal]


@given(
    st.fractions(0, 10, max_denominator=8),
    st.sampled_from(Qualifier),
    st.sampled_from([Operator.AT_LEAST, Operator.ABOVE, Operator.AT_MOST, Operator.BELOW, Operator.EQUAL]),
    st.fractions(0, 10, max_denominator=8),
    st.fractions(0, 12, max_denominator=8),
)
def test_what_a_bound_says_holds_for_every_value_within_it(
    number: Fraction, qualifier: Qualifier, compared: Operator, limit: Fraction, within: Fraction
) -> None:
    lies_within = {
        Qualifier.BELOW: within < number,
        Qualifier.AT_MOST: within <= number,
        Qualifier.ABOVE: within > number,
        Qualifier.AT_LEAST: within >= number,
    }[qualifier]
    told = holds(span(number, qualifier), compared, limit)
    if lies_within and told is not None:
        assert holds(span(within, None), compared, limit) is told
