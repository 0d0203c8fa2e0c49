"""Samples of one participant over time: which are quantified, which lie below the limit, and what stands for those.

Time is a plain number: the unit only names it. 0 is the infusion; nothing before it belongs to the curve. A value is
below the limit of quantification (BLQ) if it is reported so, lies below its own LLOQ, or is 0: cells are never counted
to be none. A sample without a value is missing, and neither BLQ nor 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from shared.kernel.errors import Unacceptable
from shared.protocol import BelowLimit


class TwoValuesAtOneTime(Unacceptable):
    """A curve has one value at a time."""


class BlqRule(StrEnum):
    """What stands for a value below the limit, where the curve needs a number."""

    ZERO = "zero"
    HALF_LLOQ = "half-lloq"
    DROP = "drop"

    @classmethod
    def of(cls, setting: BelowLimit) -> "BlqRule":
        """As the protocol says it."""
        return {BelowLimit.ZERO: cls.ZERO, BelowLimit.HALF_LLOQ: cls.HALF_LLOQ}.get(setting, cls.DROP)


@dataclass(frozen=True, slots=True)
class Point:
    """One sample. `value` None: missing, or (`below`) reported as below the limit; `lloq` None: unknown."""

    time: Decimal
    value: Decimal | None
    lloq: Decimal | None = None
    below: bool = False

    @property
    def is_blq(self) -> bool:
        if self.below or self.value is None:
            return self.below
        return self.value == 0 or (self.lloq is not None and self.value < self.lloq)

    @property
    def quantified(self) -> Decimal | None:
        return None if self.is_blq else self.value


@dataclass(frozen=True, slots=True)
class Quantified:
    """A value above the limit at its actual time."""

    time: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Node:
    """A corner of the curve. `value` None: half of an LLOQ that nobody gave, so no area that touches it is known."""

    time: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class CurveRule:
    """What stands for values below the limit. After the last quantified value they are always left out."""

    before_first: BlqRule
    between: BlqRule
    predose_zero: bool


@dataclass(frozen=True, slots=True)
class Course:
    """What counts of the samples, in order of time, each time once, from the infusion on.

    `before_infusion` and `missing` are how many were left out.
    """

    points: tuple[Point, ...]
    before_infusion: int
    missing: int

    @property
    def quantified(self) -> tuple[Quantified, ...]:
        return tuple(_quantified(self.points))

    def blq(self, first: Decimal, last: Decimal) -> tuple[int, int, int]:
        """How many values lie below the limit before the first quantified one, between, and after the last."""
        below = [point.time for point in self.points if point.is_blq]
        before, after = sum(time < first for time in below), sum(time > last for time in below)
        return before, len(below) - before - after, after

    def curve(self, rule: CurveRule) -> tuple[Node, ...]:
        """From the infusion, or the first value, to the last quantified one; empty where nothing is quantified."""
        quantified = self.quantified
        if not quantified:
            return ()
        nodes = list(_nodes(self.points, rule, quantified[0].time, quantified[-1].time))
        if rule.predose_zero and nodes[0].time > 0:
            nodes.insert(0, Node(Decimal(0), Decimal(0)))
        return tuple(nodes)


def course_of(points: Iterable[Point]) -> Course:
    """The order of the points does not matter.

    Raises:
        TwoValuesAtOneTime: two points of one time do not say the same.
    """
    told = sorted(points, key=lambda point: point.time)
    after = [point for point in told if point.time >= 0]
    given = [point for point in after if point.value is not None or point.below]
    return Course(tuple(_each_time_once(given)), len(told) - len(after), len(after) - len(given))


def _each_time_once(points: Sequence[Point]) -> Iterator[Point]:
    known: dict[Decimal, Point] = {}
    for point in points:
        first = known.setdefault(point.time, point)
        if first is point:
            yield point
        elif (first.quantified, first.is_blq, _limit(first)) != (point.quantified, point.is_blq, _limit(point)):
            raise TwoValuesAtOneTime("two points of one time differ; send one, such as the mean of replicates")


def _limit(point: Point) -> Decimal | None:
    return point.lloq if point.is_blq else None


def _quantified(points: Iterable[Point]) -> Iterator[Quantified]:
    for point in points:
        value = point.quantified
        if value is not None:
            yield Quantified(point.time, value)


def _nodes(points: Iterable[Point], rule: CurveRule, first: Decimal, last: Decimal) -> Iterator[Node]:
    for point in points:
        if not point.is_blq:
            yield Node(point.time, point.value)
        elif point.time < last:
            stands = rule.before_first if point.time < first else rule.between
            if stands is BlqRule.ZERO:
                yield Node(point.time, Decimal(0))
            elif stands is BlqRule.HALF_LLOQ:
                yield Node(point.time, None if point.lloq is None else point.lloq / 2)
