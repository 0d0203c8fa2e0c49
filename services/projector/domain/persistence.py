"""Persistence of CAR-T cells: how many participants still have them, how many cells, and each one's own course.

Cells by flow cytometry and transgene copies by PCR are two series: a table is of one of them, in one compartment, and
never of both. Copies and other compartments are drawn at the visits of flow cytometry in blood [D].

A time point has the sample that serves its visit; median and range are of values observed at scheduled visits, so a
peak between two visits is not seen. A value below the limit of quantification (BLQ) is never a number: see
`figures.median`. Samples without a value (a percentage without the lymphocyte count that would make it an absolute
one) count for detection alone. A participant's course has every sample after the infusion at its actual time,
scheduled or not; its kinetics after each infusion are those of `cell_kinetics`, the end of it is told by
`loss_of_persistence`. Tables are given for all and, where asked, by dose level or by best overall response.

Source: tisagenlecleucel reporting (Blood Adv 2020;4:560) for Cmax, Tmax, Clast, Tlast (CDISC CMAX C70918, TMAX C70919,
CLST C85655, TLST C85822). Loss is the protocol's number of consecutive visits below the limit at the end of a course.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.projector.domain.car_t_series import Quantity, Sample, Series
from services.projector.domain.cell_kinetics import KineticsOfInfusion, MeasuredAt, kinetics_of
from services.projector.domain.cohort import Infused, in_order_of_dose
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
from services.projector.domain.kinetics_summary import KineticsSummary, counted, kinetics_summary
from services.projector.domain.loss_of_persistence import (
    NEVER,
    LossOfPersistence,
    PersistenceEnd,
    Seen,
    loss_of_persistence,
    persistence_end,
)
from services.projector.domain.specimen_list import of_flagged_specimen, without_specimen
from services.projector.domain.subset_distribution import SubsetDistribution, subset_distribution
from shared.contracts.biomarkers import CarSubsets
from shared.contracts.specimen_flags import SpecimenFlag
from shared.protocol import Assessment, AucMethod, MeasureId, Moment, Protocol, Visit
from shared.protocol.schedule import assign_visits
from shared.response.readings import Best, merit


class TimePointPersistence(Figure):
    """One time point. `n` participants have a sample at its visit; `n_measured` of them have a value or a BLQ.

    `n_without_specimen` of the results name no specimen; of `n_specimen_flagged` it was rejected, lost, in poor
    condition or corrected since. They count all the same.
    """

    visit: str
    label: str
    n: int
    n_detectable: int
    percent_detectable: Percent | None
    n_measured: int
    n_below_lloq: int
    median: Level | None
    range: Range | None
    n_without_specimen: int
    n_specimen_flagged: int
    subsets: SubsetDistribution | None = Field(description="Of the CAR+ cells; null: of transgene copies")


class SampleInCourse(Figure):
    """One sample of one participant's course."""

    flow_result_id: UUID | None = Field(description="null: of the series transgene")
    transgene_result_id: UUID | None = Field(description="null: of the series flow")
    collected_at: datetime
    day: int
    visit: str | None = Field(description="The visit it serves; None: unscheduled")
    value: Level | None
    detectable: bool
    subsets: CarSubsets | None = Field(description="In percent of all CAR+ cells; null: none was measured")
    method: str | None = Field(description="Of transgene copies", examples=["qpcr"])
    specimen_flags: tuple[SpecimenFlag, ...] = Field(description="What is to be known of the result's specimen")


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
    end: PersistenceEnd
    kinetics: tuple[KineticsOfInfusion, ...] = Field(description="One for each infusion")


class PersistenceBy(StrEnum):
    """How the cohort is divided, beside the table of all."""

    DOSE_LEVEL = "dose-level"
    BEST_RESPONSE = "best-response"


class GroupPersistence(Figure):
    """The table of one group."""

    grouped_by: PersistenceBy
    group: str | None = Field(description="null: those of whom it is not known")
    infused: int
    time_points: tuple[TimePointPersistence, ...]
    kinetics: KineticsSummary
    loss: LossOfPersistence


class KineticSettings(Figure):
    """By which of the protocol's settings areas are computed; the calculator of biomarkers takes others."""

    auc_method: AucMethod
    interval_from_day: int
    interval_until_day: int


