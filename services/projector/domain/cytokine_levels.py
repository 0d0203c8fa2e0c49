"""Serum cytokines around the infusion: levels and fold changes by time point, and each participant's peak.

A time point has the sample that serves its visit, among those in which the analyte was measured; "before" is the last
one before the infusion. Values beyond a limit of quantification keep their place without becoming numbers: see
`figures.median` for the order of sizes, and `censored_figures` for Kaplan-Meier. Fold changes are over the baseline by
`shared.protocol.fold_change`. The peak is the highest value after the infusion within the protocol's days, the first if
tied, at its actual time, scheduled or not; what rises and falls between two samples is not seen.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from statistics import median as middle
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.projector.domain.censored_figures import Estimates, estimates
from services.projector.domain.cohort import Infused, in_order_of_dose
from services.projector.domain.figures import Exact, Figure, Level, Range, Value, highest, level, median, span
from services.projector.domain.specimen_list import of_flagged_specimen, without_specimen
from shared.contracts.specimen_flags import SpecimenFlag
from shared.protocol import Analyte, Assessment, MeasureId, Moment, Protocol, Visit
from shared.protocol.fold_change import Bound, FoldChange, Measured, NoFoldChange, fold_changes
from shared.protocol.schedule import assign_visits
from shared.response.readings import Best, merit
from shared.statistics.censored import Method

DAY_SECONDS = Decimal(86400)
HUNDREDTH = Decimal("0.01")


class AfterTocilizumab(StrEnum):
    """How it is known that a sample was drawn after tocilizumab."""

    REPORTED = "reported-by-the-laboratory"
    ON_RECORD = "treatment-on-record"  # of an episode of CRS, ICANS or IEC-HS


@dataclass(frozen=True, slots=True)
class Drawn:
    """One cytokine of one standing sample. `after_tocilizumab`: IL-6 is raised by the drug, not by the disease."""

    participant_id: UUID
    measured: Measured
    after_tocilizumab: tuple[AfterTocilizumab, ...] = ()
    specimen_flags: tuple[SpecimenFlag, ...] = ()

    @property
    def is_after_tocilizumab(self) -> bool:
        return bool(self.after_tocilizumab)

    @property
    def value(self) -> Value:
        match self.measured.qualifier:
            case "<":
                return Value(self.measured.lloq, "<")
            case ">":
                return Value(self.measured.uloq, ">")
            case _:
                return Value(self.measured.value)


class Certainty(StrEnum):
    """What values beyond their limits leave of a median of fold changes."""

    EXACT = "exact"
    AT_LEAST = "at-least"
    AT_MOST = "at-most"
    UNCERTAIN = "uncertain"  # it may lie on either side


class WithoutFoldChange(Figure):
    """How many values have no fold change, for one reason."""

    reason: NoFoldChange
    n: int


class FoldChanges(Figure):
    """Fold changes over the baseline. The median is of the ratios as they stand; `certainty` says what bounds mean
    for it."""

    method: Literal["median-of-ratios"] = "median-of-ratios"
    n: int
    median: Exact
    certainty: Certainty
    n_at_least: int
    n_at_most: int


class TimePointLevels(Figure):
    """One analyte at one time point, in the unit of the table.

    `median` and `range` are by order of size: every `<` ranks below every number. `estimates` are by Kaplan-Meier.
    `n_without_specimen` name no specimen; of `n_specimen_flagged` it was rejected, lost, in poor condition or
    corrected since. They count all the same.
    """

    visit: str
    label: str
    n: int
    n_below_lloq: int
    n_above_uloq: int
    n_censored: int
    n_after_tocilizumab: int
    method: Literal[Method.ORDERING] = Field(Method.ORDERING, description="Of `median` and `range`")
    median: Level | None
    range: Range | None
    estimates: Estimates
    fold_change: FoldChanges | None
    without_fold_change: tuple[WithoutFoldChange, ...]
    n_without_specimen: int
    n_specimen_flagged: int


class Peak(Figure):
    """One participant's highest level after the infusion, and the time to it."""

    participant_id: UUID
    subject_number: str
    level: Level
    day: int
    collected_at: datetime
    time_to_peak_days: Exact = Field(description="From the infusion to the sample, to a hundredth")
    visit: str | None = Field(description="The visit that the sample serves; null: unscheduled")
    fold_change: Exact | None
    bound: Bound | None
    no_fold_change: NoFoldChange | None = Field(description="Why there is none")
    after_tocilizumab: bool
    specimen_flags: tuple[SpecimenFlag, ...] = Field(description="What is to be known of the sample's specimen")


