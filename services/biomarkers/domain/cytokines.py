"""What a cytokine report says, analyte by analyte, in pg/mL."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from services.biomarkers.domain.analytes import key_of
from services.biomarkers.domain.laboratory_report import (
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
    refuse_future,
)
from services.biomarkers.domain.units import to_pg_per_ml
from shared.contracts.biomarkers import (
    CytokineFlag,
    CytokineReport,
    CytokineResult,
    NotMeasured,
    Qualifier,
    ReportedCytokine,
)
from shared.kernel.errors import Unacceptable
from shared.protocol.biomarkers import Cytokines


class AnalyteTwice(Unacceptable):
    """One sample has one result for an analyte."""


class UnitMissing(Unacceptable):
    """A number without its unit is no result."""


class AboveUpperLimit(Unacceptable):
    """A value above the upper limit of quantification is an extrapolation, or of a diluted run."""


def results_in(report: CytokineReport, now: datetime, panel: Cytokines) -> tuple[CytokineResult, ...]:
    """The result of every analyte of the panel, in its order; those that the report leaves out say so.

    Raises:
        Unacceptable: one of the errors above, of `laboratory_report`, `AnalyteNotInPanel` or `UnitNotConvertible`.
    """
    refuse_future(report.specimen.collected_at, now)
    read: dict[str, CytokineResult] = {}
    for line in report.results:
        key = key_of(line.analyte, panel)
        if key in read:
            raise AnalyteTwice(f"{key} is reported twice: send one result for it")
        read[key] = _result(line, key, _flags(key, report, panel))
    return tuple(
        read.get(analyte.key) or CytokineResult(analyte=analyte.key, not_measured=NotMeasured.NOT_REPORTED)
        for analyte in panel.analytes
    )


def _flags(key: str, report: CytokineReport, panel: Cytokines) -> tuple[CytokineFlag, ...]:
    if report.after_tocilizumab and key in panel.flag_after_tocilizumab.value:
        return (CytokineFlag.AFTER_TOCILIZUMAB,)
    return ()


def _result(line: ReportedCytokine, key: str, flags: Iterable[CytokineFlag]) -> CytokineResult:
    if line.not_measured is not None:
        if line.value is not None or line.qualifier is not None:
            raise ContradictoryReport(f"{key} has a result and is not measured: send the one or the other")
        return CytokineResult(analyte=key, not_measured=line.not_measured)
    if line.value is None and line.qualifier is None:
        raise NothingMeasured(f"{key} has no value: send one, or a qualifier with its limit, or not_measured")
    if line.unit is None:
        raise UnitMissing(f"{key} has no unit: send a UCUM unit, such as pg/mL")
    _check_limits(line, key)
    qualifier = _qualifier(line, key)
    lloq = line.value if qualifier is Qualifier.BELOW and line.lloq is None else line.lloq
    uloq = line.value if qualifier is Qualifier.ABOVE and line.value else line.uloq  # `>20000`, diluted twice
    return CytokineResult(
        analyte=key,
        value_pg_ml=_pg_per_ml(None if qualifier else line.value, line.unit, key),
        qualifier=qualifier,
        lloq_pg_ml=_pg_per_ml(lloq, line.unit, key),
        uloq_pg_ml=_pg_per_ml(uloq, line.unit, key),
        flags=tuple(flags),
    )


def _check_limits(line: ReportedCytokine, key: str) -> None:
    if line.lloq == 0 or line.uloq == 0:
        raise ZeroWithoutLimit(f"{key}: a limit of quantification is more than 0; leave it out where it is unknown")
    if line.lloq is not None and line.uloq is not None and line.lloq >= line.uloq:
        raise ContradictoryReport(f"{key}: lloq is not below uloq")
    if not line.value and line.lloq is None and line.qualifier is not Qualifier.ABOVE:
        raise ZeroWithoutLimit(
            f"{key} is below a limit of quantification that is missing: send the qualifier `<` with lloq, never 0"
        )


def _qualifier(line: ReportedCytokine, key: str) -> Qualifier | None:
    """As reported; and a value below its own LLOQ is below it, whether the report marks it or not."""
    value, lloq, uloq = line.value, line.lloq, line.uloq
    match line.qualifier:
        case Qualifier.BELOW:
            if value is not None and lloq is not None and value > lloq:
                raise ContradictoryReport(f"{key} is qualified with `<`, yet above its lloq")
            return Qualifier.BELOW
        case Qualifier.ABOVE:
            if not value and uloq is None:
                raise ZeroWithoutLimit(f"{key}: `>` needs its limit: send uloq, or the limit as the value")
            if value is not None and uloq is not None and value < uloq:
                raise ContradictoryReport(f"{key} is qualified with `>`, yet below its uloq")
            return Qualifier.ABOVE
        case _:
            if value is not None and uloq is not None and value > uloq:
                raise AboveUpperLimit(
                    f"{key} is above its uloq: send the qualifier `>`, or the uloq of the diluted run"
                )
            return Qualifier.BELOW if value is not None and lloq is not None and value < lloq else None


def _pg_per_ml(value: Decimal | None, unit: str, key: str) -> Decimal | None:
    return None if value is None else to_pg_per_ml(value, unit, key)
