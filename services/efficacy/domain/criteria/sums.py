"""Sums over the target lesions of a reading, and what earlier ones they are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.efficacy.domain.criteria.limits import Limit, Measure, Reference
from services.efficacy.domain.criteria.readings import Reading, Target
from shared.contracts.efficacy_terms import LesionState

NOTHING = Decimal()


@dataclass(frozen=True, slots=True)
class Sum:
    """The measure over the targets of one reading: the size of each one seen, and whether all are told of.

    A lesion that was treated locally counts as far as it is seen, and leaves the sum incomplete: its shrinking says
    nothing of the cells, its growing does.
    """

    on: str
    size: Decimal
    sizes: dict[UUID, Decimal]
    complete: bool

    @property
    def seen(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True, slots=True)
class Past:
    """The complete sums that a time point is compared with, and all sums so far, complete or not."""

    baseline: Sum
    nadir: Sum
    so_far: tuple[Sum, ...]

    def reference(self, limit: Limit) -> Sum:
        return self.nadir if limit.reference is Reference.NADIR else self.baseline

    def smallest(self, lesion_id: UUID, now: Decimal) -> Decimal:
        """The smallest size of one target so far; of one that was never seen before, what it is now."""
        return min((each.sizes[lesion_id] for each in self.so_far if lesion_id in each.sizes), default=now)


def axes(target: Target, too_small_mm: Decimal) -> list[tuple[Decimal, Decimal]]:
    """Longest diameter and perpendicular of each part, in mm; nothing of a lesion that is absent or has merged."""
    match target.state:
        case LesionState.TOO_SMALL:
            return [(too_small_mm, too_small_mm)]
        case LesionState.MEASURED:
            first = target.longest_mm or NOTHING, target.perpendicular_mm or NOTHING
            return [first, *target.further_parts]
        case _:
            return []


def summed(reading: Reading, measure: Measure, too_small_mm: Decimal, treated: frozenset[UUID]) -> Sum:
    sizes = {
        target.lesion_id: _size(target, measure, too_small_mm)
        for target in reading.targets
        if target.state is not LesionState.NOT_ASSESSED
    }
    complete = len(sizes) == len(reading.targets) and treated.isdisjoint(sizes)
    return Sum(reading.on, sum(sizes.values(), NOTHING), sizes, complete)


def _size(target: Target, measure: Measure, too_small_mm: Decimal) -> Decimal:
    sizes = [measure.of(longest, across, target.node) for longest, across in axes(target, too_small_mm)]
    return sizes[0] if len(sizes) == 1 else sum(sizes, NOTHING)


def compared(start: Sum, between: Sequence[Sum]) -> Past | None:
    """The sum at baseline and the smallest complete one since, the first among equals; None if unknown."""
    if not start.complete:
        return None
    nadir = min((start, *(each for each in between if each.complete)), key=lambda each: each.size)
    return Past(start, nadir, (start, *between))
