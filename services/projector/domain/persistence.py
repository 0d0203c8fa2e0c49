"""Persistence of CAR-T cells: how many participants still have them, how many cells, and each one's own course.

A time point has the sample that serves its visit; median and range are of values observed at scheduled visits, so a
peak between two visits is not seen. A value below the limit of quantification (BLQ) is never a number: see
`figures.median`. Samples without a value (a percentage without the lymphocyte count that would make it an absolute
one) count for detection alone. A participant's course has every sample after the infusion at its actual time,
scheduled or not.

Source: tisagenlecleucel reporting (Blood Adv 2020;4:560) for Cmax, Tmax, Clast, Tlast (CDISC CMAX C70918, TMAX C70919,
CLST C85655, TLST C85822). Loss is the protocol's number of consecutive visits below the limit at the end of a course.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import (
    Exact,
    Figure,
    Level,
    Percent,
    Range,
    Value,
    highest,
    level,
    median,
    percent,
    span,
)
from shared.protocol import Assessment, MeasureId, Moment, ParentPopulation, Protocol, Visit
from shared.protocol.schedule import assign_visits


@dataclass(frozen=True, slots=True)
class Sample:
    """One flow result that stands. `value` is the measure that is tabulated; None: the report does not give it."""

    flow_result_id: UUID
    participant_id: UUID
    collected_at: datetime
    value: Value | None
    detectable: bool


class Quantity(Figure):
    """What is tabulated: CAR+ cells/uL, or CAR+ cells in percent of one parent population."""

    specimen: str = Field(examples=["blood"])
    unit: str = Field(description="UCUM", examples=["/uL", "%"])
    percent_of: ParentPopulation | None = Field(None, description="The parent population of a percentage")


class TimePointPersistence(Figure):
    """One time point. `n` participants have a sample at its visit; `n_measured` of them have a value or a BLQ."""

    visit: str
    label: str
    n: int
    n_detectable: int
    percent_detectable: Percent | None
    n_measured: int
    n_below_lloq: int
    median: Level | None
    range: Range | None


class SampleInCourse(Figure):
    """One sample of one participant's course."""

    flow_result_id: UUID
    collected_at: datetime
    day: int
    visit: str | None = Field(description="The visit it serves; None: unscheduled")
    value: Level | None
    detectable: bool


class Observed(Figure):
    """A quantified value at its actual time."""

    value: Exact
    collected_at: datetime
    day: int


class CarTCourse(Figure):
    """One participant's course after the infusion.

    `cmax` is the highest quantified value at `tmax` (the first, if tied), `clast` the last quantified one. `lost`:
    the course ends with the protocol's number of visits below the limit; `lost_on_day` is the first of them.
    """

    participant_id: UUID
    subject_number: str
    samples: tuple[SampleInCourse, ...]
    cmax: Observed | None
    clast: Observed | None
    last_detectable_at: datetime | None
    last_detectable_day: int | None
    lost: bool
    lost_on_day: int | None


