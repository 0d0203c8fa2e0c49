"""What a set of criteria measures, and the limits it sets: data, from which its engine decides."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Measure:
    """How the two diameters of one lesion, in mm, become one size; sizes are added over the targets."""

    name: str
    unit: str
    of: Callable[[Decimal, Decimal, bool], Decimal]  # longest, perpendicular, whether it is a lymph node


def _sum(longest: Decimal, perpendicular: Decimal, _node: bool) -> Decimal:
    return longest + perpendicular


def _product(longest: Decimal, perpendicular: Decimal, _node: bool) -> Decimal:
    return longest * perpendicular


def _one_diameter(longest: Decimal, perpendicular: Decimal, node: bool) -> Decimal:
    return perpendicular if node else longest


SUM_OF_DIAMETERS = Measure("sum-of-diameters", "mm", _sum)
PRODUCT_OF_DIAMETERS = Measure("product-of-diameters", "mm2", _product)
LONGEST_DIAMETERS = Measure("longest-diameters", "mm", _one_diameter)  # of nodes the short axis


class Reference(StrEnum):
    """What a sum is compared with: the baseline, or the smallest sum so far (baseline included)."""

    BASELINE = "baseline"
    NADIR = "nadir"


@dataclass(frozen=True, slots=True)
class Limit:
    """A change in percent, over which reference, and whether exactly that much is not yet enough.

    `least_mm`: a rise counts only if it is at least this much, too. From nothing, any rise counts.
    """

    percent: Decimal
    strict: bool
    reference: Reference
    least_mm: Decimal | None = None

    def rise_from(self, start: Decimal) -> Decimal:
        """The size at which a rise from `start` reaches the limit."""
        relative = start * (1 + self.percent / 100)
        return relative if self.least_mm is None or not start else max(relative, start + self.least_mm)

    def fall_from(self, start: Decimal) -> Decimal:
        return start * (1 - self.percent / 100)

    def is_risen_past(self, start: Decimal, now: Decimal) -> bool:
        if not start:
            return now > 0
        relative = start * (1 + self.percent / 100)
        if self.least_mm is not None and now - start < self.least_mm:
            return False
        return now > relative if self.strict else now >= relative

    def is_fallen_past(self, start: Decimal, now: Decimal) -> bool:
        bound = self.fall_from(start)
        return now < bound if self.strict else now <= bound

    def counts_at_bound(self, start: Decimal) -> bool:
        """Whether a sum of exactly `rise_from(start)` is risen past the limit."""
        return self.is_risen_past(start, self.rise_from(start))


@dataclass(frozen=True, slots=True)
class MinimumSize:
    """What a lesion measures at baseline, at least, to be a target. Millimetres; 0 where an axis is free."""

    longest_mm: Decimal
    perpendicular_mm: Decimal
    node_short_axis_mm: Decimal

    def is_met(self, longest: Decimal, perpendicular: Decimal, *, node: bool) -> bool:
        if node:
            return perpendicular >= self.node_short_axis_mm
        return longest >= self.longest_mm and perpendicular >= self.perpendicular_mm


@dataclass(frozen=True, slots=True)
class TargetNumber:
    """How many measurable lesions are targets at most, in all and of one organ. None: the source sets no number."""

    at_most: int | None = None
    at_most_per_organ: int | None = None

    def exceeded_by(self, targets: int) -> bool:
        return self.at_most is not None and targets > self.at_most


class Confirmed(StrEnum):
    """What a later assessment has to confirm, by the source of a set."""

    RESPONSE = "response"
    RESPONSE_OF_SINGLE_ARM_TRIALS = "response-of-single-arm-trials"  # where it is the endpoint and nobody is randomised
    PROGRESSION = "progression"  # the first one; responses as RECIST 1.1 has them
    AS_THE_PROTOCOL_SETS = "as-the-protocol-sets"  # the source says nothing
    NOT_STATED = "not-stated"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What has to be confirmed, and by an assessment how many days later at least. None: no interval is stated."""

    of: Confirmed
    minimum_days: int | None = None


FOUR_WEEKS = 28  # days
