"""Sums over the target lesions of a reading, and what earlier ones they are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from services.efficacy.domain.criteria.limits import Limit, Measure, Reference
from services.efficacy.domain.criteria.readings import Reading, Target
from shared.contracts.efficacy_terms import LesionState


@dataclass(frozen=True, slots=True)
class Sum:
    """The measure over the targets of one reading: the size of each one seen, and whether all are told of.

    A lesion that was treated locally counts as far as it is seen, and leaves the sum incomplete: its shrinking says
    nothing of the cells, its growing does.
    """

    on: str
    size: Fraction
    sizes: dict[UUID, Fraction]
    complete: bool

    @property
    def seen(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True, slots=True)
class Past:
    """The complete sums that a time point is compared with, and the smallest size of each target so far."""

    baseline: Sum
    nadir: Sum
    smallest: dict[UUID, Fraction]

    def reference(self, limit: Limit) -> Sum:
        return self.nadir if limit.reference is Reference.NADIR else self.baseline


def axes(target: Target, too_small_mm: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Longest diameter and perpendicular of each part, in mm; nothing of a lesion that is absent or has merged."""
    match target.state:
        case LesionState.TOO_SMALL:
            return [(too_small_mm, too_small_mm)]
        case LesionState.MEASURED:
            first = Fraction(target.longest_mm or 0), Fraction(target.perpendicular_mm or 0)
            return [first, *((Fraction(longest), Fraction(across)) for longest, across in target.further_parts)]
        case _:
            return []


def summed(reading: Reading, measure: Measure, too_small_mm: Fraction, treated: frozenset[UUID]) -> Sum:
    sizes = {
        target.lesion_id: sum(
            (measure.of(longest, across, target.node) for longest, across in axes(target, too_small_mm)), Fraction()
        )
        for target in reading.targets
        if target.state is not LesionState.NOT_ASSESSED
    }
    complete = len(sizes) == len(reading.targets) and treated.isdisjoint(sizes)
    return Sum(reading.on, sum(sizes.values(), Fraction()), sizes, complete)


def compared(start: Sum, between: Sequence[Sum]) -> Past | None:
    """The sum at baseline and the smallest complete one since, the first among equals; None if unknown."""
    if not start.complete:
        return None
    nadir = min((start, *(each for each in between if each.complete)), key=lambda each: each.size)
    smallest = dict(start.sizes)
    for each in between:
        for lesion_id, size in each.sizes.items():
            smallest[lesion_id] = min(size, smallest.get(lesion_id, size))
    return Past(start, nadir, smallest)
