"""How many CAR-T cells a flow cytometry report finds: limits, absolute count, and what to beware of."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from services.biomarkers.domain.flow_report import measured_percent, percent_of_events
from services.biomarkers.domain.laboratory_report import ContradictoryReport
from services.biomarkers.domain.units import to_cells_per_ul
from shared.contracts.biomarkers import (
    CarTCount,
    CountBasis,
    CountFormula,
    CountingPlatform,
    FlowFlag,
    FlowReport,
    FlowSpecimenType,
    LimitBasis,
    NoCount,
    ParentPopulation,
    Qualifier,
)
from shared.protocol import Protocol
from shared.protocol.biomarkers import DetectableFrom, Persistence

NINE_PLACES = Decimal("1e-9")
COUNTABLE = frozenset({ParentPopulation.LYMPHOCYTES, ParentPopulation.CD3})


@dataclass(frozen=True, slots=True)
class Limits:
    """Lower limits of quantification of one report. None: unknown."""

    percent: Decimal | None
    basis: LimitBasis | None
    cells_per_ul: Decimal | None


def count_of(report: FlowReport, protocol: Protocol) -> CarTCount:
    """Read a report that passed `flow_report.check`.

    Absolute count in cells/uL: percent of CD3+ x CD3 fraction of lymphocytes x ALC, or percent of lymphocytes x
    ALC. A percent of CD4+ or CD8+ leaves out the other CAR+ cells, and an ALC counts blood alone: from those no
    count is derived. With counting beads (single platform): CAR+ events / bead events x beads in the tube / uL in
    the tube, in any fluid. Below the limit of quantification there is no number at all, never 0.

    Source of the bead formula: BD Trucount Tubes, instructions for use [U].
    """
    persistence = protocol.persistence
    scale = _cells_per_percent(report, persistence)
    limits = _limits(report, persistence, scale)
    percent = measured_percent(report)
    below = _is_below(report, percent, limits, persistence)
    quantified = None if below or percent is None else percent
    derived = None
    if quantified is not None and not isinstance(scale, NoCount):
        derived = _rounded(_derived(report, quantified, scale))
    cells, basis = (None, None) if below else _of_record(report, derived)
    return CarTCount(
        below_lloq=below,
        detectable=not below or _is_seen(report, percent, persistence),
        percent=None if quantified is None else _rounded(quantified),
        lloq_percent=limits.percent,
        lloq_basis=limits.basis,
        cells_per_ul=cells,
        cells_basis=basis,
        lloq_cells_per_ul=limits.cells_per_ul,
        derived_cells_per_ul=derived,
        not_derived=_why_not(below=below, percent=percent, scale=scale),
        flags=_flags(report, below=below, limits=limits, derived=derived, persistence=persistence),
        formula=None if cells is None else _formula(report, basis),
        lod_percent=_lod_percent(report, persistence),
        parent_events=report.parent_events,
        car_events=report.car_events,
        subsets=report.subsets,
    )


def _derived(report: FlowReport, percent: Decimal, scale: Decimal) -> Decimal:
    """By beads from the events themselves: a reported percentage is rounded."""
    counted = None if report.beads is None else percent_of_events(report)
    return (percent if counted is None else counted) * scale


def _formula(report: FlowReport, basis: CountBasis | None) -> CountFormula:
    if basis is CountBasis.REPORTED:
        return CountFormula.AS_REPORTED
    return CountFormula.BEADS if report.beads is not None else CountFormula(report.parent_population.value)


def _lod_percent(report: FlowReport, persistence: Persistence) -> Decimal | None:
    if report.parent_events is None:
        return None
    return _rounded(min(Decimal(persistence.lod_events.value) / report.parent_events * 100, Decimal(100)))


def _cells_per_percent(report: FlowReport, persistence: Persistence) -> Decimal | NoCount:
    """CAR+ cells/uL for each percent of the parent population, or why that cannot be known."""
    if report.beads is not None and report.parent_events is not None:
        per_event = report.beads.in_tube / (report.beads.acquired * report.beads.volume_ul)
        return report.parent_events * per_event / 100
    return _by_lymphocytes(report, persistence)


def _by_lymphocytes(report: FlowReport, persistence: Persistence) -> Decimal | NoCount:
    parent = report.parent_population
    if report.specimen.type is not FlowSpecimenType.BLOOD:
        return NoCount.NOT_BLOOD
    if parent not in COUNTABLE or parent.value not in persistence.absolute_from.value:
        return NoCount.PARENT_UNSUITED
    if report.alc is None:
        return NoCount.NO_LYMPHOCYTE_COUNT
    of_lymphocytes = to_cells_per_ul(report.alc.value, report.alc.unit) / 100
    if parent is ParentPopulation.LYMPHOCYTES:
        return of_lymphocytes
    if report.cd3_percent_of_lymphocytes is None:
        return NoCount.NO_CD3_FRACTION
    return of_lymphocytes * report.cd3_percent_of_lymphocytes / 100


def _limits(report: FlowReport, persistence: Persistence, scale: Decimal | NoCount) -> Limits:
    """The laboratory's own limit where it tells one, else the least events that can be counted over those acquired.

    Source: rare-event counting, LLOQ about 50 and LOD about 20 CAR+ events [U]; both are settings.
    """
    qualified = report.qualifier is Qualifier.BELOW
    percent, basis = report.lloq_percent or (report.percent if qualified else None), LimitBasis.REPORTED
    if not percent and report.parent_events is not None:
        share = Decimal(persistence.lloq_events.value) / report.parent_events * 100
        percent, basis = min(share, Decimal(100)), LimitBasis.EVENTS
    cells = report.lloq_cells_per_ul or (report.cells_per_ul if qualified else None)
    if not cells and percent and not isinstance(scale, NoCount):
        cells = percent * scale
    return Limits(
        percent=_rounded(percent) if percent else None,
        basis=basis if percent else None,
        cells_per_ul=_rounded(cells) if cells else None,
    )


def _is_below(report: FlowReport, percent: Decimal | None, limits: Limits, persistence: Persistence) -> bool:
    if report.qualifier is Qualifier.BELOW or percent == 0:
        return True
    if percent is None:
        return report.cells_per_ul == 0 or _lies_below(report.cells_per_ul, limits.cells_per_ul)
    if _lies_below(report.cells_per_ul, report.lloq_cells_per_ul):
        return True
    if limits.basis is LimitBasis.EVENTS:
        # Compared in events: the limit in percent is rounded, and under 50 events it would exceed 100 percent.
        return _lies_below(_events(report, percent), Decimal(persistence.lloq_events.value))
    return _lies_below(percent, limits.percent)


def _lies_below(value: Decimal | None, limit: Decimal | None) -> bool:
    return value is not None and limit is not None and value < limit


def _events(report: FlowReport, percent: Decimal | None) -> Decimal | None:
    """CAR+ events as counted, else as the percentage gives them."""
    if report.car_events is not None or percent is None or report.parent_events is None:
        return None if report.car_events is None else Decimal(report.car_events)
    return percent * report.parent_events / 100


def _is_seen(report: FlowReport, percent: Decimal | None, persistence: Persistence) -> bool:
    """Below the limit of quantification, yet at or above the limit of detection, where the protocol asks for that."""
    if persistence.detectable_from.value is DetectableFrom.LLOQ:
        return False
    events = _events(report, percent if report.qualifier is None else None)
    return events is not None and events >= persistence.lod_events.value


def _of_record(report: FlowReport, derived: Decimal | None) -> tuple[Decimal | None, CountBasis | None]:
    counted = report.cells_per_ul
    if counted == 0:
        raise ContradictoryReport("cells_per_ul is 0 beside a percentage that can be quantified: leave the count out")
    if counted is not None and (derived is None or report.platform is CountingPlatform.SINGLE):
        return counted, CountBasis.REPORTED
    return (None, None) if derived is None else (derived, CountBasis.DERIVED)


def _why_not(*, below: bool, percent: Decimal | None, scale: Decimal | NoCount) -> NoCount | None:
    if below:
        return NoCount.BELOW_LLOQ
    if percent is None:
        return NoCount.NO_PERCENT
    return scale if isinstance(scale, NoCount) else None


def _flags(
    report: FlowReport, *, below: bool, limits: Limits, derived: Decimal | None, persistence: Persistence
) -> tuple[FlowFlag, ...]:
    tolerance = persistence.count_tolerance_percent.value / 100
    raised = {
        FlowFlag.COUNTS_DISAGREE: _disagree(report.cells_per_ul, derived, tolerance),
        FlowFlag.LLOQ_UNKNOWN: limits.percent is None and limits.cells_per_ul is None,
        FlowFlag.SPECIMEN_OUTSIDE_PROTOCOL: report.specimen.type.value not in persistence.specimen_types.value,
        FlowFlag.PARENT_OUTSIDE_PROTOCOL: report.parent_population.value not in persistence.parent_populations.value,
        FlowFlag.SUBSETS_OF_FEW_EVENTS: below and report.subsets is not None,
    }
    return tuple(flag for flag, is_raised in raised.items() if is_raised)


def _disagree(reported: Decimal | None, derived: Decimal | None, tolerance: Decimal) -> bool:
    return reported is not None and derived is not None and abs(reported - derived) > tolerance * derived


def _rounded(value: Decimal) -> Decimal:
    """To nine places, trailing zeros dropped; what would vanish by it was never measured."""
    rounded = value.quantize(NINE_PLACES, rounding=ROUND_HALF_EVEN).normalize()
    if not rounded:
        raise ContradictoryReport("these fractions leave less than a billionth: check the percentages and their units")
    return Decimal(format(rounded, "f"))  # 9E+1 is written 90