class Persistence(Figure):
    """The persistence table, and each participant's course. Values are those observed at the samples drawn."""

    quantity: Quantity
    methods: tuple[str, ...] = Field(description="Of transgene copies: more than one stand side by side in this table")
    observed: Literal["at-scheduled-visits"] = "at-scheduled-visits"
    infused: int
    time_points: tuple[TimePointPersistence, ...]
    kinetics: KineticsSummary
    loss: LossOfPersistence
    groups: tuple[GroupPersistence, ...] | None = Field(None, description="Where that was asked for")
    kinetics_by: KineticSettings
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


@dataclass(frozen=True, slots=True)
class Kept:
    """What tables take of one participant."""

    placed: Sequence[Placed]
    kinetics: KineticsOfInfusion
    end: PersistenceEnd


def persistence(
    protocol: Protocol,
    cohort: Sequence[Infused],
    samples: Iterable[Sample],
    *,
    quantity: Quantity,
    infusions: Mapping[UUID, Sequence[datetime]] | None = None,
    by: PersistenceBy | None = None,
    best: Mapping[UUID, Best] | None = None,
) -> Persistence:
    """The table of the persistence outcome.

    `infusions`: when each of a participant's began; of whom it does not say, the first is the only one. `best`: the
    best overall response of each participant, where the table is asked for by it.
    """
    people = sorted(cohort, key=lambda participant: participant.order)
    taken: dict[UUID, list[Sample]] = {each.participant_id: [] for each in people}
    for sample in samples:
        if sample.participant_id in taken:
            taken[sample.participant_id].append(sample)
    placed = {each.participant_id: _placed(protocol, each, taken[each.participant_id]) for each in people}
    given = infusions or {}
    courses = tuple(
        _course(
            protocol,
            quantity.series,
            each,
            placed[each.participant_id],
            given.get(each.participant_id, (each.first_infused_at,)),
        )
        for each in people
    )
    kept = {
        course.participant_id: Kept(placed[course.participant_id], counted(course.kinetics, who.day_zero), course.end)
        for who, course in zip(people, courses, strict=True)
    }
    settings = protocol.persistence.kinetics
    return Persistence(
        quantity=quantity,
        methods=tuple(sorted({each.method for own in taken.values() for each in own if each.method is not None})),
        infused=len(people),
        **_told(protocol, quantity.series, kept.values()),
        groups=None if by is None else tuple(_groups(protocol, quantity.series, people, kept, by, best or {})),
        kinetics_by=KineticSettings(
            auc_method=settings.auc_method.value,
            interval_from_day=settings.interval_from_day.value,
            interval_until_day=settings.interval_until_day.value,
        ),
        participants=courses,
    )


def _groups(
    protocol: Protocol,
    series: Series,
    people: Sequence[Infused],
    kept: Mapping[UUID, Kept],
    by: PersistenceBy,
    best: Mapping[UUID, Best],
) -> Iterator[GroupPersistence]:
    """Each dose level from the lowest on, or each best response from the best on."""
    if by is PersistenceBy.DOSE_LEVEL:
        of = {each.participant_id: each.dose_level for each in people}
        names = in_order_of_dose(protocol, of.values())
    else:
        of = {each.participant_id: best[each.participant_id] for each in people}
        names = [*sorted({best[who] for who in of}, key=lambda name: (merit(name), name))]
    for name in names:
        members = [who for who, group in of.items() if group == name]
        told = _told(protocol, series, [kept[who] for who in members])
        yield GroupPersistence(grouped_by=by, group=name, infused=len(members), **told)


def _told(protocol: Protocol, series: Series, members: Collection[Kept]) -> dict[str, Any]:
    """What is said of all, and of each group."""
    return {
        "time_points": tuple(_time_points(protocol, series, [each.placed for each in members])),
        "kinetics": kinetics_summary([each.kinetics for each in members]),
        "loss": loss_of_persistence(protocol, [each.end for each in members]),
    }


