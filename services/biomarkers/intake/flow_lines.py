"""Flow cytometry of one sample: a flow result, with a line for each field that feeds tell."""

from collections.abc import Mapping, Sequence
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


def _lines(report: FlowReport, _panel: Cytokines) -> dict[str, Any]:
    return {name: value for name in _FIELDS if (value := getattr(report, name)) is not None}


def _line(reading: Reading, _stands: Any) -> Any:
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
        return as_the_domain(lambda: to_cells_per_ul(value, unit))
    if unit != "%":
        raise Unreadable(ReadingProblem.BAD_VALUE, "the unit of a percentage is %")
    return value


def _report(readings: Sequence[Reading], before: Mapping[str, Any], lines: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {name: lines.get(name) for name in _FIELDS}
    about = [each for each in readings if each.taken.field in _WITH_LIMIT]
    if about:
        qualified = [each for each in readings if each.qualifier and each.status not in WITHDRAWN]
        given["qualifier"] = qualified[0].qualifier if qualified else None
    given |= {f"lloq_{each.taken.field}": each.lloq for each in about if each.lloq is not None}
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
