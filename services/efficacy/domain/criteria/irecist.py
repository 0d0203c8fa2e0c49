"""IRECIST: RECIST 1.1 for immunotherapy, where a first progression is unconfirmed.

A progression by RECIST 1.1 is iUPD. Four weeks later or more it is confirmed (iCPD) by further growth of the target
sum of at least 5 mm, further worsening of non-target disease, another new lesion, or growth of the new ones of at least
5 mm. Unchanged, it stays iUPD; back to stable disease or response by RECIST 1.1, the bar is reset, and a later
progression is again iUPD. What is confirmed stays confirmed.

Source: Seymour, Lancet Oncol 2017;18:e143, tables 2 and 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from services.efficacy.domain.criteria.percent_change import PercentChange
from services.efficacy.domain.criteria.readings import Judgement, Reading
from services.efficacy.domain.criteria.recist_1_1 import LEAST_GROWTH_MM, RECIST_1_1
from shared.contracts.efficacy_terms import NonTargetStatus, Response
from shared.contracts.terms import earliest, latest

NAME = "IRECIST"
CONFIRMATION_DAYS = 28

IMMUNE = {
    Response.CR: Response.ICR,
    Response.PR: Response.IPR,
    Response.SD: Response.ISD,
    Response.NON_CR_NON_PD: Response.NON_ICR_NON_IUPD,
    Response.NE: Response.NE,
}


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A progression that waits to be confirmed: how it was first seen, and by what it is outgrown."""

    reading: Reading
    judged: Judgement


@dataclass(frozen=True, slots=True)
class IRecist:
    """RECIST 1.1 run over all readings so far, for what is unconfirmed now depends on what came before."""

    recist: PercentChange
    name: str = NAME

    def judge(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Judgement:
        waiting: Unconfirmed | None = None
        confirmed = False
        readings = [*earlier, current]
        for at, reading in enumerate(readings):
            judged = self.recist.judge(baseline, readings[:at], reading)
            answer, waiting = _step(judged, reading, waiting)
            confirmed = confirmed or answer.response is Response.ICPD
        if confirmed and answer.response is not Response.ICPD:
            return replace(answer, response=Response.ICPD, rule="confirmed-before", explanation=_ONCE)
        return answer


_ONCE = "The progression was confirmed at an earlier assessment."


def _step(judged: Judgement, reading: Reading, waiting: Unconfirmed | None) -> tuple[Judgement, Unconfirmed | None]:
    """What one reading amounts to, and which progression waits after it."""
    if judged.response is not Response.PD:
        assert judged.response is not None  # noqa: S101 - RECIST covers every kind of lesion
        kept = waiting if judged.response is Response.NE else None
        return replace(judged, response=IMMUNE[judged.response], would_change=()), kept
    if waiting is None:
        why = f"{judged.explanation} A first progression is unconfirmed: image again after 4 to 8 weeks."
        return replace(judged, response=Response.IUPD, explanation=why), Unconfirmed(reading, judged)
    worse = _further(waiting, reading, judged)
    if not worse:
        why = f"The progression of {waiting.reading.on} has gone no further. {judged.explanation}"
        return replace(judged, response=Response.IUPD, rule="unconfirmed-unchanged", explanation=why), waiting
    if (latest(reading.on) - earliest(waiting.reading.on)).days < CONFIRMATION_DAYS:
        why = f"{worse}, but less than {CONFIRMATION_DAYS} days after {waiting.reading.on}. {judged.explanation}"
        return replace(judged, response=Response.IUPD, rule="unconfirmed-too-early", explanation=why), waiting
    why = f"{worse} since {waiting.reading.on}, which confirms the progression. {judged.explanation}"
    return replace(judged, response=Response.ICPD, rule="confirmed", explanation=why), None


def _further(waiting: Unconfirmed, now: Reading, judged: Judgement) -> str | None:
    """What has worsened further since the progression was first seen."""
    before, then = waiting.reading, waiting.judged.basis.seen_sum
    if judged.basis.seen_sum is not None and then is not None and judged.basis.seen_sum - then >= LEAST_GROWTH_MM:
        return f"The target sum has grown by {judged.basis.seen_sum - then} mm"
    if now.non_target is NonTargetStatus.PD and before.non_target is not NonTargetStatus.PD:
        return "Non-target disease has worsened"
    if now.new_lesion and (not before.new_lesion or now.new_labels - before.new_labels or not now.new_labels):
        return "Another new lesion has appeared"
    if now.new_sum_mm is not None and before.new_sum_mm is not None:
        grown = Fraction(now.new_sum_mm - before.new_sum_mm)
        if grown >= LEAST_GROWTH_MM:
            return f"The new lesions have grown by {now.new_sum_mm - before.new_sum_mm} mm"
    return None


IRECIST = IRecist(RECIST_1_1)