class AnalyteLevels(Figure):
    """One analyte (LBTESTCD)."""

    analyte: str
    name: str
    loinc: str
    time_points: tuple[TimePointLevels, ...]
    peaks: tuple[Peak, ...]
    median_peak: Level | None
    peak_range: Range | None
    peak_estimates: Estimates
    median_peak_day: Exact | None
    peak_fold_change: FoldChanges | None
    peak_without_fold_change: tuple[WithoutFoldChange, ...]


class CytokinesBy(StrEnum):
    """How the cohort is divided, beside the table of all."""

    DOSE_LEVEL = "dose-level"
    BEST_RESPONSE = "best-response"


class GroupLevels(Figure):
    """Every analyte among those of one group."""

    grouped_by: CytokinesBy
    group: str | None = Field(description="null: those of whom it is not known")
    infused: int
    analytes: tuple[AnalyteLevels, ...]


class CytokineLevels(Figure):
    """The cytokine table: every analyte of the protocol."""

    unit: str = Field(description="UCUM", examples=["pg/mL"])
    infused: int
    peak_from_day: int
    peak_until_day: int
    observed: Literal["at-scheduled-visits"] = Field(
        "at-scheduled-visits", description="A peak between two samples is not seen"
    )
    analytes: tuple[AnalyteLevels, ...]
    groups: tuple[GroupLevels, ...] | None = Field(None, description="Where that was asked for")


@dataclass(frozen=True, slots=True)
class Placed:
    """A value in its participant's schedule, with its fold change."""

    participant: Infused
    drawn: Drawn
    moment: Moment
    visit: Visit | None
    fold: FoldChange


ByAnalyte = Mapping[str, Mapping[UUID, tuple[Placed, ...]]]


def cytokine_levels(
    protocol: Protocol,
    cohort: Sequence[Infused],
    drawn: Iterable[Drawn],
    *,
    by: CytokinesBy | None = None,
    best: Mapping[UUID, Best] | None = None,
) -> CytokineLevels:
    """The table of the cytokine outcome. `best`: the best overall response of each, where it is asked for by that."""
    people = sorted(cohort, key=lambda participant: participant.order)
    series: dict[tuple[UUID, str], list[Drawn]] = {}
    for each in drawn:
        series.setdefault((each.participant_id, each.measured.analyte), []).append(each)
    settings = protocol.cytokines
    placed = {
        analyte.key: {
            who.participant_id: placed_series(protocol, who, series.get((who.participant_id, analyte.key), ()))
            for who in people
        }
        for analyte in settings.analytes
    }
    return CytokineLevels(
        unit=settings.unit.value,
        infused=len(people),
        peak_from_day=settings.peak_from_day.value,
        peak_until_day=settings.peak_until_day.value,
        analytes=_analytes(protocol, placed, [who.participant_id for who in people]),
        groups=None if by is None else tuple(_groups(protocol, people, placed, by, best or {})),
    )


def _groups(
    protocol: Protocol,
    people: Sequence[Infused],
    placed: ByAnalyte,
    by: CytokinesBy,
    best: Mapping[UUID, Best],
) -> Iterator[GroupLevels]:
    """From the lowest dose on, or from the best response on."""
    if by is CytokinesBy.DOSE_LEVEL:
        of: dict[UUID, str | None] = {each.participant_id: each.dose_level for each in people}
        names = in_order_of_dose(protocol, of.values())
    else:
        of = {each.participant_id: best[each.participant_id] for each in people}
        names = [*sorted({best[who] for who in of}, key=lambda name: (merit(name), name))]
    for name in names:
        members = [who for who, group in of.items() if group == name]
        yield GroupLevels(
            grouped_by=by, group=name, infused=len(members), analytes=_analytes(protocol, placed, members)
        )


def _analytes(protocol: Protocol, placed: ByAnalyte, members: Sequence[UUID]) -> tuple[AnalyteLevels, ...]:
    return tuple(
        _analyte(protocol, analyte, [placed[analyte.key][who] for who in members])
        for analyte in protocol.cytokines.analytes
    )


def placed_series(protocol: Protocol, participant: Infused, series: Iterable[Drawn]) -> tuple[Placed, ...]:
    """One analyte of one participant, in order of time. Of two samples of one instant the id decides."""
    in_time = sorted(series, key=lambda each: (each.measured.collected_at, each.measured.panel_id))
    folds = fold_changes(protocol.cytokines, [each.measured for each in in_time], participant.day_zero)
    moments = [participant.moment_of(protocol, each.measured.collected_at) for each in in_time]
    visits = assign_visits(protocol, Assessment.CYTOKINES, moments)
    return tuple(
        Placed(participant, each, moment, visit, folds[each.measured.panel_id, each.measured.analyte])
        for each, moment, visit in zip(in_time, moments, visits, strict=True)
    )


