"""Why a value has its grade: the band that it meets, what it was measured by, and why its neighbours do not apply."""

from collections.abc import Iterator

from services.safety.domain.ctcae import EDITION
from services.safety.domain.lab_grading import wording
from services.safety.domain.lab_grading.bands import ABSOLUTE, Role
from services.safety.domain.lab_grading.facts import Baseline, Limits, Measured, Policy
from services.safety.domain.lab_grading.judging import Verdict
from services.safety.domain.lab_grading.ladders import Ladder
from services.safety.domain.lab_grading.ranges import Range


def rule(ladder: Ladder, verdict: Verdict) -> str:
    """The edition, the term's code, and the row of it that gave the grade."""
    named = f"CTCAE v{EDITION} {ladder.term.meddra_code}"
    if verdict.by is None:
        return f"{named} not graded" if verdict.grade is None else f"{named} within limits"
    band = verdict.by.band
    return f"{named} grade {band.grade}{band.alternative} ({arm(verdict)}): {band.says}"


def arm(verdict: Verdict) -> str | None:
    """ULN, LLN, baseline, absolute or symptoms; None where no band is met."""
    if verdict.by is None:
        return None
    return "symptoms" if verdict.by.band.role is Role.CLINICAL else verdict.by.band.arm


def explain(
    ladder: Ladder, measured: Measured, limits: Limits, baseline: Baseline, verdict: Verdict, policy: Policy
) -> str:
    """Whole sentences, the verdict first."""
    sentences = (
        _verdict(ladder, measured, verdict),
        *_undecided(measured, verdict, policy),
        _references(ladder, limits, baseline, verdict),
        *_chosen(baseline),
        *_yielded(verdict),
        *_neighbours(ladder, verdict),
        *_unjudged(verdict),
        *_bedside(ladder, verdict),
    )
    return " ".join(sentences)


def unreadable(term: str, reason: str) -> str:
    """Of a value that could not be held against a term's limits at all."""
    return f"{term} cannot be graded by CTCAE v{EDITION}: {reason}."


def _verdict(ladder: Ladder, measured: Measured, verdict: Verdict) -> str:
    name = ladder.term.name
    if verdict.grade is None:
        return unreadable(name, verdict.lacks or "")
    value = f"{measured.qualifier or ''}{wording.plain(measured.value)}{wording.of_unit(ladder.unit)}"
    if verdict.by is None:
        return f"{name} grade 0 by CTCAE v{EDITION}: {value} meets no grade."
    met = _in_numbers(verdict.by, ladder)
    return (
        f"{name} grade {verdict.grade} by CTCAE v{EDITION}, {arm(verdict)} arm: {value} is {verdict.by.band.says}{met}."
    )


def _in_numbers(range_: Range, ladder: Ladder) -> str:
    """The range of values, where the band speaks of multiples or of changes."""
    if range_.missing or range_.band.arm == ABSOLUTE:
        return ""
    low = None if range_.low is None else wording.number(range_.low)
    high = None if range_.high is None else wording.number(range_.high)
    numbers = wording.span(low, range_.low_inclusive, high, range_.high_inclusive)
    return f" ({numbers}{wording.of_unit(ladder.unit)})"


def _undecided(measured: Measured, verdict: Verdict, policy: Policy) -> Iterator[str]:
    if len(verdict.possible) < 2:
        return
    why = f"{' and '.join(verdict.unknown)} not known" if verdict.unknown else "the value is only a bound"
    if verdict.unknown and measured.qualifier is not None:
        why = f"{why}, and the value is only a bound"
    listed = ", ".join(map(str, verdict.possible))
    yield f"Possible are grades {listed} ({why}); the policy takes the {policy.pick.value}."


def _references(ladder: Ladder, limits: Limits, baseline: Baseline, verdict: Verdict) -> str:
    named = (("LLN", limits.lln), ("ULN", limits.uln), ("baseline", baseline.value))
    given = [f"{name} {'none' if value is None else wording.plain(value)}" for name, value in named]
    judged = ""
    if verdict.abnormal is not None:
        state = "abnormal" if verdict.abnormal else "normal"
        how = "as stated" if baseline.abnormal is not None else "by these limits"
        if baseline.abnormal is None and baseline.value is None:
            how = "as none is known: no abnormal one would give a higher grade"
        judged = f" (taken as {state}, {how})"
    return f"Used: {', '.join(given)}{judged}{_unit_of(ladder)}."


def _chosen(baseline: Baseline) -> Iterator[str]:
    if baseline.chosen is not None:
        yield f"The baseline is {baseline.chosen}."


def _unit_of(ladder: Ladder) -> str:
    return f"; unit {ladder.unit.code}" if ladder.unit else "; no unit: the limits are taken to be in that of the value"


def _yielded(verdict: Verdict) -> Iterator[str]:
    if verdict.yielded is not None:
        band = verdict.yielded.band
        yield f"It lies within its reference range, which comes before the band of grade {band.grade} ({band.says})."


def _neighbours(ladder: Ladder, verdict: Verdict) -> Iterator[str]:
    if verdict.grade is None:
        return
    grades = sorted({each.band.grade for each in verdict.ranges if each.band.grade is not None})
    above = next((grade for grade in grades if grade > verdict.grade), None)
    below = next((grade for grade in reversed(grades) if 0 < grade < verdict.grade), None)
    for grade, beginning in ((above, "Not grade"), (below, "Not only grade")):
        if grade is None:
            continue
        own = [each for each in verdict.ranges if each.band.grade == grade and not each.missing]
        needs = " or ".join(f"{each.band.says}{_in_numbers(each, ladder)}" for each in own)
        if needs:
            yield f"{beginning} {grade}, which is {needs}."


def _unjudged(verdict: Verdict) -> Iterator[str]:
    """Alternatives that could not be looked at, said where they might have raised the grade."""
    lacking = [each for each in verdict.ranges if each.missing and each.band.role is Role.OR]
    if lacking and verdict.grade is not None:
        listed = "; ".join(f"grade {each.band.grade}: {each.band.says}" for each in lacking)
        yield f"Not looked at for want of a {lacking[0].missing}: {listed}."


def _bedside(ladder: Ladder, verdict: Verdict) -> Iterator[str]:
    beyond = [band for band in ladder.clinical if (band.grade or 0) > (verdict.grade or 0)]
    if verdict.grade and beyond:
        listed = "; ".join(f"{band.grade} if {band.condition}" for band in beyond)
        yield f"A value alone cannot tell grade {listed}."
