"""What a table says of values of which some lie beyond a limit: how many, and the estimates that honour that."""

from collections.abc import Sequence

from pydantic import Field

from services.projector.domain.figures import Figure, Level, Value, level
from shared.statistics import censored
from shared.statistics.censored import Measurement, Method, NoEstimate


class Estimate(Figure):
    """A statistic, or why there is none. A `<` or `>` says that it lies beyond the number: the data tell no more."""

    value: Level | None
    method: Method = Field(description="`plain` where no value lies beyond a limit")
    missing: NoEstimate | None


class Estimates(Figure):
    """Median and geometric mean with values beyond limits by Kaplan-Meier (Helsel 2012); nothing stands in for them."""

    n: int
    n_quantified: int
    n_below_lloq: int
    n_above_uloq: int
    n_censored: int
    median: Estimate
    geometric_mean: Estimate


def estimates(values: Sequence[Value]) -> Estimates:
    told = [Measurement(each.number, each.beyond) for each in values]
    below, above = (sum(each.beyond == side for each in values) for side in ("<", ">"))
    return Estimates(
        n=len(values),
        n_quantified=len(values) - below - above,
        n_below_lloq=below,
        n_above_uloq=above,
        n_censored=below + above,
        median=_estimate(censored.median(told)),
        geometric_mean=_estimate(censored.geometric_mean(told)),
    )


def _estimate(found: censored.Estimate) -> Estimate:
    value = None if found.number is None else level(Value(found.number, found.beyond))
    return Estimate(value=value, method=found.method, missing=found.missing)
