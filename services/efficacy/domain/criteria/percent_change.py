"""Criteria that judge the percentage change of one sum over the target lesions.

The seed's rule is of this kind, and so are WHO, RANO, RAPNO, RECIST and the tumour part of INRC: they differ in the
measure, the limits, the reference and a few rules, all of which are data here. All decisions are made on exact
decimals; what is rounded is for reading alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import NamedTuple
from uuid import UUID

from services.efficacy.domain.criteria.limits import Confirmation, Limit, Measure, MinimumSize, TargetNumber
from services.efficacy.domain.criteria.readings import EXACT, Judgement, Reading, Target, exact, percent
from services.efficacy.domain.criteria.sums import Past, Sum, axes, compared, summed
from services.efficacy.domain.criteria.wording import Wording
from shared.contracts.efficacy_terms import LesionState, NonTargetStatus, Response, ResponseBasis


@dataclass(frozen=True, slots=True)
class Decision:
    """The response, the rule that fired, and why: in a sentence, by the sums and limits, or both."""

    response: Response
    rule: str
    why: str = ""
    by_numbers: bool = False


class Outline(NamedTuple):
    """A time point without a word: the response, the sum of what was seen, and whether that sum alone progressed."""

    response: Response
    seen_sum: Decimal | None
    has_grown: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one time point is judged by: its reading and its sum, the sums before it, and lesions treated otherwise."""

    seen: Reading
    now: Sum
    past: Past | None
    small: frozenset[UUID]
    treated: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Followed:
    """A course as one set follows it: readings (the baseline first), what was treated so far, sums."""

    baseline: Reading | None
    readings: Sequence[Reading]
    treated: Sequence[frozenset[UUID]]
    sums: Sequence[Sum]
    small: frozenset[UUID]

    def evidence(self, at: int) -> Evidence:
        """What the reading at this place is judged by, with those before it alone."""
        seen = self.readings[at]
        past = compared(self.sums[0], self.sums[1:at]) if self.baseline is not None and seen.targets else None
        return Evidence(seen, self.sums[at], past, self.small, self.treated[at])


