"""Flow cytometry of one sample: a flow result, with a line for each field that feeds tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.biomarkers.domain.flow_result import DECIDER, CancelFlowResult, CorrectFlowResult, RecordFlowResult
from services.biomarkers.domain.units import to_cells_per_ul
from services.biomarkers.intake.lines import WITHDRAWN, Kind, as_the_domain, made
from services.biomarkers.intake.readings import Reading, ReadingProblem, Unreadable
from shared.contracts.biomarkers import FlowReport, LymphocyteCount
from shared.protocol.biomarkers import Cytokines

_FIELDS = ("percent", "cells_per_ul", "parent_events", "car_events", "cd3_percent_of_lymphocytes", "alc")
_COUNTS = frozenset({"parent_events", "car_events"})
_WITH_LIMIT = frozenset({"percent", "cells_per_ul"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A percentage or a count of cells, with the sign and the limit that stand beside it, all in one unit."""

    number: Decimal
    qualifier: str | None
    lloq: Decimal | None


def _lines(report: FlowReport, _panel: Cytokines) -> dict[str, Any]:
    told = {name: value for name in _FIELDS if (value := getattr(report, name)) is not None}
    limited = {
        name: Quantity(told[name], report.qualifier, getattr(report, f"lloq_{name}"))
        for name in _WITH_LIMIT & set(told)
    }
    return {**told, **limited}


def _line(reading: Reading, stands: Any) -> Any:
    field, value, unit = reading.taken.field, reading.value, reading.unit
    if field in _COUNTS:
        if reading.qualifier or value is None or value != value.to_integral_value():
            raise Unreadable(ReadingProblem.BAD_VALUE, "events are counted: send a whole number")
        return int(value)
    if field == "alc":
        if unit is None or reading.qualifier:
            raise Unreadable(
                ReadingProblem.BAD_VALUE, "the lymphocyte count needs its unit, such as 10*9/L, and no comparator"
            )
        return made(LymphocyteCount, {"value": value, "unit": unit, "drawn_at": reading.collected_at})
    if field == "cells_per_ul":
        if unit is None or value is None:
            raise Unreadable(ReadingProblem.BAD_VALUE, "a cell count needs its unit, such as /uL")
        return _quantity(reading, stands, *as_the_domain(lambda: _in_cells_per_ul(value, reading.lloq, unit)))
    if unit != "%":
        raise Unreadable(ReadingProblem.BAD_VALUE, "the unit of a percentage is %")
    if value is None or field not in _WITH_LIMIT:
        return value
    return _quantity(reading, stands, value, reading.lloq)


def _in_cells_per_ul(value: Decimal, lloq: Decimal | None, unit: str) -> tuple[Decimal, Decimal | None]:
    return to_cells_per_ul(value, unit), None if lloq is None else to_cells_per_ul(lloq, unit)


def _quantity(reading: Reading, stands: Quantity | None, number: Decimal, lloq: Decimal | None) -> Quantity:
    """A limit that is not told is the one that stands."""
    kept = stands.lloq if stands is not None else None
    return Quantity(number, reading.qualifier, kept if lloq is None else lloq)


def _report(readings: Sequence[Reading], before: Mapping[str, Any], lines: Mapping[str, Any]) -> dict[str, Any]:
    limited = {name: line for name in _WITH_LIMIT if (line := lines.get(name)) is not None}
    given: dict[str, Any] = {name: lines.get(name) for name in _FIELDS}
    given |= {name: line.number for name, line in limited.items()}
    given |= {f"lloq_{name}": line.lloq for name, line in limited.items() if line.lloq is not None}
    about = [each for each in readings if each.taken.field in _WITH_LIMIT]
    if about:
        qualified = [each for each in readings if each.qualifier and each.status not in WITHDRAWN]
        given["qualifier"] = qualified[0].qualifier if qualified else None
    # CARPCT is in percent of CD3+ (taken_codes.csv).
    return {"parent_population": before.get("parent_population", "cd3"), **given}


KIND = Kind(
    decider=DECIDER,
    record=RecordFlowResult,
    correct=CorrectFlowResult,
    cancel=CancelFlowResult,
    id_name="flow_result_id",
    measured=frozenset({"percent", "cells_per_ul", "car_events"}),
    assay=lambda _reading: None,
    lines=_lines,
    line=_line,
    report=_report,
)
