"""Distribution of the CAR+ cells over CD4 and CD8, and over memory by CD45RA and CCR7, in percent of all CAR+ cells.

Shares of cells too few to be counted are left out, and counted: a share of 20 events is chance. Median and range are of
the samples in which a subset was measured; the ratio of CD4 to CD8 is of those that have both, and CD8 above 0.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from statistics import median as middle

from pydantic import Field

from services.projector.domain.figures import Exact, Figure
from shared.contracts.biomarkers import CarSubsets

HUNDREDTH = Decimal("0.01")


class Subset(StrEnum):
    """By their names in a flow report."""

    CD4 = "cd4_percent"
    CD8 = "cd8_percent"
    NAIVE = "naive_percent"  # CD45RA+ CCR7+
    CENTRAL_MEMORY = "central_memory_percent"  # CD45RA- CCR7+
    EFFECTOR_MEMORY = "effector_memory_percent"  # CD45RA- CCR7-
    TEMRA = "temra_percent"  # CD45RA+ CCR7-


class Spread(Figure):
    """Median and range of `n` samples; null where there is none."""

    n: int
    median: Exact | None
    lowest: Exact | None
    highest: Exact | None


class SubsetShare(Spread):
    """One subset in percent of all CAR+ cells."""

    subset: Subset


class SubsetDistribution(Figure):
    """The subsets at one time point."""

    n: int = Field(description="Samples with a subset that count")
    n_too_few: int = Field(description="Samples with subsets of cells too few to be counted, left out")
    shares: tuple[SubsetShare, ...]
    cd4_to_cd8: Spread = Field(description="The ratio, to a hundredth")


def subset_distribution(told: Iterable[tuple[CarSubsets, bool]]) -> SubsetDistribution:
    """`told`: the subsets of each sample, and whether its CAR+ cells lay below the limit of quantification."""
    every = list(told)
    counting = [subsets for subsets, below in every if not below]
    shares = {
        subset: [share for each in counting if (share := getattr(each, subset.value)) is not None] for subset in Subset
    }
    ratios = [
        (each.cd4_percent / each.cd8_percent).quantize(HUNDREDTH, rounding=ROUND_HALF_EVEN)
        for each in counting
        if each.cd4_percent is not None and each.cd8_percent
    ]
    return SubsetDistribution(
        n=len(counting),
        n_too_few=len(every) - len(counting),
        shares=tuple(SubsetShare(subset=subset, **dict(_spread(found))) for subset, found in shares.items()),
        cd4_to_cd8=_spread(ratios),
    )


def _spread(values: Sequence[Decimal]) -> Spread:
    if not values:
        return Spread(n=0, median=None, lowest=None, highest=None)
    return Spread(n=len(values), median=middle(values), lowest=min(values), highest=max(values))
