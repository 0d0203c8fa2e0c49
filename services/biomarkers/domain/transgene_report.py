"""What a report of transgene copies must say, and how it is read."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from services.biomarkers.domain.laboratory_report import (
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
    refuse_future,
)
from shared.contracts.biomarkers import FlowSpecimenType, Qualifier
from shared.contracts.biomarkers_transgene import TransgeneFlag, TransgeneLevel, TransgeneReport
from shared.protocol import Protocol
from shared.protocol.biomarkers import DetectableFrom, Persistence

UG_PER_DIPLOID_CELL = Decimal("6.6e-6")  # 6.6 pg of DNA; 1 ug is the DNA of about 1.5 x 10*5 diploid cells [U]
THREE_DIGITS = Context(prec=3, rounding=ROUND_HALF_EVEN)


def check(report: TransgeneReport, now: datetime) -> None:
    """Refuse what cannot be a laboratory's result.

    Raises:
        Unacceptable: one of the errors of `laboratory_report`.
    """
    refuse_future(report.specimen.collected_at, now)
    _check_measured(report)
    _check_limits(report)
    if report.specimen.type is FlowSpecimenType.TUMOUR and report.copies_per_ml is not None:
        raise ContradictoryReport("a tumour has no volume to count in: leave copies_per_ml out")


def level_of(report: TransgeneReport, protocol: Protocol) -> TransgeneLevel:
    """Read a report that passed `check`. Below the limit of quantification there is no number at all, never 0."""
    copies, below = report.copies_per_ug, _is_below(report)
    lloq = report.lloq_copies_per_ug or (copies if report.qualifier is not None else None) or None
    raised = {
        TransgeneFlag.LLOQ_UNKNOWN: lloq is None,
        TransgeneFlag.SPECIMEN_OUTSIDE_PROTOCOL: (
            report.specimen.type.value not in protocol.persistence.specimen_types.value
        ),
    }
    return TransgeneLevel(
        below_lloq=below,
        detectable=not below or _is_seen(report, protocol.persistence),
        copies_per_ug=None if below else copies,
        lloq_copies_per_ug=lloq,
        lod_copies_per_ug=report.lod_copies_per_ug,
        copies_per_ml=None if below else report.copies_per_ml,
        copies_per_cell=None if below or copies is None else _per_cell(copies),
        flags=tuple(flag for flag, is_raised in raised.items() if is_raised),
    )


def _check_measured(report: TransgeneReport) -> None:
    if report.qualifier is Qualifier.ABOVE:
        raise ContradictoryReport("copies above the standard curve are counted again in less DNA: send that result")
    if report.qualifier is None and report.copies_per_ug is None:
        raise NothingMeasured("send copies_per_ug, or the qualifier `<` with lloq_copies_per_ug")


def _check_limits(report: TransgeneReport) -> None:
    lloq, lod, copies = report.lloq_copies_per_ug, report.lod_copies_per_ug, report.copies_per_ug
    if lloq == 0 or lod == 0:
        raise ZeroWithoutLimit("a limit is more than 0 copies: leave it out where it is unknown")
    if lloq is not None and lod is not None and lod > lloq:
        raise ContradictoryReport("lod_copies_per_ug lies above lloq_copies_per_ug: what is counted must first be seen")
    if report.qualifier is not None and not (lloq or copies):
        raise ZeroWithoutLimit("`<` needs its limit: send lloq_copies_per_ug")
    if report.qualifier is None and copies == 0 and lloq is None:
        raise ZeroWithoutLimit(
            "no copies found means below the limit of quantification, not 0: send the qualifier `<` with "
            "lloq_copies_per_ug"
        )
    if report.qualifier is not None and lloq is not None and copies is not None and copies > lloq:
        raise ContradictoryReport("qualified with `<`, yet above its own limit: send the value alone, or that limit")
    if report.copies_per_ml == 0 and not _is_below(report):
        raise ContradictoryReport("copies_per_ml is 0 beside copies that can be quantified: leave it out")


def _is_below(report: TransgeneReport) -> bool:
    if report.qualifier is not None or not report.copies_per_ug:
        return True
    return report.lloq_copies_per_ug is not None and report.copies_per_ug < report.lloq_copies_per_ug


def _is_seen(report: TransgeneReport, persistence: Persistence) -> bool:
    """Below the limit of quantification, yet at or above the limit of detection, where the protocol asks for that."""
    if persistence.detectable_from.value is DetectableFrom.LLOQ or report.qualifier is not None:
        return False
    lod = report.lod_copies_per_ug
    return lod is not None and report.copies_per_ug is not None and report.copies_per_ug >= lod


def _per_cell(copies_per_ug: Decimal) -> Decimal:
    return Decimal(format(THREE_DIGITS.multiply(copies_per_ug, UG_PER_DIPLOID_CELL).normalize(), "f"))