class Persistence(Figure):
    """The persistence table, and each participant's course."""

    quantity: Quantity
    infused: int
    time_points: tuple[TimePointPersistence, ...]
    participants: tuple[CarTCourse, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A sample in its participant's schedule."""

    sample: Sample
    moment: Moment
    visit: Visit | None

    @property
    def quantified(self) -> Decimal | None:
        value = self.sample.value
        return value.number if value is not None and value.beyond is None else None

    @property
    def is_below_lloq(self) -> bool:
        return self.sample.value is not None and self.sample.value.beyond == "<"


def persistence(
    protocol: Protocol, cohort: Sequence[Infused], samples: Iterable[Sample], *, quantity: Quantity
) -> Persistence:
    """The table of the persistence outcome."""
    people = sorted(cohort, key=lambda participant: participant.order)
    taken: dict[UUID, list[Sample]] = {each.participant_id: [] for each in people}
    for sample in samples:
        if sample.participant_id in taken:
            taken[sample.participant_id].append(sample)
    placed = {each.participant_id: _placed(protocol, each, taken[each.participant_id]) for each in people}
    return Persistence(
        quantity=quantity,
        infused=len(people),
        time_points=tuple(_time_points(protocol, list(placed.values()))),
        participants=tuple(_course(protocol, each, placed[each.participant_id]) for each in people),
    )


def _placed(protocol: Protocol, participant: Infused, samples: Iterable[Sample]) -> tuple[Placed, ...]:
    """One sample per draw, in order of time: of several results of one draw the one that says most."""
    in_time = sorted(samples, key=lambda each: (each.collected_at, _says_little(each), each.flow_result_id))
    draws = [next(same) for _, same in groupby(in_time, key=lambda each: each.collected_at)]
    moments = [participant.moment_of(protocol, each.collected_at) for each in draws]
    visits = assign_visits(protocol, Assessment.CAR_T_FLOW, moments)
    return tuple(Placed(*each) for each in zip(draws, moments, visits, strict=True))


def _says_little(sample: Sample) -> int:
    if sample.value is None:
        return 2
    return 0 if sample.value.beyond is None else 1


def _time_points(protocol: Protocol, courses: Iterable[Sequence[Placed]]) -> Iterator[TimePointPersistence]:
    everybody = [placed for course in courses for placed in course]
    for point in protocol.measure(MeasureId.PERSISTENCE).time_points:
        here = [each.sample for each in everybody if each.visit is not None and each.visit.code == point.visit]
        values = [each.value for each in here if each.value is not None]
        detectable = sum(each.detectable for each in here)
        yield TimePointPersistence(
            visit=point.visit,
            label=point.label,
            n=len(here),
            n_detectable=detectable,
            percent_detectable=percent(detectable, len(here)),
            n_measured=len(values),
            n_below_lloq=sum(value.beyond == "<" for value in values),
            median=median(values),
            range=span(values),
        )


def _course(protocol: Protocol, participant: Infused, placed: Sequence[Placed]) -> CarTCourse:
    after = [each for each in placed if each.moment.after_infusion]
    detectable = [each for each in after if each.sample.detectable]
    lost_on_day = _lost_on_day(after, protocol.persistence.loss_consecutive_visits.value)
    return CarTCourse(
        participant_id=participant.participant_id,
        subject_number=participant.subject_number,
        samples=tuple(map(_in_course, after)),
        cmax=_observed(after, highest),
        clast=_observed(after, lambda values: len(values) - 1),
        last_detectable_at=detectable[-1].sample.collected_at if detectable else None,
        last_detectable_day=detectable[-1].moment.day if detectable else None,
        lost=lost_on_day is not None,
        lost_on_day=lost_on_day,
    )


def _in_course(placed: Placed) -> SampleInCourse:
    return SampleInCourse(
        flow_result_id=placed.sample.flow_result_id,
        collected_at=placed.sample.collected_at,
        day=placed.moment.day,
        visit=None if placed.visit is None else placed.visit.code,
        value=None if placed.sample.value is None else level(placed.sample.value),
        detectable=placed.sample.detectable,
    )


def _observed(placed: Sequence[Placed], which: Callable[[Sequence[Value]], int]) -> Observed | None:
    """The quantified value that `which` picks, with its time."""
    quantified = [(each, number) for each in placed if (number := each.quantified) is not None]
    if not quantified:
        return None
    each, number = quantified[which([Value(number) for _, number in quantified])]
    return Observed(value=number, collected_at=each.sample.collected_at, day=each.moment.day)


def _lost_on_day(placed: Sequence[Placed], visits: int) -> int | None:
    """The day of the first visit below the limit after the last quantified sample, where there are enough of them.

    What was never quantified cannot be lost.
    """
    quantified = [place for place, each in enumerate(placed) if each.quantified is not None]
    if not quantified:
        return None
    below = [each for each in placed[quantified[-1] + 1 :] if each.visit is not None and each.is_below_lloq]
    return below[0].moment.day if len(below) >= visits else None
