"""Whether a value lies where a criterion wants it: a measured value, or a bound such as `<40`.

A bound is all the values that it leaves open. Where some of them hold and others do not, nobody can tell.
"""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from shared.protocol import Operator


class Qualifier(StrEnum):
    """A value beyond what the method can count: the number is a bound, not a measurement."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


End = tuple[Fraction | float, int]
"""A number, and whether just below it (-1), itself (0) or just above it (1) is meant."""


@dataclass(frozen=True, slots=True)
class Span:
    """The least and the greatest that a value may be."""

    least: End
    greatest: End


FOREVER = Span((math.inf, 0), (math.inf, 0))  # since something that never took place


def span(number: Fraction, qualifier: Qualifier | None) -> Span:
    """What a number with its qualifier leaves open. Nothing that criteria ask for is below 0."""
    match qualifier:
        case None:
            return Span((number, 0), (number, 0))
        case Qualifier.BELOW:
            return Span((Fraction(0), 0), (number, -1))
        case Qualifier.AT_MOST:
            return Span((Fraction(0), 0), (number, 0))
        case Qualifier.ABOVE:
            return Span((number, 1), (math.inf, 0))
        case Qualifier.AT_LEAST:
            return Span((number, 0), (math.inf, 0))
        case _:
            assert_never(qualifier)


def holds(value: Span, compared: Operator, limit: Fraction) -> bool | None:
    """Whether every value of a span holds, or none does. None: some do.

    Strictness is the criterion's: `<` does not hold at the limit, `<=` does.
    """
    at: End = (limit, 0)
    if compared is Operator.EQUAL:
        if value.least <= at <= value.greatest:
            return True if value.least == value.greatest else None
        return False
    ends = {_COMPARE[compared](end, at) for end in (value.least, value.greatest)}
    return ends.pop() if len(ends) == 1 else None


_COMPARE: Mapping[Operator, Callable[[End, End], bool]] = {
    Operator.AT_LEAST: operator.ge,
    Operator.AT_MOST: operator.le,
    Operator.BELOW: operator.lt,
    Operator.ABOVE: operator.gt,
}