def _placed(protocol: Protocol, participant: Infused, samples: Iterable[Sample]) -> tuple[Placed, ...]:
    """One sample per draw, in order of time: of several results of one draw the one that says most."""
    in_time = sorted(samples, key=lambda each: (each.collected_at, _says_little(each), each.result_id))
    draws = [next(same) for _, same in groupby(in_time, key=lambda each: each.collected_at)]
    moments = [participant.moment_of(protocol, each.collected_at) for each in draws]
    visits = assign_visits(protocol, Assessment.CAR_T_FLOW, moments)
    return tuple(Placed(*each) for each in zip(draws, moments, visits, strict=True))


def _says_little(sample: Sample) -> int:
    if sample.value is None:
        return 2
    return 0 if sample.value.beyond is None else 1


def _subsets(here: Iterable[Sample]) -> SubsetDistribution:
    """A value below the limit means cells too few to be divided; a percentage without a count may be divided."""
    told = [(each.subsets, each.value is not None and each.value.beyond == "<") for each in here]
    return subset_distribution((subsets, below) for subsets, below in told if subsets is not None)


def _time_points(
    protocol: Protocol, series: Series, courses: Iterable[Sequence[Placed]]
) -> Iterator[TimePointPersistence]:
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
            n_without_specimen=without_specimen(each.specimen_flags for each in here),
            n_specimen_flagged=of_flagged_specimen(each.specimen_flags for each in here),
            subsets=_subsets(here) if series is Series.FLOW else None,
        )


def _course(
    protocol: Protocol,
    series: Series,
    participant: Infused,
    placed: Sequence[Placed],
    infusions: Sequence[datetime],
) -> CarTCourse:
    after = [each for each in placed if each.moment.after_infusion]
    detectable = [each for each in after if each.sample.detectable]
    lost_at = _lost_at(after, protocol.persistence.loss_consecutive_visits.value)
    return CarTCourse(
        participant_id=participant.participant_id,
        subject_number=participant.subject_number,
        samples=tuple(_in_course(series, each) for each in after),
        cmax=_observed(after, highest),
        clast=_observed(after, lambda values: len(values) - 1),
        last_detectable_at=detectable[-1].sample.collected_at if detectable else None,
        last_detectable_day=detectable[-1].moment.day if detectable else None,
        lost=lost_at is not None,
        lost_on_day=None if lost_at is None else after[lost_at].moment.day,
        end=_end(after, lost_at),
        kinetics=kinetics_of(
            protocol,
            infusions,
            [MeasuredAt(each.sample.collected_at, each.sample.value, each.visit is not None) for each in placed],
        ),
    )


def _end(after: Sequence[Placed], lost_at: int | None) -> PersistenceEnd:
    if all(each.quantified is None for each in after):
        return NEVER
    seen = [
        Seen(each.moment.day, each.sample.detectable and not each.is_below_lloq, each.is_below_lloq) for each in after
    ]
    return persistence_end(seen, lost_at=lost_at)


def _in_course(series: Series, placed: Placed) -> SampleInCourse:
    return SampleInCourse(
        flow_result_id=placed.sample.result_id if series is Series.FLOW else None,
        transgene_result_id=placed.sample.result_id if series is Series.TRANSGENE else None,
        collected_at=placed.sample.collected_at,
        day=placed.moment.day,
        visit=None if placed.visit is None else placed.visit.code,
        value=None if placed.sample.value is None else level(placed.sample.value),
        detectable=placed.sample.detectable,
        subsets=placed.sample.subsets,
        method=placed.sample.method,
        specimen_flags=placed.sample.specimen_flags,
    )


def _observed(placed: Sequence[Placed], which: Callable[[Sequence[Value]], int]) -> Observed | None:
    """The quantified value that `which` picks, with its time."""
    quantified = [(each, number) for each in placed if (number := each.quantified) is not None]
    if not quantified:
        return None
    each, number = quantified[which([Value(number) for _, number in quantified])]
    return Observed(value=number, collected_at=each.sample.collected_at, day=each.moment.day)


def _lost_at(placed: Sequence[Placed], visits: int) -> int | None:
    """The place of the first visit below the limit after the last quantified sample, where there are enough of them.

    What was never quantified cannot be lost.
    """
    quantified = [place for place, each in enumerate(placed) if each.quantified is not None]
    if not quantified:
        return None
    below = [
        place
        for place, each in enumerate(placed)
        if place > quantified[-1] and each.visit is not None and each.is_below_lloq
    ]
    return below[0] if len(below) >= visits else None
