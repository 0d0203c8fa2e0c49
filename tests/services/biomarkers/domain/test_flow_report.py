"""What a flow cytometry report must say before anything is read from it."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.biomarkers.domain.flow_report import (
    ImplausibleLymphocyteCount,
    LymphocyteCountOfAnotherDraw,
    check,
)
from services.biomarkers.domain.laboratory_report import (
    CollectedInFuture,
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
)
from services.biomarkers.domain.units import UnitNotConvertible
from shared.contracts.biomarkers import FlowReport
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.errors import Unacceptable
from shared.protocol import Protocol
from tests.services.biomarkers.reports import ALC, DRAWN, NOW, PROTOCOL, a_flow_report


def checked(protocol: Protocol = PROTOCOL, **given: Any) -> None:
    check(FlowReport.model_validate(a_flow_report(**given)), NOW, protocol)


NOTHING = {"percent": None, "parent_events": None}


@pytest.mark.parametrize(
    ("report", "error"),
    [
        (NOTHING, NothingMeasured),
        ({"percent": None}, NothingMeasured),  # events of the parent alone count no CAR+ cell
        ({"subsets": {}}, NothingMeasured),
        ({"percent": "0", "parent_events": None}, ZeroWithoutLimit),
        ({**NOTHING, "cells_per_ul": "0"}, ZeroWithoutLimit),
        ({**NOTHING, "qualifier": "<"}, ZeroWithoutLimit),
        ({"percent": "0", "parent_events": None, "qualifier": "<"}, ZeroWithoutLimit),
        ({"lloq_percent": "0"}, ZeroWithoutLimit),
        ({"lloq_cells_per_ul": "0"}, ZeroWithoutLimit),
        ({"cd3_percent_of_lymphocytes": "0"}, ZeroWithoutLimit),
        ({"qualifier": ">"}, ContradictoryReport),
        ({"car_events": 20, "parent_events": None}, ContradictoryReport),
        ({"car_events": 0, "parent_events": None}, ContradictoryReport),
        ({"percent": None, "car_events": 500001}, ContradictoryReport),
        ({"percent": "10", "car_events": 20}, ContradictoryReport),
        ({"percent": "10.0", "car_events": 47618}, ContradictoryReport),  # 9.5236 %
        ({"percent": "0.016", "car_events": 55, "parent_events": 300000}, ContradictoryReport),  # 0.0183 %
        ({"qualifier": "<", "percent": "0.06", "lloq_percent": "0.05"}, ContradictoryReport),
        ({"qualifier": "<", "cells_per_ul": "0.6", "lloq_cells_per_ul": "0.5"}, ContradictoryReport),
        ({"subsets": {"cd4_percent": "60", "cd8_percent": "41.1"}}, ContradictoryReport),
        ({"subsets": {"naive_percent": "60", "temra_percent": "41.1"}}, ContradictoryReport),
        ({"alc": {**ALC, "value": "0"}}, ImplausibleLymphocyteCount),
        ({"alc": {**ALC, "value": "0.99", "unit": "/uL"}}, ImplausibleLymphocyteCount),
        ({"alc": {**ALC, "value": "1200"}}, ImplausibleLymphocyteCount),
        ({"alc": {**ALC, "unit": "pg/mL"}}, UnitNotConvertible),
        ({"alc": {**ALC, "drawn_at": "2026-03-08T23:59:59+07:00"}}, LymphocyteCountOfAnotherDraw),
        ({"alc": {**ALC, "drawn_at": "2026-03-10T00:00:00+07:00"}}, LymphocyteCountOfAnotherDraw),
    ],
)
def test_what_cannot_be_a_result_is_refused(report: dict[str, Any], error: type[Unacceptable]) -> None:
    with pytest.raises(error):
        checked(**report)


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"percent": "0"},  # the limit follows from the events
        {"percent": "0", "parent_events": None, "lloq_percent": "0.01"},
        {"percent": "0", "parent_events": None, "lloq_cells_per_ul": "0.5"},
        {**NOTHING, "cells_per_ul": "0", "lloq_cells_per_ul": "0.5"},
        {**NOTHING, "qualifier": "<", "lloq_percent": "0.01"},
        {"percent": None, "qualifier": "<"},
        {"percent": "0.05", "qualifier": "<", "lloq_percent": "0.05"},
        {"percent": None, "car_events": 0},
        {"percent": None, "car_events": 500000},
        {"percent": "10", "car_events": 50000},
        {"percent": "10.0", "car_events": 47620},  # 9.524 %: 5 percent off
        {"percent": "10", "car_events": 45000},  # 9 %: within one unit of the last digit
        {"percent": "0.02", "car_events": 50, "parent_events": 300000},  # 0.0167 %
        {"percent": "10", "car_events": 20, "qualifier": "<"},
        {"subsets": {"cd4_percent": "60", "cd8_percent": "41", "naive_percent": "100"}},
        {"subsets": {"cd4_percent": "0"}},
        {"alc": {**ALC, "value": "0.001"}},
        {"alc": {**ALC, "value": "1000"}},
        {"alc": {**ALC, "drawn_at": "2026-03-09T00:00:00+07:00"}},
        {"alc": {**ALC, "drawn_at": "2026-03-09T23:59:59+07:00"}},
    ],
)
def test_what_can_be_a_result_is_accepted(report: dict[str, Any]) -> None:
    checked(**report)


def test_a_zero_is_answered_with_what_to_send_instead() -> None:
    with pytest.raises(ZeroWithoutLimit, match="send the qualifier `<` with lloq_percent"):
        checked(percent="0", parent_events=None)


def test_a_sample_cannot_come_from_the_future() -> None:
    in_time: dict[str, Any] = {"specimen": {"collected_at": (NOW + CLOCK_SKEW).isoformat()}, "alc": None}
    checked(**in_time)
    after = NOW + CLOCK_SKEW + timedelta(microseconds=1)
    late: dict[str, Any] = {"specimen": {"collected_at": after.isoformat()}, "alc": None}
    with pytest.raises(CollectedInFuture):
        checked(**late)


def test_a_protocol_may_ask_for_lymphocytes_of_the_very_draw() -> None:
    settings = PROTOCOL.persistence
    strict = settings.model_copy(update={"alc_same_day": settings.alc_same_day.model_copy(update={"value": False})})
    protocol = PROTOCOL.model_copy(update={"persistence": strict})
    checked(protocol, alc={**ALC, "drawn_at": "2026-03-09T01:30:00Z"})
    with pytest.raises(LymphocyteCountOfAnotherDraw):
        checked(protocol, alc={**ALC, "drawn_at": "2026-03-09T08:31:00+07:00"})


@pytest.mark.parametrize(
    "report",
    [
        {"percent": "100.1"},
        {"percent": "-0.1"},
        {"percent": "NaN"},
        {"percent": "0.0000000001"},
        {"cells_per_ul": "-1"},
        {"parent_events": 0},
        {"car_events": -1},
        {"parent_population": "nucleated"},
        {"specimen": {"type": "blood", "collected_at": "2026-03-09T08:30:00"}},
        {"specimen": {"type": "serum", "collected_at": DRAWN}},
        {"car_percent": "3"},
    ],
)
def test_what_is_no_number_of_its_kind_is_refused_by_the_schema(report: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FlowReport.model_validate(a_flow_report(**report))
