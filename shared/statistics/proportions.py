"""Confidence intervals of a proportion."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class IntervalMethod(StrEnum):
    """Clopper and Pearson 1934 is exact: it never covers less than it says. Wilson 1927 is shorter, and may."""

    CLOPPER_PEARSON = "clopper-pearson"
    WILSON = "wilson"


_AS_SCIPY_CALLS_IT = {IntervalMethod.CLOPPER_PEARSON: "exact", IntervalMethod.WILSON: "wilson"}


@dataclass(frozen=True, slots=True)
class Interval:
    """Both limits, of 0 to 1."""

    lower: float
    upper: float


@lru_cache(maxsize=1024)
def interval(successes: int, trials: int, method: IntervalMethod, confidence: float = 0.95) -> Interval:
    """The two-sided interval of a proportion, without continuity correction. There must be a trial.

    Source: scipy.stats.binomtest, proportion_ci.
    """
    from scipy.stats import binomtest  # noqa: PLC0415 - a slow import that few requests need

    found = binomtest(successes, trials).proportion_ci(confidence, method=_AS_SCIPY_CALLS_IT[method])
    return Interval(float(found.low), float(found.high))
