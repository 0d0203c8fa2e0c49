"""Non-compartmental kinetics of one participant's CAR-T cells, or copies, after each infusion, at actual times.

Samples belong to the last infusion before them. Blood is drawn at visits: Cmax and Tmax are those observed there, and
a peak between two visits is not seen. The rules are `shared.kinetics`, the settings `persistence` of the protocol.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from pydantic import Field

from services.projector.domain.figures import Exact, Figure, Value
from shared.kinetics.noncompartmental import KineticRule, Kinetics, kinetics
from shared.kinetics.points import Point
from shared.protocol import Protocol

DAY = timedelta(days=1)
SHOWN_DAY = Decimal("0.0001")  # of a day, 9 seconds


class ObservedAt(StrEnum):
    """When the samples were drawn that a peak was looked for in."""

    SCHEDULED_VISITS = "scheduled-visits"
    VISITS_AND_BETWEEN = "scheduled-visits-and-between"


@dataclass(frozen=True, slots=True)
class MeasuredAt:
    """What one sample says. `value` None: it gives no such number."""

    collected_at: datetime
    value: Value | None
    scheduled: bool


class KineticsOfInfusion(Figure):
    """The kinetics after one infusion; times are days since it began. null: `missing` says by name why."""

    infusion: int
    infused_at: datetime
    observed_at: ObservedAt = Field(description="Where the peak was looked for: between two samples it is not seen")
    n: int = Field(description="Samples after this infusion and before the next")
    cmax: Exact | None
    tmax_d: Exact | None
    clast: Exact | None
    tlast_d: Exact | None
    auc_last: Exact | None
    auc_interval: Exact | None = Field(description="Over the protocol's interval, interpolated at its ends")
    auc_inf: Exact | None
    lambda_z: Exact | None = Field(description="Per day")
    half_life_d: Exact | None
    lambda_z_points: int | None
    adjusted_r2: Exact | None
    missing: dict[str, str] = Field(description="Why what is null cannot be had")
    remarks: tuple[str, ...] = Field(description="What was left out, and what stands for values below the limit")


_IN_DAYS = {"tmax": "tmax_d", "tlast": "tlast_d", "half_life": "half_life_d"}


def kinetics_of(
    protocol: Protocol, infusions: Sequence[datetime], measured: Iterable[MeasuredAt]
) -> tuple[KineticsOfInfusion, ...]:
    """For each infusion, in order of time."""
    samples = sorted(measured, key=lambda each: each.collected_at)
    return tuple(_each(KineticRule.of(protocol), infusions, samples))


def _each(
    rule: KineticRule, infusions: Sequence[datetime], samples: Sequence[MeasuredAt]
) -> Iterator[KineticsOfInfusion]:
    ends = (*infusions[1:], None)
    for number, (began, until) in enumerate(zip(infusions, ends, strict=False), start=1):
        mine = [each for each in samples if each.collected_at >= began and (until is None or each.collected_at < until)]
        found = kinetics([_point(each, began) for each in mine], rule)
        yield _shown(number, began, mine, found)


def _point(sample: MeasuredAt, began: datetime) -> Point:
    time = Decimal((sample.collected_at - began) // timedelta(microseconds=1)) / (DAY // timedelta(microseconds=1))
    value = sample.value
    if value is None:
        return Point(time, None)
    below = value.beyond is not None
    return Point(time, None if below else value.number, value.number if below else None, below)


def _shown(number: int, began: datetime, samples: Sequence[MeasuredAt], found: Kinetics) -> KineticsOfInfusion:
    between = any(not each.scheduled for each in samples)
    return KineticsOfInfusion(
        infusion=number,
        infused_at=began,
        observed_at=ObservedAt.VISITS_AND_BETWEEN if between else ObservedAt.SCHEDULED_VISITS,
        n=len(samples),
        cmax=found.cmax,
        tmax_d=_day(found.tmax),
        clast=found.clast,
        tlast_d=_day(found.tlast),
        auc_last=found.auc_last,
        auc_interval=found.auc_interval,
        auc_inf=found.auc_inf,
        lambda_z=found.lambda_z,
        half_life_d=found.half_life,
        lambda_z_points=found.lambda_z_points,
        adjusted_r2=found.adjusted_r2,
        missing={_IN_DAYS.get(name, name): why for name, why in found.missing.items()},
        remarks=found.remarks,
    )


def _day(time: Decimal | None) -> Decimal | None:
    return None if time is None else time.quantize(SHOWN_DAY, rounding=ROUND_HALF_EVEN)
