"""When CAR-T cells were lost, as far as visits can tell, and the time to it by Kaplan-Meier.

Loss is the protocol's number of visits below the limit in a row that no cells follow. It lies between the last sample
with cells and the first below the limit after it; it is timed at the first of those visits, as progression is at the
assessment that shows it. Who still had cells in the last sample is censored there; so is, at the last sample with
cells, who was below the limit in fewer visits than make a loss. What was never quantified cannot be lost, and is not
in the analysis. Source: settings `persistence` of the protocol; FDA 2018 for the dating of what visits show.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from services.projector.domain.figures import Figure
from services.projector.domain.survival_table import (
    CurveStep,
    EstimateAtTimePoint,
    MedianTime,
    curve_step,
    estimates_at_time_points,
    median_time,
)
from shared.protocol import MeasureId, Protocol
from shared.statistics.kaplan_meier import Observation, kaplan_meier


class PersistenceStatus(StrEnum):
    """How a participant's course ends."""

    LOST = "lost"
    PERSISTING = "persisting"  # with cells in the last sample
    NOT_CONFIRMED = "below-limit-not-confirmed"  # below the limit at the end, in fewer visits than make a loss
    NEVER_QUANTIFIED = "never-quantified"


class PersistenceEnd(Figure):
    """The end of one participant's persistence: an interval if lost, else open to the right. In study days."""

    status: PersistenceStatus
    after_day: int | None = Field(description="The last sample with cells; null: never quantified")
    by_day: int | None = Field(description="The first sample below the limit after it; null: none, censored")
    days: int | None = Field(description="The time in the analysis; null: not in it")
    event: bool


class LossOfPersistence(Figure):
    """The time to loss of those whose cells were quantified, in days since the infusion."""

    n: int
    events: int
    censored: int
    median: MedianTime
    time_points: tuple[EstimateAtTimePoint, ...]
    curve: tuple[CurveStep, ...]


NEVER = PersistenceEnd(status=PersistenceStatus.NEVER_QUANTIFIED, after_day=None, by_day=None, days=None, event=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one sample shows on its study day: cells, or a value below the limit, or (neither) nothing."""

    day: int
    cells: bool
    below: bool


def persistence_end(samples: Sequence[Seen], *, lost_at: int | None) -> PersistenceEnd:
    """From the samples in order of time, one at least with cells; `lost_at` is the place of the visit that shows it."""
    counting = samples[:lost_at]
    last = max(place for place, each in enumerate(counting) if each.cells)
    by_day = next((each.day for each in samples[last + 1 :] if each.below), None)
    if lost_at is not None:
        status = PersistenceStatus.LOST
    else:
        status = PersistenceStatus.PERSISTING if by_day is None else PersistenceStatus.NOT_CONFIRMED
    return PersistenceEnd(
        status=status,
        after_day=samples[last].day,
        by_day=by_day,
        days=samples[last if lost_at is None else lost_at].day,
        event=lost_at is not None,
    )


def loss_of_persistence(protocol: Protocol, ends: Iterable[PersistenceEnd]) -> LossOfPersistence:
    timed = [Observation(each.days, each.event) for each in ends if each.days is not None]
    curve = kaplan_meier(timed)
    events = sum(each.event for each in timed)
    return LossOfPersistence(
        n=len(timed),
        events=events,
        censored=len(timed) - events,
        median=median_time(curve),
        time_points=tuple(estimates_at_time_points(protocol, MeasureId.PERSISTENCE, curve)),
        curve=tuple(curve_step(step) for step in curve.steps),
    )
