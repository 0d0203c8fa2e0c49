"""IRECIST: RECIST 1.1 for immunotherapy, where a first progression is unconfirmed.

A progression by RECIST 1.1 is iUPD. Four weeks later or more it is confirmed (iCPD) by further growth of the target
sum of at least 5 mm, further worsening of non-target disease, another new lesion, or growth of the new ones of at least
5 mm; where it began with non-target disease or a new lesion, by progression of the target sum, too. Unchanged, it stays
iUPD; back to stable disease or response by RECIST 1.1, the bar is reset, and a later progression is again iUPD. What is
confirmed stays confirmed.

Source: Seymour, Lancet Oncol 2017;18:e143, tables 2 and 3; that progression of another category confirms: EORTC,
iRECIST FAQ, "If iUPD is driven by non-target disease, how is progression confirmed at the next assessment?".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.efficacy.domain.criteria.limits import FOUR_WEEKS, Confirmation, Confirmed
from services.efficacy.domain.criteria.percent_change import Outline, PercentChange
from services.efficacy.domain.criteria.readings import Judgement, Reading
from services.efficacy.domain.criteria.recist_1_1 import LEAST_GROWTH_MM, RECIST_1_1
from shared.contracts.efficacy_terms import NonTargetStatus, Response
from shared.contracts.terms import earliest, latest

NAME = "IRECIST"
IMMUNE = {
    Response.CR: Response.ICR,
    Response.PR: Response.IPR,
    Response.SD: Response.ISD,
    Response.NON_CR_NON_PD: Response.NON_ICR_NON_IUPD,
    Response.NE: Response.NE,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading as RECIST 1.1 has it: by this a progression that waits to be confirmed is outgrown."""

    reading: Reading
    outline: Outline


@dataclass(frozen=True, slots=True)
class Step:
    """What one reading amounts to, and which progression waits after it. `rule`: None is that of RECIST 1.1."""

    response: Response
    waiting: Seen | None
    rule: str | None = None
    before: str = ""
    after: str = ""

    def told(self, judged: Judgement) -> Judgement:
        return replace(
            judged,
            response=self.response,
            rule=self.rule or judged.rule,
            explanation=f"{self.before} {judged.explanation} {self.after}".strip(),
            would_change=judged.would_change if judged.response is Response.PD else (),
        )


@dataclass(frozen=True, slots=True)
class IRecist:
    """RECIST 1.1 run over all readings so far, for what is unconfirmed now depends on what came before."""

    recist: PercentChange
    name: str = NAME

    @property
    def diameters(self) -> PercentChange:
        return self.recist

    @property
    def asks(self) -> tuple[str, ...]:
        return ()

    @property
    def vocabulary(self) -> frozenset[Response]:
        return frozenset({*IMMUNE.values(), Response.IUPD, Response.ICPD})

    def judge(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Judgement:
        waiting: Seen | None = None
        confirmed = False
        for each in map(Seen, earlier, self.recist.outlines(baseline, earlier)):
            step = _step(each, waiting)
            waiting, confirmed = step.waiting, confirmed or step.response is Response.ICPD
        judged = self.recist.judge(baseline, earlier, current)
        assert judged.response is not None  # noqa: S101 - RECIST covers every kind of lesion
        # Asked only where it matters: it takes as long as the rest.
        has_grown = waiting is not None and self.recist.outlines(baseline, (*earlier, current))[-1].has_grown
        now = Outline(judged.response, judged.basis.seen_sum, has_grown)
        answer = _step(Seen(current, now), waiting).told(judged)
        if confirmed and answer.response is not Response.ICPD:
            return replace(answer, response=Response.ICPD, rule="confirmed-before", explanation=_ONCE)
        return answer


_ONCE = "The progression was confirmed at an earlier assessment."
_FIRST = "A first progression is unconfirmed: image again after 4 to 8 weeks."


def _step(now: Seen, waiting: Seen | None) -> Step:
    response = now.outline.response
    if response is not Response.PD:
        return Step(IMMUNE[response], waiting if response is Response.NE else None)
    if waiting is None:
        return Step(Response.IUPD, now, after=_FIRST)
    first, worse = waiting.reading.on, _further(waiting, now)
    if not worse:
        why = f"The progression of {first} has gone no further."
        return Step(Response.IUPD, waiting, "unconfirmed-unchanged", why)
    if (latest(now.reading.on) - earliest(first)).days < FOUR_WEEKS:
        why = f"{worse}, but less than {FOUR_WEEKS} days after {first}."
        return Step(Response.IUPD, waiting, "unconfirmed-too-early", why)
    return Step(Response.ICPD, None, "confirmed", f"{worse} since {first}, which confirms the progression.")


def _further(waiting: Seen, seen: Seen) -> str | None:
    """What has worsened further since the progression was first seen."""
    before, now = waiting.reading, seen.reading
    sum_before, sum_now = waiting.outline.seen_sum, seen.outline.seen_sum
    if sum_now is not None and sum_before is not None and sum_now - sum_before >= LEAST_GROWTH_MM:
        return f"The target sum has grown by {sum_now - sum_before} mm"
    if seen.outline.has_grown and not waiting.outline.has_grown:
        return "The target sum has progressed, which it had not"
    if now.non_target is NonTargetStatus.PD and before.non_target is not NonTargetStatus.PD:
        return "Non-target disease has worsened"
    if now.new_lesion and (not before.new_lesion or now.new_labels - before.new_labels or not now.new_labels):
        return "Another new lesion has appeared"
    if now.new_sum_mm is not None and before.new_sum_mm is not None:
        grown = now.new_sum_mm - before.new_sum_mm
        if grown >= LEAST_GROWTH_MM:
            return f"The new lesions have grown by {grown} mm"
    return None


_DIAMETERS = replace(
    RECIST_1_1,
    name=NAME,
    confirmation=Confirmation(Confirmed.PROGRESSION, FOUR_WEEKS),
    source="Seymour, Lancet Oncol 2017;18:e143",
)

IRECIST = IRecist(_DIAMETERS)