@dataclass(frozen=True, slots=True)
class PercentChange:
    """One set of such criteria with its parameters.

    `each_lesion`: progression is that of any one lesion over its own smallest size, rather than of the sum.
    `minimum`: a lesion that was smaller at baseline is no target of this set, and is followed without measure.
    `knows_non_measurable`: disease without any target has a response of its own, rather than none.
    `non_measurable_can_be_complete`: such disease is a complete response when it is gone.
    `targets`: where more are measured the sum holds all of them, and the explanation says so: which of them to leave
    out is for a reader to say, not for a rule.
    """

    name: str
    measure: Measure
    response: Limit
    progression: Limit
    targets: TargetNumber
    confirmation: Confirmation
    source: str
    node_normal_below_mm: Decimal
    too_small_mm: Decimal
    minor_response: Limit | None = None
    each_lesion: bool = False
    covers_nodes: bool = True
    minimum: MinimumSize | None = None
    knows_non_measurable: bool = False
    non_measurable_can_be_complete: bool = True
    new_lesion_is_progression: bool = True
    non_target_progression_is_progression: bool = True

    @property
    def diameters(self) -> "PercentChange":
        return self

    @property
    def asks(self) -> tuple[str, ...]:
        return ()

    @property
    def vocabulary(self) -> frozenset[Response]:
        words = {Response.CR, Response.PR, Response.SD, Response.PD, Response.NE}
        if self.minor_response is not None:
            words.add(Response.MR)
        if self.knows_non_measurable:
            words.add(Response.NON_CR_NON_PD)
        return frozenset(words)

    def judge(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Judgement:
        """Judge one time point.

        Progression is tested first, so regrowth from a deep nadir is never called a response. Not evaluable
        where a target was not assessed, unless what was seen proves progression by itself. A target too small to
        measure counts with the default diameter in both axes. A lymph node counts as gone below the normal
        short axis, wherever the sum then stands; a lesion that is no node has to be absent.
        """
        with localcontext(EXACT):
            return self._judged(baseline, earlier, current)

    def outlines(self, baseline: Reading | None, readings: Sequence[Reading]) -> Sequence[Outline]:
        """Of each reading in order of time the outline."""
        with localcontext(EXACT):
            course = self._followed(baseline, readings)
            found = [course.evidence(at) for at in range(len(course.readings) - len(readings), len(course.readings))]
            return [self._outlined(baseline, each) for each in found]

    def _outlined(self, baseline: Reading | None, evidence: Evidence) -> Outline:
        response, now, past = self._decided(baseline, evidence).response, evidence.now, evidence.past
        has_grown = response is Response.PD and past is not None and self.is_progression(now, past)
        return Outline(response, _seen_sum(now), has_grown)

    def _judged(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Judgement:
        if not self.covers_nodes and any(target.node for target in current.targets):
            return Judgement(None, "nodes-not-covered", f"{self.name} knows no lymph nodes.", self._no_numbers())
        evidence = self._evidence(baseline, earlier, current)
        decision = self._decided(baseline, evidence)
        why = self._in_words(decision, evidence)
        measured = len(evidence.seen.targets)
        if self.targets.exceeded_by(measured):
            why += f" {self.name} takes at most {self.targets.at_most} target lesions; the sum is of {measured}."
        if current.equivocal:
            why += " An equivocal new lesion is not progression until it is unequivocal: image again."
        basis = self._basis(evidence, modality_changed=_seen_otherwise(baseline, evidence.seen))
        return Judgement(decision.response, decision.rule, why, basis, self._would_change(decision.rule, evidence))

    def _evidence(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Evidence:
        course = self._followed(baseline, (*earlier, current))
        return course.evidence(len(course.readings) - 1)

    def _followed(self, baseline: Reading | None, readings: Sequence[Reading]) -> Followed:
        small = self._below_minimum(baseline)
        followed = [self._as_followed(each, small) for each in (baseline, *readings) if each is not None]
        treated = _treated_so_far(followed)
        sums = [
            summed(each, self.measure, self.too_small_mm, so_far)
            for each, so_far in zip(followed, treated, strict=True)
        ]
        return Followed(baseline, followed, treated, sums, small)

    def _decided(self, baseline: Reading | None, evidence: Evidence) -> Decision:
        return self._by_what_is_certain(baseline, evidence.seen) or self._by_targets(evidence.seen, evidence)

    def _in_words(self, decision: Decision, evidence: Evidence) -> str:
        if not decision.by_numbers or evidence.past is None:
            return decision.why
        return f"{decision.why} {Wording(self).of(evidence.now, evidence.past)}".lstrip()

    def is_gone(self, target: Target) -> bool:
        if target.state is LesionState.ABSENT:
            return True
        return target.node and all(across < self.node_normal_below_mm for _, across in self._known_axes(target))

    def _known_axes(self, target: Target) -> list[tuple[Decimal, Decimal]]:
        """At least one pair: nothing follows from an empty list."""
        return axes(target, self.too_small_mm) or [(self.node_normal_below_mm, self.node_normal_below_mm)]

    def _below_minimum(self, baseline: Reading | None) -> frozenset[UUID]:
        if baseline is None or self.minimum is None:
            return frozenset()
        minimum = self.minimum
        return frozenset(
            target.lesion_id
            for target in baseline.targets
            if target.state in (LesionState.MEASURED, LesionState.TOO_SMALL)
            and not any(minimum.is_met(*both, node=target.node) for both in axes(target, self.too_small_mm))
        )

    def _as_followed(self, reading: Reading, small: frozenset[UUID]) -> Reading:
        """The reading with those lesions alone as targets that these criteria measure; the others as non-target."""
        others = [target for target in reading.targets if target.lesion_id in small]
        if not others:
            return reading
        status = reading.non_target
        if status in (NonTargetStatus.CR, NonTargetStatus.NONE):
            if any(target.state is LesionState.NOT_ASSESSED for target in others):
                status = NonTargetStatus.NE
            else:
                gone = all(map(self.is_gone, others))
                status = NonTargetStatus.CR if gone else NonTargetStatus.NON_CR_NON_PD
        targets = tuple(target for target in reading.targets if target.lesion_id not in small)
        return replace(reading, targets=targets, non_target=status)

    def _by_what_is_certain(self, baseline: Reading | None, current: Reading) -> Decision | None:
        """What is decided before any target is measured."""
        if current.new_lesion and self.new_lesion_is_progression:
            return Decision(
                Response.PD, "new-lesion", "An unequivocal new lesion is progression, whatever the targets."
            )
        if current.non_target is NonTargetStatus.PD and self.non_target_progression_is_progression:
            return Decision(Response.PD, "non-target-progression", "Non-target disease is unequivocally worse.")
        if baseline is None:
            return Decision(Response.NE, "no-baseline", "There is no baseline assessment to compare with.")
        return None if current.targets else self._without_targets(current)

    def _without_targets(self, current: Reading) -> Decision:
        match current.non_target:
            case NonTargetStatus.CR if self.non_measurable_can_be_complete and not current.new_lesion:
                why = "There was no target disease, and all other disease is gone."
                return Decision(Response.CR, "all-disease-gone", why)
            case NonTargetStatus.NONE:
                return Decision(Response.NE, "no-disease-at-baseline", "There was no disease at baseline to judge by.")
            case NonTargetStatus.NON_CR_NON_PD if self.knows_non_measurable:
                why = "Disease that was never measurable is neither gone nor unequivocally worse."
                return Decision(Response.NON_CR_NON_PD, "non-measurable-disease-left", why)
            case _:
                why = "There was no measurable disease at baseline to judge by."
                return Decision(Response.NE, "no-target-disease", why)

    def _by_targets(self, current: Reading, evidence: Evidence) -> Decision:
        now, past = evidence.now, evidence.past
        if past is None:
            return Decision(Response.NE, "baseline-incomplete", "A target lesion was not assessed at baseline.")
        if self.is_progression(now, past):
            what = "growth-of-one-lesion" if self.each_lesion else f"growth-over-{self.progression.reference}"
            rule = what if now.complete else "growth-of-what-was-seen"
            return Decision(Response.PD, rule, by_numbers=True)
        if not now.complete:
            why = "A target lesion was not assessed, and what was seen does not prove progression."
            if now.seen == len(current.targets):
                why = "A target lesion was treated locally, and what is left does not prove progression."
            return Decision(Response.NE, "target-not-assessed", why, by_numbers=True)
        if all(map(self.is_gone, current.targets)):
            was_there = past.baseline.size > 0  # a lesion absent at baseline was no target: nothing can be gone of it
            return self._with_targets_gone(current) if was_there else self._without_targets(current)
        return self._by_shrinkage(now, past)

    def is_progression(self, now: Sum, past: Past) -> bool:
        if not self.each_lesion:
            return self.progression.is_risen_past(past.reference(self.progression).size, now.size)
        return any(self.progression.is_risen_past(past.smallest(key, size), size) for key, size in now.sizes.items())

    def _by_shrinkage(self, now: Sum, past: Past) -> Decision:
        steps = ((Response.PR, self.response), (Response.MR, self.minor_response))
        for response, limit in steps:
            if limit is not None and limit.is_fallen_past(past.reference(limit).size, now.size):
                rule = f"shrinkage-from-{limit.reference}"
                return Decision(response, rule if response is Response.PR else f"minor-{rule}", by_numbers=True)
        return Decision(Response.SD, "neither-response-nor-progression", by_numbers=True)

    def _with_targets_gone(self, current: Reading) -> Decision:
        gone = f"All target lesions are gone (a node: below {exact(self.node_normal_below_mm)} mm in its short axis)"
        if current.non_target in (NonTargetStatus.CR, NonTargetStatus.NONE) and not current.new_lesion:
            return Decision(Response.CR, "all-disease-gone", f"{gone}, and no other disease is left.")
        why = f"{gone}; other disease is left or was not assessed."
        return Decision(Response.PR, "targets-gone-other-disease-left", why)

    def _would_change(self, rule: str, evidence: Evidence) -> tuple[str, ...]:
        """What would have led to another response, as far as one change alone would have."""
        current, past = evidence.seen, evidence.past
        if rule in ("new-lesion", "non-target-progression"):
            without = replace(current, new_lesion=False, non_target=_without_progression(current.non_target))
            certain = self._by_what_is_certain(current, without)
            response = (certain or self._by_targets(without, evidence)).response
            what = "new lesion" if rule == "new-lesion" else "worsening of non-target disease"
            return (f"{response} without the {what}.",)
        if past is None or not current.targets:
            return ()
        return Wording(self).of_other_sums(evidence.now, past)

    def _no_numbers(self) -> ResponseBasis:
        return ResponseBasis(measure=self.measure.name, unit=self.measure.unit)

    def _basis(self, evidence: Evidence, modality_changed: tuple[UUID, ...]) -> ResponseBasis:
        now, past = evidence.now, evidence.past
        whole = now.size if now.seen and now.complete else None
        too_small = _those(evidence.seen, LesionState.TOO_SMALL)
        basis = ResponseBasis(
            measure=self.measure.name,
            unit=self.measure.unit,
            sum=None if whole is None else exact(whole),
            seen_sum=_seen_sum(now),
            not_assessed=_those(evidence.seen, LesionState.NOT_ASSESSED),
            too_small=too_small,
            default_diameter_mm=exact(self.too_small_mm) if too_small else None,
            below_minimum=tuple(sorted(evidence.small)),
            locally_treated=tuple(sorted(evidence.treated & now.sizes.keys())),
            modality_changed=modality_changed,
        )
        return basis if past is None else basis.model_copy(update=self._compared(whole, past))

    def _compared(self, whole: Decimal | None, past: Past) -> dict[str, Decimal | str | None]:
        baseline, nadir = past.baseline, past.nadir
        rise = None if self.each_lesion else self.progression.rise_from(past.reference(self.progression).size)
        return {
            "baseline_on": baseline.on,
            "baseline_sum": exact(baseline.size),
            "percent_from_baseline": None if whole is None else percent(whole, baseline.size),
            "nadir_on": nadir.on,
            "nadir_sum": exact(nadir.size),
            "percent_from_nadir": None if whole is None else percent(whole, nadir.size),
            "progression_above": None if rise is None else exact(rise),
            "response_below": exact(self.response.fall_from(past.reference(self.response).size)),
        }


def _seen_sum(now: Sum) -> Decimal | None:
    return exact(now.size) if now.seen else None


def _without_progression(status: NonTargetStatus) -> NonTargetStatus:
    return NonTargetStatus.NON_CR_NON_PD if status is NonTargetStatus.PD else status


def _those(reading: Reading, state: LesionState) -> tuple[UUID, ...]:
    return tuple(sorted(target.lesion_id for target in reading.targets if target.state is state))


def _treated_so_far(readings: Sequence[Reading]) -> list[frozenset[UUID]]:
    """At each reading, which lesions were treated locally since the first: what was done before it is of no matter."""
    treated: list[frozenset[UUID]] = [frozenset()]
    for reading in readings[1:]:
        now = [each.lesion_id for each in reading.targets if each.local_therapy]
        treated.append(treated[-1].union(now) if now else treated[-1])
    return treated[: len(readings)]  # there may be none: no baseline is on record, and nothing is earlier


def _seen_otherwise(baseline: Reading | None, current: Reading) -> tuple[UUID, ...]:
    """Targets that were seen by one modality at baseline and are seen by another now: their sizes may not compare."""
    before = {} if baseline is None else {target.lesion_id: target.modality for target in baseline.targets}
    return tuple(
        sorted(
            target.lesion_id
            for target in current.targets
            if target.modality is not None and before.get(target.lesion_id) not in (None, target.modality)
        )
    )
