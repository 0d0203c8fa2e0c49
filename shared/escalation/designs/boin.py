"""The Bayesian optimal interval design (BOIN): the observed rate at the current level is held against two limits.

At or below lambda_e escalate, at or above lambda_d de-escalate, between them stay. A level is ruled out for good, with
all above it, where from three evaluable on the rate exceeds the target with a probability above the cutoff.

Source: Liu & Yuan, J R Stat Soc C 2015;64:507-523; formulas and defaults as in the CRAN package BOIN.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from math import comb

from shared.escalation.designs import isotonic
from shared.escalation.designs.standing import Decided, Decision, LevelCount, NotOfThisDesign, Standing

SUBTHERAPEUTIC = Decimal("0.6")  # phi1 of the target: Liu & Yuan 2015
OVERLY_TOXIC = Decimal("1.4")  # phi2 of the target: Liu & Yuan 2015
CUTOFF = Decimal("0.95")  # CRAN BOIN, cutoff.eli
EXTRA_SAFE_OFFSET = Decimal("0.05")  # CRAN BOIN, offset: the lowest level is judged by the cutoff less this
MINIMUM = 3  # evaluable, before a level is ruled out: Liu & Yuan 2015
DIGITS = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """lambda_e and lambda_d: the rates of DLT at or below which to escalate, at or above which to de-escalate."""

    escalate: Decimal
    de_escalate: Decimal


@lru_cache(maxsize=64)
def limits(target: Decimal) -> Limits:
    """The optimal interval around a target rate, which minimises wrong decisions."""
    with localcontext(prec=DIGITS):
        low, high = SUBTHERAPEUTIC * target, OVERLY_TOXIC * target
        return Limits(
            ((1 - low) / (1 - target)).ln() / (target * (1 - low) / (low * (1 - target))).ln(),
            ((1 - target) / (1 - high)).ln() / (high * (1 - target) / (target * (1 - high))).ln(),
        )


def excess(count: LevelCount, target: Decimal) -> Fraction:
    """The posterior probability that the rate exceeds the target, with the prior Beta(1, 1); exact.

    The upper tail of Beta(1 + m, 1 + n - m) is the probability of at most m successes in n + 1 trials.
    Source: the relation of the beta and the binomial distribution, Abramowitz & Stegun 26.5.24.
    """
    rate, trials = Fraction(target), count.evaluable + 1
    terms = (comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(count.dlt + 1))
    return sum(terms, start=Fraction(0))


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The same in whole numbers, for so many evaluable. None: no number of DLTs is enough."""

    escalate_up_to: int
    de_escalate_from: int
    eliminate_from: int | None
    stop_lowest_from: int | None  # where the lowest level is judged more strictly


def boundaries(target: Decimal, evaluable: int, cutoff: Decimal = CUTOFF) -> Boundaries:
    """DLTs among so many evaluable, from 1 on, that lead to each decision."""
    found = limits(target)
    eliminate = _first_above(cutoff, target, evaluable)
    de_escalate = next(dlt for dlt in range(evaluable + 1) if dlt >= found.de_escalate * evaluable)
    return Boundaries(
        escalate_up_to=int(found.escalate * evaluable),
        de_escalate_from=de_escalate if eliminate is None else min(de_escalate, eliminate),
        eliminate_from=eliminate,
        stop_lowest_from=_first_above(cutoff - EXTRA_SAFE_OFFSET, target, evaluable),
    )


def _first_above(cutoff: Decimal, target: Decimal, evaluable: int) -> int | None:
    counts = (LevelCount(1, evaluable, dlt, 0) for dlt in range(evaluable + 1))
    return next((each.dlt for each in counts if _too_toxic(each, target, cutoff)), None)


def _too_toxic(count: LevelCount, target: Decimal, cutoff: Decimal) -> bool:
    return count.evaluable >= MINIMUM and excess(count, target) > Fraction(cutoff)


def decide(at: Standing) -> Decided:
    """What BOIN says of the current level. While windows are open: only what they can no longer change.

    Raises:
        NotOfThisDesign: no target.
    """
    if at.parameters.target is None:
        raise NotOfThisDesign("BOIN needs `parameters.target`: the rate of DLT that is aimed at, such as 0.30")
    now = _Escalation(at, at.parameters.target)
    if not at.pending:
        return now.decided()
    best, worst = (
        _Escalation(at.closed(with_dlt=with_dlt), at.parameters.target).decided() for with_dlt in (False, True)
    )
    if best.decision is worst.decision is Decision.DECLARE_MTD:
        return now.answer(Decision.WAIT, None, "the escalation has ended; the MTD is declared once every window closed")
    if best.says != worst.says:
        why = (
            f"those pending decide between {best.decision.value} without a DLT and {worst.decision.value} with one each"
        )
        return now.answer(Decision.WAIT, None, why)
    return now.answer(best.decision, best.next_level, "whatever those pending show")


