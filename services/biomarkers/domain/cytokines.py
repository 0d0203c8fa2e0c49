"""What a cytokine report says, analyte by analyte, in pg/mL."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from services.biomarkers.domain.analytes import key_of
from services.biomarkers.domain.dilution import in_pg_per_ml, with_limits_of
from services.biomarkers.domain.laboratory_report import (
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
    refuse_future,
)
from services.biomarkers.domain.replicates import combined, wells
from shared.contracts.biomarkers import (
    CytokineFlag,
    CytokineReport,
    CytokineResult,
    NotMeasured,
    Qualifier,
    ReportedCytokine,
)
from shared.contracts.biomarkers_assayed import LimitFrom
from shared.contracts.biomarkers_assays import AssayLimits, AssayLotRegistered
from shared.kernel.errors import Unacceptable
from shared.protocol.biomarkers import Cytokines


class AnalyteTwice(Unacceptable):
    """One sample has one result for an analyte."""


class UnitMissing(Unacceptable):
    """A number without its unit is no result."""


class AboveUpperLimit(Unacceptable):
    """A value above the upper limit of quantification is an extrapolation, or of a diluted run."""


def results_in(
    report: CytokineReport, now: datetime, panel: Cytokines, lot: AssayLotRegistered | None = None
) -> tuple[CytokineResult, ...]:
    """The result of every analyte of the panel, in its order; those that the report leaves out say so.

    A limit that a result states is its own; else that of the lot holds, times the dilution.

    Raises:
        Unacceptable: one of the errors above, of `laboratory_report`, `AnalyteNotInPanel` or `UnitNotConvertible`.
    """
    refuse_future(report.specimen.collected_at, now)
    limits = {} if lot is None else {each.analyte: each for each in lot.limits}
    read: dict[str, CytokineResult] = {}
    for line in report.results:
        key = key_of(line.analyte, panel)
        if key in read:
            raise AnalyteTwice(f"{key} is reported twice: send one result for it")
        read[key] = _result(line, key, _flags(key, report, panel), limits.get(key), panel)
    return tuple(
        read.get(analyte.key) or CytokineResult(analyte=analyte.key, not_measured=NotMeasured.NOT_REPORTED)
        for analyte in panel.analytes
    )


def _flags(key: str, report: CytokineReport, panel: Cytokines) -> tuple[CytokineFlag, ...]:
    if report.after_tocilizumab and key in panel.flag_after_tocilizumab.value:
        return (CytokineFlag.AFTER_TOCILIZUMAB,)
    return ()


def _result(
    line: ReportedCytokine, key: str, flags: Sequence[CytokineFlag], limits: AssayLimits | None, panel: Cytokines
) -> CytokineResult:
    if line.not_measured is not None:
        if line.value is not None or line.qualifier is not None or line.replicates is not None:
            raise ContradictoryReport(f"{key} has a result and is not measured: send the one or the other")
        return CytokineResult(analyte=key, not_measured=line.not_measured)
    if line.value is None and line.qualifier is None and line.replicates is None:
        raise NothingMeasured(f"{key} has no value: send one, or a qualifier with its limit, or not_measured")
    if line.unit is None:
        raise UnitMissing(f"{key} has no unit: send a UCUM unit, such as pg/mL")
    own = (line.lloq, line.uloq)
    line = with_limits_of(in_pg_per_ml(line, key), limits)
    _check_limits(line, key)
    if line.replicates is not None:
        return _of_replicates(line, key, flags, own, panel)
    qualifier = qualifier_of(line, key)
    lloq = line.value if qualifier is Qualifier.BELOW and line.lloq is None else line.lloq
    uloq = line.value if qualifier is Qualifier.ABOVE and line.value else line.uloq  # `>20000`, diluted twice
    return CytokineResult(
        analyte=key,
        value_pg_ml=None if qualifier else line.value,
        qualifier=qualifier,
        lloq_pg_ml=lloq,
        uloq_pg_ml=uloq,
        flags=tuple(flags),
        lloq_from=_from(lloq, line.lloq, own[0]),
        uloq_from=_from(uloq, line.uloq, own[1]),
        dilution_factor=line.dilution_factor,
    )


def _of_replicates(
    line: ReportedCytokine,
    key: str,
    flags: Sequence[CytokineFlag],
    own: tuple[Decimal | None, Decimal | None],
    panel: Cytokines,
) -> CytokineResult:
    for well in wells(line):
        if well.value is None and well.qualifier is None:
            raise NothingMeasured(f"{key}: each replicate has a value, or a qualifier with its limit")
        _check_limits(well, key)
    told = combined(line, key, [qualifier_of(each, key) for each in wells(line)], panel)
    lloq = told.bound if told.qualifier is Qualifier.BELOW else line.lloq
    uloq = told.bound if told.qualifier is Qualifier.ABOVE else line.uloq
    return CytokineResult(
        analyte=key,
        value_pg_ml=told.value,
        qualifier=told.qualifier,
        lloq_pg_ml=lloq,
        uloq_pg_ml=uloq,
        flags=(*flags, *told.flags),
        lloq_from=_from(lloq, line.lloq, own[0], otherwise=LimitFrom.REPLICATES),
        uloq_from=_from(uloq, line.uloq, own[1], otherwise=LimitFrom.REPLICATES),
        dilution_factor=line.dilution_factor,
        replicates=told.summary,
    )


def _from(
    limit: Decimal | None, of_line: Decimal | None, own: Decimal | None, otherwise: LimitFrom = LimitFrom.RESULT
) -> LimitFrom | None:
    """Where a limit comes from: what is not the line's is told by the value beside a qualifier, or by replicates."""
    if limit is None:
        return None
    if limit != of_line:
        return otherwise
    return LimitFrom.ASSAY_LOT if own is None else LimitFrom.RESULT


def _check_limits(line: ReportedCytokine, key: str) -> None:
    if line.lloq == 0 or line.uloq == 0:
        raise ZeroWithoutLimit(f"{key}: a limit of quantification is more than 0; leave it out where it is unknown")
    if line.lloq is not None and line.uloq is not None and line.lloq >= line.uloq:
        raise ContradictoryReport(f"{key}: lloq is not below uloq")
    if line.replicates is None and not line.value and line.lloq is None and line.qualifier is not Qualifier.ABOVE:
        raise ZeroWithoutLimit(
            f"{key} is below a limit of quantification that is missing: send the qualifier `<` with lloq, never 0"
        )


def qualifier_of(line: ReportedCytokine, key: str) -> Qualifier | None:
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
