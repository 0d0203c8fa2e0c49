"""How a scale of several axes grades: the worst axis counts, and what is missing may hide a worse one.

An axis that is not known gives the span of grades it could give. A grade is given where no missing input can change
it; else there is none, and the inputs are named. So an ungraded child never reads as a well one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """The grades that one axis can give, from what is known of it. `missing` is what would say which."""

    lowest: int
    highest: int
    says: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Graded:
    """A grade with its explanation; or None with the inputs that are missing."""

    grade: int | None
    explanation: str
    missing: tuple[str, ...] = ()


def known(grade: int, says: str) -> Axis:
    return Axis(grade, grade, says)


def unknown(lowest: int, highest: int, *missing: str) -> Axis:
    return Axis(lowest, highest, missing=missing)


def worst(axes: Sequence[Axis]) -> Axis:
    """The axes taken together: the worst counts. What is missing matters where it could still make it worse."""
    lowest = max(axis.lowest for axis in axes)
    highest = max(axis.highest for axis in axes)
    decisive = [axis.says for axis in axes if axis.says and axis.highest == highest]
    missing = [name for axis in axes if axis.highest > lowest for name in axis.missing]
    return Axis(lowest, highest, "; ".join(dict.fromkeys(decisive)), tuple(dict.fromkeys(missing)))


def graded(scale: str, axis: Axis) -> Graded:
    """The grade that the axes taken together give on a scale, in words."""
    if axis.lowest == axis.highest:
        return Graded(axis.lowest, f"{scale} {axis.lowest}: {axis.says}.")
    span = f"between {axis.lowest} and {axis.highest}"
    return Graded(None, f"{scale} not graded, {span}: missing {listed(axis.missing)}.", axis.missing)


def listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
