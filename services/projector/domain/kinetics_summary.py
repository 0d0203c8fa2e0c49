"""Kinetics of a cohort: each parameter over the participants of whom it is known, and why it is not of the others.

One infusion of each participant counts, that from which the schedule counts. What cannot be had of a participant has
no place in a statistic, and nothing stands in for it: neither 0 nor a limit. So Cmax, Tmax, Clast, Tlast and areas are
of those in whom something was quantified, an area over an interval of those quantified until its end or later, a
half-life of those whose terminal slope meets the protocol's criteria; who is left out is counted beside, by the reason.
Where some are left out the figures describe the others alone: cells that are lost early give no area over the interval.

Source: tisagenlecleucel reporting (Blood Adv 2020;4:560) gives geometric means with n of each parameter.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from statistics import median as middle

from pydantic import Field

from services.projector.domain.cell_kinetics import KineticsOfInfusion, ObservedAt
from services.projector.domain.figures import Exact, Figure
from shared.statistics.censored import Measurement, NoEstimate, geometric_mean


class Parameter(StrEnum):
    """What is summarised, by its name in the kinetics of a participant. Comments: CDISC."""

    CMAX = "cmax"  # C70918
    TMAX = "tmax_d"  # C70919
    AUC_INTERVAL = "auc_interval"  # C85566
    AUC_LAST = "auc_last"  # C85565
    HALF_LIFE = "half_life_d"  # C85818
    TLAST = "tlast_d"  # C85822


class Standing(StrEnum):
    """Whether a participant has a parameter, and if not, why not."""

    KNOWN = "known"
    NOT_SAMPLED = "not-sampled"  # no sample after the infusion
    NEVER_QUANTIFIED = "never-quantified"  # every value below the limit, or none given
    NOT_DETERMINED = "not-determined"  # quantified, but too little of the curve is known


class ParameterSummary(Figure):
    """One parameter. `n` participants have it; of the others each counts under one reason."""

    parameter: Parameter
    n: int
    n_not_sampled: int
    n_never_quantified: int
    n_not_determined: int = Field(description="Quantified, but not known: the kinetics of each participant say why")
    median: Exact | None
    lowest: Exact | None
    highest: Exact | None
    geometric_mean: Exact | None = Field(description="Six significant digits; of positive numbers alone")
    no_geometric_mean: NoEstimate | None


class KineticsSummary(Figure):
    """Each parameter over the participants of whom it is known: values below a limit, and null, have no place in it."""

    n: int = Field(description="Participants infused")
    observed_at: ObservedAt = Field(description="Between two samples a peak is not seen: Cmax and Tmax are as observed")
    parameters: tuple[ParameterSummary, ...]


def counted(kinetics: Sequence[KineticsOfInfusion], day_zero: datetime) -> KineticsOfInfusion:
    """The kinetics after the infusion from which the schedule counts."""
    return max(kinetics, key=lambda each: each.infused_at == day_zero)


def kinetics_summary(kinetics: Sequence[KineticsOfInfusion]) -> KineticsSummary:
    """Of one infusion of each participant."""
    between = any(each.observed_at is ObservedAt.VISITS_AND_BETWEEN for each in kinetics)
    return KineticsSummary(
        n=len(kinetics),
        observed_at=ObservedAt.VISITS_AND_BETWEEN if between else ObservedAt.SCHEDULED_VISITS,
        parameters=tuple(_summary(parameter, kinetics) for parameter in Parameter),
    )


def _summary(parameter: Parameter, kinetics: Sequence[KineticsOfInfusion]) -> ParameterSummary:
    values = sorted(value for each in kinetics if (value := _value(each, parameter)) is not None)
    standing = Counter(_standing(each, parameter) for each in kinetics)
    mean = geometric_mean([Measurement(value) for value in values])
    return ParameterSummary(
        parameter=parameter,
        n=len(values),
        n_not_sampled=standing[Standing.NOT_SAMPLED],
        n_never_quantified=standing[Standing.NEVER_QUANTIFIED],
        n_not_determined=standing[Standing.NOT_DETERMINED],
        median=middle(values) if values else None,
        lowest=values[0] if values else None,
        highest=values[-1] if values else None,
        geometric_mean=mean.number,
        no_geometric_mean=mean.missing,
    )


def _value(each: KineticsOfInfusion, parameter: Parameter) -> Decimal | None:
    value: Decimal | None = getattr(each, parameter.value)
    return value


def _standing(each: KineticsOfInfusion, parameter: Parameter) -> Standing:
    if _value(each, parameter) is not None:
        return Standing.KNOWN
    if each.n == 0:
        return Standing.NOT_SAMPLED
    return Standing.NEVER_QUANTIFIED if each.cmax is None else Standing.NOT_DETERMINED
