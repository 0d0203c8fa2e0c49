"""One flow cytometry result of CAR-T cells: recorded, corrected as often as need be, or cancelled."""

from typing import Any, assert_never
from uuid import UUID

from pydantic import ConfigDict, JsonValue

from services.biomarkers.domain import life
from services.biomarkers.domain.car_t_count import count_of
from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.flow_gates import with_gates
from services.biomarkers.domain.flow_report import check
from shared.contracts.biomarkers import (
    CarTCount,
    FlowReport,
    FlowResultCancelled,
    FlowResultCorrected,
    FlowResultRecorded,
    Ground,
)
from shared.contracts.terms import ParticipantId, Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, Conflict, NotFound

EXAMPLE_REPORT: dict[str, JsonValue] = {
    "specimen": {"type": "blood", "collected_at": "2026-03-09T08:30:00+07:00"},
    "parent_population": "cd3",
    "percent": "12.5",
    "parent_events": 250000,
    "alc": {"value": "1.2", "unit": "10*9/L", "drawn_at": "2026-03-09T08:30:00+07:00"},
    "cd3_percent_of_lymphocytes": "80",
    "subsets": {"cd4_percent": "41.5", "cd8_percent": "57"},
    "platform": "dual",
}


class RecordFlowResult(Command, FlowReport):
    """Put a laboratory's flow cytometry of CAR-T cells on record, as the laboratory reported it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"participant_id": "018f3a52-0000-7000-8000-000000000001", **EXAMPLE_REPORT}]}
    )

    flow_result_id: UUID | None = None
    participant_id: ParticipantId


class CorrectFlowResult(Command, FlowReport):
    """Supersede a result by the corrected report, whole. The one before it stays readable."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**EXAMPLE_REPORT, "percent": "11.0", "reason": "The gate on CD3 was set too wide"}]
        }
    )

    reason: Reason


class CancelFlowResult(Command):
    """Take a result out of every figure. What it said stays readable."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ground": "entered-in-error", "reason": "Tube of another participant"}]}
    )

    ground: Ground
    reason: Reason


FlowResultCommand = RecordFlowResult | CorrectFlowResult | CancelFlowResult
FlowResultEvent = FlowResultRecorded | FlowResultCorrected | FlowResultCancelled


State = life.State[FlowReport, CarTCount]


class NoSuchFlowResult(NotFound):
    """There is no flow result under this id, or none that this caller may know of."""


class FlowResultAlreadyRecorded(AlreadyExists):
    """Another report is on record under this id."""


class FlowResultIsCancelled(Conflict):
    """A cancelled result is not corrected: record the right one under a new id."""


def _read(report: FlowReport, facts: Facts) -> dict[str, Any]:
    read = with_gates(report)
    check(read, facts.now, facts.protocol)
    return {"count": count_of(read, facts.protocol)}


LIFE = life.Life(
    name="flow result",
    id_name="flow_result_id",
    report=FlowReport,
    read=_read,
    unknown=NoSuchFlowResult,
    already_recorded=FlowResultAlreadyRecorded,
    is_cancelled=FlowResultIsCancelled,
)


def evolve(state: State, event: FlowResultEvent) -> State:
    match event:
        case FlowResultRecorded():
            return life.recorded(event.flow_result_id, event.participant_id, event.report, event.count)
        case FlowResultCorrected():
            return life.corrected(state, event.report, event.count)
        case FlowResultCancelled():
            return life.cancelled(state, event.ground)
        case _:
            assert_never(event)


def decide(command: FlowResultCommand, state: State, facts: Facts) -> list[FlowResultEvent]:
    match command:
        case RecordFlowResult():
            return [FlowResultRecorded(**told) for told in LIFE.record(command, command.participant_id, state, facts)]
        case CorrectFlowResult():
            return [FlowResultCorrected(**told) for told in LIFE.correct(command, state, facts)]
        case CancelFlowResult():
            return [FlowResultCancelled(**told) for told in LIFE.cancel(command, state)]
        case _:
            assert_never(command)


DECIDER: Decider[FlowResultCommand, State, Facts, FlowResultEvent] = Decider(
    "flow-result", life.Unrecorded(), evolve, decide
)
