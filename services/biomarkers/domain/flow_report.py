"""What a flow cytometry report must say before anything is read from it."""

from datetime import datetime
from decimal import Decimal

from services.biomarkers.domain.laboratory_report import (
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
    refuse_future,
)
from services.biomarkers.domain.units import to_cells_per_ul
from shared.contracts.biomarkers import (
    CarSubsets,
    CountingPlatform,
    FlowReport,
    FlowSpecimenType,
    LymphocyteCount,
    Qualifier,
)
from shared.kernel.errors import Unacceptable
from shared.protocol import Protocol
from shared.protocol.schedule import local_date

# A lymphocyte count beyond these, in cells/uL, is a slip of the unit: 0.001 and 1000 x 10*9/L.
LEAST_ALC, GREATEST_ALC = Decimal(1), Decimal(1_000_000)
# Percentages are reported rounded, so a whole may come to a little more than 100.
WHOLE = Decimal(101)


class LymphocyteCountOfAnotherDraw(Unacceptable):
    """The lymphocyte count was not drawn with the sample, so no absolute count can rest on it."""


class ImplausibleLymphocyteCount(Unacceptable):
    """No child has this many or this few lymphocytes: the unit is most likely wrong."""


def check(report: FlowReport, now: datetime, protocol: Protocol) -> None:
    """Refuse what cannot be a laboratory's result.

    Raises:
        Unacceptable: one of the errors above, of `laboratory_report`, or `UnitNotConvertible`.
    """
    refuse_future(report.specimen.collected_at, now)
    _check_result(report)
    _check_limits(report)
    if report.alc is not None:
        _check_lymphocytes(report.alc, report.specimen.collected_at, protocol)
    if report.cd3_percent_of_lymphocytes == 0:
        raise ZeroWithoutLimit("cd3_percent_of_lymphocytes is 0: leave it out if it was not measured")
    if report.subsets is not None:
        _check_subsets(report.subsets)
    if report.beads is not None:
        _check_beads(report)


def measured_percent(report: FlowReport) -> Decimal | None:
    """The reported percentage, or the one that the events give; not yet compared with any limit."""
    return percent_of_events(report) if report.percent is None else report.percent


def percent_of_events(report: FlowReport) -> Decimal | None:
    if report.car_events is None or report.parent_events is None:
        return None
    return Decimal(report.car_events) / report.parent_events * 100


def has_limit(report: FlowReport) -> bool:
    """Whether the report tells where its quantification ends."""
    told = (report.lloq_percent, report.lloq_cells_per_ul, report.parent_events)
    return any(each is not None for each in told) or (report.qualifier is not None and _stated_limit(report))


def _stated_limit(report: FlowReport) -> bool:
    """`<0.01 %` states its limit itself; `<0` states nothing."""
    return bool(report.percent or report.cells_per_ul)


def _check_result(report: FlowReport) -> None:
    if report.car_events is not None and (report.parent_events or -1) < report.car_events:
        raise ContradictoryReport("car_events are counted among parent_events: send both, the second not the smaller")
    if report.qualifier is None and not _agree(report.percent, percent_of_events(report)):
        raise ContradictoryReport("percent is not that of car_events among parent_events: send the one that is right")
    if report.qualifier is Qualifier.ABOVE:
        raise ContradictoryReport("a percentage or count of CAR+ cells has no upper limit: only `<` can qualify it")
    if report.qualifier is None and measured_percent(report) is None and report.cells_per_ul is None:
        raise NothingMeasured("send percent, cells_per_ul, or car_events with parent_events")


def _agree(percent: Decimal | None, counted: Decimal | None) -> bool:
    """Whether two percentages are the same within one unit of the reported one's last digit, or within 5 percent."""
    if percent is None or counted is None:
        return True
    exponent = percent.as_tuple().exponent
    last_digit = Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(0)
    return abs(percent - counted) <= max(last_digit, counted / 20)


def _check_limits(report: FlowReport) -> None:
    if report.lloq_percent == 0 or report.lloq_cells_per_ul == 0:
        raise ZeroWithoutLimit("a limit of quantification is more than 0: leave it out where it is unknown")
    if has_limit(report):
        _check_qualified(report)
        return
    if report.qualifier is not None:
        raise ZeroWithoutLimit("`<` needs its limit: send lloq_percent, lloq_cells_per_ul or parent_events")
    if measured_percent(report) == 0 or report.cells_per_ul == 0:
        raise ZeroWithoutLimit(
            "no CAR+ events seen means below the limit of quantification, not 0: send the qualifier `<` with "
            "lloq_percent or lloq_cells_per_ul, or parent_events, from which the limit follows"
        )


def _check_qualified(report: FlowReport) -> None:
    if report.qualifier is None:
        return
    pairs = ((report.percent, report.lloq_percent), (report.cells_per_ul, report.lloq_cells_per_ul))
    if any(value is not None and limit is not None and value > limit for value, limit in pairs):
        raise ContradictoryReport(
            "qualified with `<`, yet above its own limit: send the value alone, or the right limit"
        )


def _check_lymphocytes(alc: LymphocyteCount, collected_at: datetime, protocol: Protocol) -> None:
    per_ul = to_cells_per_ul(alc.value, alc.unit)
    if not LEAST_ALC <= per_ul <= GREATEST_ALC:
        raise ImplausibleLymphocyteCount(
            f"alc is beyond {LEAST_ALC} to {GREATEST_ALC} cells/uL: check its value and unit, or leave it out"
        )
    if protocol.persistence.alc_same_day.value:
        if local_date(protocol, alc.drawn_at) != local_date(protocol, collected_at):
            raise LymphocyteCountOfAnotherDraw(
                "alc was drawn on another day than the sample: send the count of the same day, or leave it out"
            )
    elif alc.drawn_at != collected_at:
        raise LymphocyteCountOfAnotherDraw(
            "alc is not of the same draw: send the count drawn at collected_at, or leave it out"
        )


def _check_beads(report: FlowReport) -> None:
    if report.platform is CountingPlatform.DUAL:
        raise ContradictoryReport("counting beads are a single platform: leave beads out, or send platform single")
    if report.specimen.type is FlowSpecimenType.TUMOUR:
        raise ContradictoryReport("a tumour has no volume to count in: leave beads out")
    if report.car_events is None:
        raise NothingMeasured("beads count events: send car_events with parent_events, or gates that hold both")


def _check_subsets(subsets: CarSubsets) -> None:
    lineages = (subsets.cd4_percent, subsets.cd8_percent)
    memory = (
        subsets.naive_percent,
        subsets.central_memory_percent,
        subsets.effector_memory_percent,
        subsets.temra_percent,
    )
    if all(share is None for share in lineages + memory):
        raise NothingMeasured("subsets names no subset: leave it out, or send at least one percentage")
    for shares in (lineages, memory):
        if sum(share for share in shares if share is not None) > WHOLE:
            raise ContradictoryReport("subsets are shares of all CAR+ cells: together they exceed 100 percent")
