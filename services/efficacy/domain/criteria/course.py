"""Judging one reading among all of a course: which of the others lie between the baseline and it."""

from collections.abc import Sequence

from services.efficacy.domain.criteria.readings import CriteriaEngine, Judgement, Reading
from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import earliest, latest


def judged(
    criteria: CriteriaEngine, baseline: Reading | None, others: Sequence[Reading], current: Reading
) -> Judgement:
    """The response at `current`. `others` are all readings but the baseline, in any order, `current` or not.

    Earlier means an earlier day: of two readings on one day neither is the other's nadir. Of a partial date the
    earliest day it can mean counts.
    """
    if baseline is not None and _precedes(current, baseline):
        basis = criteria.judge(None, (), current).basis
        return Judgement(Response.NE, "before-baseline", "The assessment precedes the baseline.", basis)
    between = [each for each in others if _lies_between(baseline, each, current)]
    return criteria.judge(baseline, sorted(between, key=lambda each: earliest(each.on)), current)


def _precedes(reading: Reading, baseline: Reading) -> bool:
    """Whether it must have been before the baseline; a partial date that allows otherwise is no proof."""
    return latest(reading.on) < earliest(baseline.on)


def _lies_between(baseline: Reading | None, other: Reading, current: Reading) -> bool:
    if baseline is None or _precedes(other, baseline):
        return False
    return earliest(other.on) < earliest(current.on)
