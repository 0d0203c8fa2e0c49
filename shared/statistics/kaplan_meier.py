"""The time to an event where it was not seen in everybody: Kaplan-Meier, its limits, the median with its interval.

Of those with the same time, events come before those who were censored. Times are in one unit, the caller's.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import exp, inf, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

TOLERANCE = 1.5e-8  # what is nearer to one half than this is one half: the square root of the machine's precision


class LimitsBy(StrEnum):
    """The scale on which an estimate is taken as normal: it keeps the limits more or less well between 0 and 1."""

    PLAIN = "plain"
    LOG = "log"
    LOG_LOG = "log-log"


class Observation(NamedTuple):
    """How long one participant was followed, from 0 on, and whether the event ended it; else it was censored."""

    time: float
    event: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Pointwise confidence limits, of 0 to 1."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Step:
    """One time at which somebody had the event or was censored. `survival` is the estimate from then on.

    `at_risk` were followed until just before. `dispersion` is Greenwood's sum, d / (n (n - d)) over the times up to
    this one: the variance of the logarithm of survival.
    """

    time: float
    at_risk: int
    events: int
    censored: int
    survival: float
    dispersion: float

    def limits(self, by: LimitsBy, confidence: float = 0.95) -> Limits | None:
        """None where the formula gives none: at survival 0, and on the log-log scale at survival 1."""
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        return _LIMITS[by](self.survival, z * sqrt(self.dispersion)) if self.survival > 0 else None


def _plain(survival: float, width: float) -> Limits:
    return Limits(max(0.0, survival - survival * width), min(1.0, survival + survival * width))


def _log(survival: float, width: float) -> Limits:
    return Limits(survival * exp(-width), min(1.0, survival * exp(width)))


def _log_log(survival: float, width: float) -> Limits | None:
    if survival == 1:
        return None
    theta = exp(width / log(survival))  # below 1, as the logarithm is negative
    return Limits(survival ** (1 / theta), survival**theta)


_LIMITS: dict[LimitsBy, Callable[[float, float], Limits | None]] = {
    LimitsBy.PLAIN: _plain,
    LimitsBy.LOG: _log,
    LimitsBy.LOG_LOG: _log_log,
}


@dataclass(frozen=True, slots=True)
class Median:
    """The time by which half had the event. None: so far not half, or the limit is not reached."""

    time: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """The estimate, by the times at which it was made. Before the first one everybody is free of the event."""

    steps: tuple[Step, ...]

    def survival_at(self, time: float) -> Step | None:
        """The step that holds at a time; None before the first."""
        return next((step for step in reversed(self.steps) if step.time <= time), None)

    def at_risk(self, time: float) -> int:
        """How many were followed until just before a time."""
        return next((step.at_risk for step in self.steps if step.time >= time), 0)

    def median(self, by: LimitsBy, confidence: float = 0.95) -> Median:
        """With the interval of Brookmeyer and Crowley 1982: the times whose limits hold one half between them.

        Where the curve, or a limit, lies at one half for a while, the middle of that while. Source: as R's package
        survival, print.survfit, prints it.
        """
        limits = [(step.time, step.limits(by, confidence)) for step in self.steps]
        known = [(time, found) for time, found in limits if found is not None]
        return Median(
            _half([(step.time, step.survival) for step in self.steps]),
            _half([(time, found.lower) for time, found in known]),
            _half([(time, found.upper) for time, found in known]),
        )


def _half(curve: Sequence[tuple[float, float]]) -> float | None:
    """The time at which a falling curve comes to one half."""
    below = [(time, height) for time, height in curve if height < 0.5 + TOLERANCE]
    if not below:
        return None
    first, height = below[0]
    if abs(height - 0.5) < TOLERANCE:
        falls = next((time for time, lower in below if lower < height - TOLERANCE), first)
        return (first + falls) / 2
    return first


def kaplan_meier(observations: Iterable[Observation]) -> Curve:
    """The product-limit estimate of Kaplan and Meier 1958; of nobody, a curve without steps.

    Source: scipy.stats.ecdf of right-censored data. Its own limits are not used: where the formula has none, they
    warn, and there are none on the log scale.
    """
    told = sorted(observations)
    if not told:
        return Curve(())
    from scipy.stats import CensoredData, ecdf  # noqa: PLC0415 - a slow import that few requests need

    ended = [each.time for each in told if each.event]
    left = [each.time for each in told if not each.event]
    survival = ecdf(CensoredData(uncensored=ended, right=left)).sf.probabilities
    counted = list(_counted(told))
    dispersions = accumulate(inf if n == d else d / (n * (n - d)) for _, n, d, _ in counted)
    return Curve(
        tuple(
            Step(time, n, d, censored, float(height), dispersion)
            for (time, n, d, censored), height, dispersion in zip(counted, survival, dispersions, strict=True)
        )
    )


def _counted(told: Sequence[Observation]) -> Iterator[tuple[float, int, int, int]]:
    """Each time with the number at risk just before, the events, and those censored."""
    events = Counter(each.time for each in told if each.event)
    censored = Counter(each.time for each in told if not each.event)
    at_risk = len(told)
    for time in sorted(events.keys() | censored.keys()):
        yield time, at_risk, events[time], censored[time]
        at_risk -= events[time] + censored[time]