class _Escalation:
    """One escalation whose windows count as closed."""

    def __init__(self, at: Standing, target: Decimal) -> None:
        self._at, self._target, self._limits = at, target, limits(target)
        asked = at.parameters
        self._cutoff = CUTOFF if asked.elimination_cutoff is None else asked.elimination_cutoff
        toxic = [level for level, each in at.counts.items() if _too_toxic(each, target, self._cutoff_of(level))]
        self._highest = min(toxic, default=asked.levels + 1) - 1  # that may be treated; 0: none may

    def _cutoff_of(self, level: int) -> Decimal:
        strictly = self._at.parameters.extra_safe and level == 1
        return self._cutoff - EXTRA_SAFE_OFFSET if strictly else self._cutoff

    def decided(self) -> Decided:
        if self._highest == 0:
            return self.answer(Decision.STOP, None, "the lowest level is too toxic: no level is tolerated")
        if self._at.is_full:
            return self._ended("as many are enrolled as were planned")
        if self._at.current_level > self._highest:
            return self._down("the level is too toxic")
        here = self._at.current
        if here.evaluable == 0 or here.evaluable % (self._at.parameters.cohort_size or 1):
            return self._same("its cohort is not full")
        return self._by_rate(here)

    def _by_rate(self, here: LevelCount) -> Decided:
        with localcontext(prec=DIGITS):
            rate = Decimal(here.dlt) / here.evaluable
        if rate <= self._limits.escalate:
            return self._up(f"the rate {rate:.4f} is at most {self._limits.escalate:.4f}")
        if rate >= self._limits.de_escalate:
            return self._down(f"the rate {rate:.4f} is at least {self._limits.de_escalate:.4f}")
        return self._same(f"the rate {rate:.4f} lies in {self._limits.escalate:.4f} to {self._limits.de_escalate:.4f}")

    def _up(self, why: str) -> Decided:
        level = self._at.current_level
        if level < self._highest:
            return self._to(level + 1, Decision.ESCALATE, why)
        top = level == self._at.parameters.levels
        return self._same(f"{why}, but {'it is the highest level' if top else 'the level above is too toxic'}")

    def _down(self, why: str) -> Decided:
        lower = min(self._at.current_level - 1, self._highest)
        if lower == 0:
            return self._same(f"{why}, but it is the lowest level and not too toxic")
        if not self._at.parameters.allow_deescalation:
            return self._ended(f"{why}, and nobody is treated at a lower level again", below=lower)
        return self._to(lower, Decision.DE_ESCALATE, why)

    def _same(self, why: str) -> Decided:
        return self._to(self._at.current_level, Decision.STAY, why)

    def _to(self, level: int, decision: Decision, why: str) -> Decided:
        most = self._at.parameters.max_per_level
        if most is not None and self._at.at(level).enrolled >= most:
            return self._ended(f"{why}, but no more are treated at level {level}")
        return self.answer(decision, level, why)

    def _ended(self, why: str, below: int | None = None) -> Decided:
        """No more are treated: the MTD is the level nearest to the target, of those that may be treated."""
        highest = self._highest if below is None else below
        tried = [each for level, each in self._at.counts.items() if level <= highest]
        found = isotonic.mtd(tried, Fraction(self._target))
        if found is None:
            return self.answer(Decision.STOP, None, f"{why}; no level that may be treated has been tried")
        rate = isotonic.regressed(tried)[found]
        near = f"{why}; by isotonic regression level {found} is nearest to the target, with a rate of {float(rate):.4f}"
        return self.answer(Decision.DECLARE_MTD, None, near, mtd=found)

    def answer(self, decision: Decision, next_level: int | None, why: str, mtd: int | None = None) -> Decided:
        eliminated = tuple(range(self._highest + 1, self._at.parameters.levels + 1))
        here = f"Level {self._at.current_level}: {self._at.current}"
        return Decided(decision, next_level, mtd, eliminated, f"{here}. {decision.value.capitalize()}: {why}.")
