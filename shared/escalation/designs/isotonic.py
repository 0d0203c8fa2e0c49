"""The maximum tolerated dose (MTD) at the end of BOIN: isotonic regression of the observed rates, in exact fractions.

Toxicity does not fall with the dose, so neighbouring rates that do are pooled (pool-adjacent-violators), each weighted
by its participants. The MTD is the level whose rate is then nearest to the target.

Source: Liu & Yuan, J R Stat Soc C 2015;64:507-523. The CRAN package BOIN adds 0.05 to each count first and weights by
the variance; the rule for ties is the package's own.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from shared.escalation.designs.standing import LevelCount


def mtd(tried: Sequence[LevelCount], target: Fraction) -> int | None:
    """The level nearest to the target among those with evaluable participants; None: there is none.

    Of levels as near as each other one below the target comes before one above it; of several below it the highest,
    of several at or above it the lowest.
    """
    rates = regressed(tried)

    def nearness(level: int) -> tuple[Fraction, int]:
        beyond = rates[level] - target
        return abs(beyond), level if beyond >= 0 else -level

    return min(rates, key=nearness, default=None)


def regressed(tried: Sequence[LevelCount]) -> Mapping[int, Fraction]:
    """By level: the rate of DLT once no level has a higher one than the level above it."""
    pools: list[tuple[int, int, list[int]]] = []  # DLTs, participants, levels
    for each in sorted((each for each in tried if each.evaluable), key=lambda each: each.level):
        dlt, evaluable, levels = each.dlt, each.evaluable, [each.level]
        while pools and Fraction(pools[-1][0], pools[-1][1]) >= Fraction(dlt, evaluable):
            below = pools.pop()
            dlt, evaluable, levels = dlt + below[0], evaluable + below[1], below[2] + levels
        pools.append((dlt, evaluable, levels))
    return {level: Fraction(dlt, evaluable) for dlt, evaluable, levels in pools for level in levels}
