"""One value held against the bands of one term: which grades it can have, which one stands, and by which band.

The highest grade applies of which any alternative is met. 0 is within limits; None cannot be graded, with the reason:
an ungraded value must not read as a normal one. While a clinical fact is missing, the grades of every case that may be
are possible, and the policy picks. What is only seen at the bedside (transfusion, hospitalisation) is never assumed.

A baseline that is not given is taken as normal: every term with a scale for abnormal baselines has the same multiples
in both, and an abnormal baseline lies beyond the limit, so none would give a higher grade.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from services.safety.domain.lab_grading import cases, ranges
from services.safety.domain.lab_grading.bands import BASELINE, Direction, Role, When
from services.safety.domain.lab_grading.cases import BY_AGE, Case, FactNeeded
from services.safety.domain.lab_grading.facts import Baseline, Facts, Limits, Measured, Pick, Policy, Qualifier
from services.safety.domain.lab_grading.ladders import Ladder
from services.safety.domain.lab_grading.ranges import EXACT, Range, References

ZERO, HALF = Decimal(0), Decimal("0.5")
SCALE = frozenset({Role.LADDER, Role.UNGRADED})
BASELINE_CASES = frozenset({When.BASELINE_NORMAL, When.BASELINE_ABNORMAL})


@dataclass(slots=True)
class Verdict:
    """What a value comes to on one ladder. `by` is the range of the grade; `lacks` says why there is none.

    `ranges` are those of the cases that may be. `abnormal` says how the baseline was judged, None where no band asks.
    `unknown` names the facts on which the possible grades depend. `yielded` is an absolute band that holds the value
    and gives way to the reference range.
    """

    grade: int | None
    possible: tuple[int, ...]
    by: Range | None
    ranges: tuple[Range, ...]
    abnormal: bool | None
    lacks: str | None = None
    unknown: tuple[str, ...] = ()
    yielded: Range | None = None


@dataclass(slots=True)
class _Seen:
    """The grade of one number in one case."""

    grade: int
    by: Range | None = None
    lacks: str | None = None


@dataclass(slots=True)
class _Judge:
    """One ladder with everything it is read with."""

    ladder: Ladder
    references: References
    facts: Facts
    policy: Policy

    def at(self, value: Decimal, case: Case, own: Sequence[Range]) -> _Seen:
        beyond = self._beyond_limit(value)
        met: Range | None = None
        unsure: Range | None = None
        for each in own:
            holds = each.holds(value) if self._may_count(each, beyond) else False
            if holds and (met is None or _rank(each) > _rank(met)):
                met = each
            elif holds is None and each.band.role is not Role.OR and (unsure is None or _rank(each) > _rank(unsure)):
                unsure = each
        if self.ladder.cases & BY_AGE and not any(each.band.role in SCALE for each in own):
            return _Seen(0, lacks=self._no_band(case))
        if unsure is not None and (met is None or _rank(unsure) > _rank(met)):
            return _Seen(0, lacks=_missing(unsure, met))
        if met is None:
            return _Seen(0)
        if met.band.grade is None:
            return _Seen(0, lacks=f"v5.0 has no band for this value: {met.band.condition}")
        return self._with_symptoms(_Seen(met.band.grade, met))

    def yielded(self, value: Decimal, own: Iterable[Range]) -> Range | None:
        """An absolute band that would hold a value within its reference range."""
        if self._beyond_limit(value) is not False:
            return None
        return next((each for each in own if each.band.yields_to_limit and each.holds(value)), None)

    def _beyond_limit(self, value: Decimal) -> bool | None:
        """Whether the value lies beyond the limit of normal that the scale begins at; None where it begins at none."""
        start = self.ladder.starts_at
        limit = None if start is None else self.references.of(start.of)
        if start is None or limit is None:
            return None
        if value == limit:
            return start.inclusive
        return value > limit if self.ladder.term.direction is Direction.HIGH else value < limit

    def _may_count(self, range_: Range, beyond: bool | None) -> bool:
        """Within the reference range, absolute rungs yield to it; and the rise over baseline, if the policy says so."""
        if beyond is not False:
            return True
        if range_.band.yields_to_limit:
            return not self.policy.limits_come_first
        return not (self.policy.baseline_arm_above_uln and range_.band.role is Role.OR and range_.band.arm == BASELINE)

    def _with_symptoms(self, seen: _Seen) -> _Seen:
        """Symptoms that are known to be there can raise a grade (calcium); symptoms not asked for are not assumed."""
        if not self.facts.symptomatic:
            return seen
        raised = [b for b in self.ladder.clinical if b.when is When.SYMPTOMATIC and (b.grade or 0) > seen.grade]
        return _Seen(raised[0].grade or 0, Range(raised[0])) if raised else seen

    def _no_band(self, case: Case) -> str:
        if self.ladder.cases & BY_AGE and self.facts.age_years is None:
            return "v5.0 has other bands for other ages, and age_years is not known"
        return f"v5.0 has no band of {self.ladder.analyte.key} for this case ({', '.join(sorted(case & BY_AGE))})"


def judge(
    ladder: Ladder, measured: Measured, limits: Limits, baseline: Baseline, facts: Facts, policy: Policy
) -> Verdict:
    """Hold a value against the bands of one term."""
    references = References(limits.lln, limits.uln, baseline.value)
    abnormal = _abnormal(ladder, references, baseline)
    shown_abnormal = abnormal if ladder.cases & BASELINE_CASES else None
    try:
        may_be, unknown = cases.possible(ladder.cases, facts, abnormal, references.baseline is not None)
    except FactNeeded as needed:
        return Verdict(None, (), None, (), shown_abnormal, str(needed))
    asked_in_any = may_be[0] if len(may_be) == 1 else cases.NOTHING.union(*may_be)
    bands = [band for band in ladder.bands if band.when is None or band.when in asked_in_any]
    shown = tuple([ranges.of(band, references) for band in bands])
    judge_ = _Judge(ladder, references, facts, policy)
    points = _points(measured, shown, references)
    seen = [judge_.at(point, case, _within(shown, case)) for case in may_be for point in points]
    lacks = next((each.lacks for each in seen if each.lacks), None)
    if lacks is not None:
        return Verdict(None, (), None, shown, shown_abnormal, lacks)
    grades = tuple(sorted({each.grade for each in seen}))
    grade = grades[-1] if policy.pick is Pick.WORST else grades[0]
    by = next(each.by for each in seen if each.grade == grade)
    yielded = judge_.yielded(points[0], shown) if grade == 0 else None
    depends = unknown if len(grades) > 1 else ()
    return Verdict(grade, grades, by, shown, shown_abnormal, unknown=depends, yielded=yielded)


def _within(shown: tuple[Range, ...], case: Case) -> list[Range]:
    return [each for each in shown if each.band.when is None or each.band.when in case]


def _rank(range_: Range) -> int:
    return range_.band.grade or 0


def _missing(unsure: Range, met: Range | None) -> str:
    named = {"ULN": "upper limit of normal (ULN)", "LLN": "lower limit of normal (LLN)", "baseline": "baseline"}
    at_least = (
        "" if met is None or not met.band.grade else f"; it is at least {met.band.grade} by the {met.band.arm} arm"
    )
    return f"no {named[unsure.missing or 'ULN']} was given, and grade {_rank(unsure)} depends on it{at_least}"


def _abnormal(ladder: Ladder, references: References, baseline: Baseline) -> bool:
    """Above the upper limit of normal; for a term of low values, below the lower one."""
    if baseline.abnormal is not None:
        return baseline.abnormal
    if references.baseline is None:
        return False
    if ladder.term.direction is Direction.HIGH:
        return references.uln is not None and references.baseline > references.uln
    return references.lln is not None and references.baseline < references.lln


def _points(measured: Measured, resolved: Iterable[Range], references: References) -> list[Decimal]:
    """The value; of a value beyond what could be counted, one number of every stretch between two limits."""
    value = measured.value
    if measured.qualifier is None:
        return [value]
    edges = {edge for each in resolved for edge in (each.low, each.high) if edge is not None}
    edges |= {limit for limit in (references.lln, references.uln, references.baseline) if limit is not None}
    below = measured.qualifier in {Qualifier.BELOW, Qualifier.AT_MOST}
    within = sorted({edge for edge in edges if ZERO < edge < value} if below else {e for e in edges if e > value})
    stops = (
        [ZERO, *within, value] if below else [value, *within, EXACT.add(within[-1] if within else value, ranges.ONE)]
    )
    points = (
        within
        + [EXACT.multiply(EXACT.add(low, high), HALF) for low, high in pairwise(stops)]
        + ([ZERO] if below else [stops[-1]])
    )
    return points if measured.qualifier in {Qualifier.BELOW, Qualifier.ABOVE} else [*points, value]
