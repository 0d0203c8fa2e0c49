"""Transgene copies of one sample by one method: a transgene result, with a line for each quantity that feeds tell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.biomarkers.domain import units
from services.biomarkers.domain.transgene_result import (
    DECIDER,
    CancelTransgeneResult,
    CorrectTransgeneResult,
    RecordTransgeneResult,
)
from services.biomarkers.intake.lines import Kind, as_the_domain
from services.biomarkers.intake.observations import pcr_methods
from services.biomarkers.intake.readings import Reading, ReadingProblem, Unreadable
from shared.contracts.biomarkers_transgene import TransgeneReport
from shared.protocol.biomarkers import Cytokines

_COPIES = "copies_per_ug"
_TO_UNIT: dict[str, Callable[[Decimal, str], Decimal]] = {
    _COPIES: units.to_copies_per_ug,
    "lod_copies_per_ug": units.to_copies_per_ug,
    "copies_per_ml": units.to_copies_per_ml,
    "dna_input_ng": units.to_ng,
}


@dataclass(frozen=True, slots=True)
class Copies:
    """Copies/ug as a report has them, with the sign and the limit that stand beside them."""

    copies_per_ug: Decimal | None
    qualifier: str | None
    lloq_copies_per_ug: Decimal | None


def _lines(report: TransgeneReport, _panel: Cytokines) -> dict[str, Any]:
    beside = {name: value for name in _TO_UNIT if name != _COPIES and (value := getattr(report, name)) is not None}
    return {_COPIES: Copies(report.copies_per_ug, report.qualifier, report.lloq_copies_per_ug), **beside}


def _line(reading: Reading, stands: Any) -> Any:
    field, value, unit = reading.taken.field, reading.value, reading.unit
    if value is None or unit is None:
        raise Unreadable(ReadingProblem.BAD_VALUE, "send a number with its unit, such as {copies}/ug")
    convert = _TO_UNIT[field]
    number = as_the_domain(lambda: convert(value, unit))
    if field == _COPIES:
        lloq = reading.lloq
        if lloq is not None:  # in the unit of the value
            return Copies(number, reading.qualifier, as_the_domain(lambda: convert(lloq, unit)))
        return Copies(number, reading.qualifier, stands.lloq_copies_per_ug if stands else None)
    if reading.qualifier:
        raise Unreadable(ReadingProblem.BAD_VALUE, "of PCR only copies per ug of DNA can lie below a limit")
    return number


def _method(reading: Reading) -> str:
    method = pcr_methods().get((reading.platform or "").upper())
    if method is None:
        raise Unreadable(
            ReadingProblem.UNKNOWN_PLATFORM,
            "transgene copies need their method: name qpcr or ddpcr, or register the source with it as its platform",
        )
    return method


def _report(readings: Sequence[Reading], _before: Mapping[str, Any], lines: Mapping[str, Any]) -> dict[str, Any]:
    copies = lines.get(_COPIES, Copies(None, None, None))
    beside = {name: lines.get(name) for name in _TO_UNIT if name != _COPIES}
    told = {name: getattr(copies, name) for name in Copies.__dataclass_fields__}
    return {"method": _method(readings[0]), **told, **beside}


KIND = Kind(
    decider=DECIDER,
    record=RecordTransgeneResult,
    correct=CorrectTransgeneResult,
    cancel=CancelTransgeneResult,
    id_name="transgene_result_id",
    measured=frozenset({_COPIES}),
    assay=_method,
    lines=_lines,
    line=_line,
    report=_report,
)
