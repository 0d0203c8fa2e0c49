"""Criteria that judge the percentage change of one sum over both diameters of all target lesions.

The seed's rule is of this kind, by the sum or by the product of the diameters. All decisions are made on exact
fractions; what is rounded is for reading alone.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from services.efficacy.domain.criteria.readings import Judgement, Reading, Target, exact, percent
from shared.contracts.efficacy import LesionState, NonTargetStatus, Response, ResponseBasis

Decision = tuple[Response, str, str]  # the response, the rule that fired, and why in words


@dataclass(frozen=True, slots=True)
class Measure:
    """How the two diameters of one lesion, in mm, become one size; sizes are added over the targets."""

    name: str
    unit: str
    of: Callable[[Fraction, Fraction], Fraction]


SUM_OF_DIAMETERS = Measure("sum-of-diameters", "mm", operator.add)
PRODUCT_OF_DIAMETERS = Measure("product-of-diameters", "mm2", operator.mul)


class Reference(StrEnum):
    """What a sum is compared with: the baseline, or the smallest sum so far (baseline included)."""

    BASELINE = "baseline"
    NADIR = "nadir"


@dataclass(frozen=True, slots=True)
class Limit:
    """A change in percent, over which reference, and whether exactly that much is not yet enough."""

    percent: Fraction
    strict: bool
    reference: Reference


@dataclass(frozen=True, slots=True)
class Sum:
    """The measure over the targets of one reading: how many were seen, and whether those were all."""

    on: str
    size: Fraction
    seen: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Past:
    """The complete sums that a time point is compared with."""

    baseline: Sum
    nadir: Sum

    def reference(self, limit: Limit) -> Sum:
        return self.nadir if limit.reference is Reference.NADIR else self.baseline

    def rise_to(self, limit: Limit) -> Fraction:
        return self.reference(limit).size * (1 + limit.percent / 100)

    def fall_to(self, limit: Limit) -> Fraction:
        return self.reference(limit).size * (1 - limit.percent / 100)

    def is_risen_past(self, limit: Limit, now: Sum) -> bool:
        bound = self.rise_to(limit)
        return now.size > bound or (not limit.strict and now.size == bound > 0)

    def is_fallen_past(self, limit: Limit, now: Sum) -> bool:
        bound = self.fall_to(limit)
        return now.size < bound or (not limit.strict and now.size == bound)


@dataclass(frozen=True, slots=True)
class PercentChange:
    """One set of such criteria with its parameters."""

    name: str
    measure: Measure
    response: Limit
    progression: Limit
    node_normal_below_mm: Fraction
    too_small_mm: Fraction
    new_lesion_is_progression: bool
    non_target_progression_is_progression: bool

    def judge(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Judgement:
        """Judge one time point.

        Progression is tested first, so regrowth from a deep nadir is never called a response. Not evaluable
        where a target was not assessed, unless what was seen proves progression by itself. A target too small to
        measure counts with the default diameter in both axes. A lymph node counts as gone below the normal
        short axis, wherever the sum then stands; a lesion that is no node has to be absent.

        Source: the registered response rule, with what it leaves open settled by the protocol's settings.
        """
        now, past = self._sum(current), self._past(baseline, earlier, current)
        response, rule, why = self._by_what_is_certain(baseline, current) or self._by_targets(current, now, past)
        if current.equivocal:
            why += " An equivocal new lesion is not progression until it is unequivocal: image again."
        return Judgement(response, rule, why, self._basis(current, now, past))

    def is_gone(self, target: Target) -> bool:
        if target.state is LesionState.ABSENT:
            return True
        return target.node and self._axes(target)[1] < self.node_normal_below_mm

    def _past(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Past | None:
        """The sum at baseline and the smallest complete one since, the first among equals; None if unknown."""
        if baseline is None or not current.targets:
            return None
        start = self._sum(baseline)
        sums = [start, *(each for each in map(self._sum, earlier) if each.complete)]
        return Past(start, min(sums, key=lambda each: each.size)) if start.complete else None

    def _sum(self, reading: Reading) -> Sum:
        seen = [target for target in reading.targets if target.state is not LesionState.NOT_ASSESSED]
        size = sum((self.measure.of(*self._axes(target)) for target in seen), Fraction())
        return Sum(reading.on, size, len(seen), complete=len(seen) == len(reading.targets))

    def _axes(self, target: Target) -> tuple[Fraction, Fraction]:
        if target.state is LesionState.TOO_SMALL:
            return self.too_small_mm, self.too_small_mm
        return Fraction(target.longest_mm or 0), Fraction(target.perpendicular_mm or 0)

    def _by_what_is_certain(self, baseline: Reading | None, current: Reading) -> Decision | None:
        """What is decided before any target is measured."""
        if current.new_lesion and self.new_lesion_is_progression:
            return Response.PD, "new-lesion", "An unequivocal new lesion is progression, whatever the targets."
        if current.non_target is NonTargetStatus.PD and self.non_target_progression_is_progression:
            return Response.PD, "non-target-progression", "Non-target disease is unequivocally worse."
        if baseline is None:
            return Response.NE, "no-baseline", "There is no baseline assessment to compare with."
        return None if current.targets else _without_targets(current)

    def _by_targets(self, current: Reading, now: Sum, past: Past | None) -> Decision:
        if past is None:
            return Response.NE, "baseline-incomplete", "A target lesion was not assessed at baseline."
        words = self._in_words(now, past)
        if past.is_risen_past(self.progression, now):
            rule = f"growth-over-{self.progression.reference}" if now.complete else "growth-of-what-was-seen"
            return Response.PD, rule, words
        if not now.complete:
            why = "A target lesion was not assessed, and what was seen does not prove progression."
            return Response.NE, "target-not-assessed", f"{why} {words}"
        if all(map(self.is_gone, current.targets)):
            return self._with_targets_gone(current)
        if past.is_fallen_past(self.response, now):
            return Response.PR, f"shrinkage-from-{self.response.reference}", words
        return Response.SD, "neither-response-nor-progression", words

    def _with_targets_gone(self, current: Reading) -> Decision:
        gone = f"All target lesions are gone (a node: below {exact(self.node_normal_below_mm)} mm in its short axis)"
        if current.non_target in (NonTargetStatus.CR, NonTargetStatus.NONE) and not current.new_lesion:
            return Response.CR, "all-disease-gone", f"{gone}, and no other disease is left."
        return Response.PR, "targets-gone-other-disease-left", f"{gone}; other disease is left or was not assessed."

    def _in_words(self, now: Sum, past: Past) -> str:
        found = "No target lesion was assessed."
        if now.seen:
            found = f"The sum{'' if now.complete else ' of the lesions seen'} is {self._size(now.size)}."
        rise = self._limit_in_words("Progression is above", "+", self.progression, past.rise_to(self.progression), past)
        fall = self._limit_in_words("Response is below", "-", self.response, past.fall_to(self.response), past)
        return f"{found} {rise} {fall}"

    def _limit_in_words(self, what: str, sign: str, limit: Limit, bound: Fraction, past: Past) -> str:
        reference = past.reference(limit)
        return (
            f"{what}{'' if limit.strict else ' or at'} {self._size(bound)}: {sign}{exact(limit.percent)} % on the "
            f"{limit.reference} of {self._size(reference.size)} ({reference.on})."
        )

    def _size(self, size: Fraction) -> str:
        return f"{exact(size)} {self.measure.unit}"

    def _basis(self, current: Reading, now: Sum, past: Past | None) -> ResponseBasis:
        whole = now.size if now.seen and now.complete else None
        too_small = _those(current, LesionState.TOO_SMALL)
        basis = ResponseBasis(
            measure=self.measure.name,
            unit=self.measure.unit,
            sum=None if whole is None else exact(whole),
            seen_sum=exact(now.size) if now.seen else None,
            not_assessed=_those(current, LesionState.NOT_ASSESSED),
            too_small=too_small,
            default_diameter_mm=exact(self.too_small_mm) if too_small else None,
        )
        return basis if past is None else basis.model_copy(update=self._compared(whole, past))

    def _compared(self, whole: Fraction | None, past: Past) -> dict[str, Decimal | str | None]:
        baseline, nadir = past.baseline, past.nadir
        return {
            "baseline_on": baseline.on,
            "baseline_sum": exact(baseline.size),
            "percent_from_baseline": None if whole is None else percent(whole, baseline.size),
            "nadir_on": nadir.on,
            "nadir_sum": exact(nadir.size),
            "percent_from_nadir": None if whole is None else percent(whole, nadir.size),
            "progression_above": exact(past.rise_to(self.progression)),
            "response_below": exact(past.fall_to(self.response)),
        }


def _without_targets(current: Reading) -> Decision:
    match current.non_target:
        case NonTargetStatus.CR if not current.new_lesion:
            return Response.CR, "all-disease-gone", "There was no target disease, and all other disease is gone."
        case NonTargetStatus.NONE:
            return Response.NE, "no-disease-at-baseline", "There was no disease at baseline to judge by."
        case _:
            return Response.NE, "no-target-disease", "There was no measurable disease at baseline to judge by."


def _those(reading: Reading, state: LesionState) -> tuple[UUID, ...]:
    return tuple(sorted(target.lesion_id for target in reading.targets if target.state is state))