def _analyte(protocol: Protocol, analyte: Analyte, courses: Sequence[Sequence[Placed]]) -> AnalyteLevels:
    highs = [high for course in courses if (high := highest_of(protocol, course)) is not None]
    peaks = [high.drawn.value for high in highs]
    return AnalyteLevels(
        analyte=analyte.key,
        name=analyte.name,
        loinc=analyte.loinc,
        time_points=tuple(_time_points(protocol, courses)),
        peaks=tuple(map(peak_of, highs)),
        median_peak=median(peaks),
        peak_range=span(peaks),
        peak_estimates=estimates(peaks),
        median_peak_day=middle([Decimal(high.moment.day) for high in highs]) if highs else None,
        peak_fold_change=median_fold_change([high.fold for high in highs]),
        peak_without_fold_change=_without_fold_change(high.fold for high in highs),
    )


def _time_points(protocol: Protocol, courses: Iterable[Sequence[Placed]]) -> Iterator[TimePointLevels]:
    served: Mapping[str, list[Placed]] = {visit.code: [] for visit in protocol.visits}
    for placed in (placed for course in courses for placed in course):
        if placed.visit is not None:
            served[placed.visit.code].append(placed)
    for point in protocol.measure(MeasureId.CYTOKINES).time_points:
        here = served[point.visit]
        values = [placed.drawn.value for placed in here]
        below, above = (sum(value.beyond == side for value in values) for side in ("<", ">"))
        yield TimePointLevels(
            visit=point.visit,
            label=point.label,
            n=len(values),
            n_below_lloq=below,
            n_above_uloq=above,
            n_censored=below + above,
            n_after_tocilizumab=sum(placed.drawn.is_after_tocilizumab for placed in here),
            median=median(values),
            range=span(values),
            estimates=estimates(values),
            fold_change=median_fold_change([placed.fold for placed in here]),
            without_fold_change=_without_fold_change(placed.fold for placed in here),
            n_without_specimen=without_specimen(placed.drawn.specimen_flags for placed in here),
            n_specimen_flagged=of_flagged_specimen(placed.drawn.specimen_flags for placed in here),
        )


def _without_fold_change(folds: Iterable[FoldChange]) -> tuple[WithoutFoldChange, ...]:
    reasons = Counter(fold.missing for fold in folds if fold.missing is not None)
    return tuple(WithoutFoldChange(reason=reason, n=reasons[reason]) for reason in NoFoldChange if reason in reasons)


def median_fold_change(folds: Iterable[FoldChange]) -> FoldChanges | None:
    """The median of the ratios, and how sure it is: bounds move it only where they reach the middle.

    A ratio that is "at least" may be any larger one, "at most" any smaller. The median of all lowest and of all
    highest possible ratios enclose the true median.
    """
    known = [(fold.ratio, fold.bound) for fold in folds if fold.ratio is not None]
    if not known:
        return None
    point = middle([ratio for ratio, _ in known])
    lowest = middle([Decimal(0) if bound is Bound.AT_MOST else ratio for ratio, bound in known])
    uppermost = middle([Decimal("Infinity") if bound is Bound.AT_LEAST else ratio for ratio, bound in known])
    return FoldChanges(
        n=len(known),
        median=point,
        certainty=_certainty(below=lowest < point, above=uppermost > point),
        n_at_least=sum(bound is Bound.AT_LEAST for _, bound in known),
        n_at_most=sum(bound is Bound.AT_MOST for _, bound in known),
    )


def _certainty(*, below: bool, above: bool) -> Certainty:
    if below and above:
        return Certainty.UNCERTAIN
    if below:
        return Certainty.AT_MOST
    return Certainty.AT_LEAST if above else Certainty.EXACT


def highest_of(protocol: Protocol, course: Sequence[Placed]) -> Placed | None:
    first, last = protocol.cytokines.peak_from_day.value, protocol.cytokines.peak_until_day.value
    within = [each for each in course if each.moment.after_infusion and first <= each.moment.day <= last]
    return within[highest([each.drawn.value for each in within])] if within else None


def peak_of(high: Placed) -> Peak:
    return Peak(
        participant_id=high.participant.participant_id,
        subject_number=high.participant.subject_number,
        level=level(high.drawn.value),
        day=high.moment.day,
        collected_at=high.drawn.measured.collected_at,
        time_to_peak_days=_days(high),
        visit=None if high.visit is None else high.visit.code,
        fold_change=high.fold.ratio,
        bound=high.fold.bound,
        no_fold_change=high.fold.missing,
        after_tocilizumab=high.drawn.is_after_tocilizumab,
        specimen_flags=high.drawn.specimen_flags,
    )


def _days(high: Placed) -> Decimal:
    since = high.drawn.measured.collected_at - high.participant.day_zero
    return (Decimal(int(since.total_seconds())) / DAY_SECONDS).quantize(HUNDREDTH, rounding=ROUND_HALF_UP)
