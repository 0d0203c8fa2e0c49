"""One flow cytometry result of CAR-T cells: recorded, corrected as often as need be, or cancelled."""

from typing import assert_never
from uuid import UUID

from pydantic import ConfigDict, JsonValue

from services.biomarkers.domain import life
from services.biomarkers.domain.car_t_count import count_of
from services.biomarkers.domain.consent_gate import refuse_uncovered
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


LIFE = life.Life("flow result", NoSuchFlowResult, FlowResultAlreadyRecorded, FlowResultIsCancelled)


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
            return _record(command, state, facts)
        case CorrectFlowResult():
            return _correct(command, state, facts)
        case CancelFlowResult():
            return _cancel(command, state)
        case _:
            assert_never(command)


def _record(command: RecordFlowResult, state: State, facts: Facts) -> list[FlowResultEvent]:
    report = report_in(command)
    if not LIFE.begins(state, command.participant_id, report):
        return []
    refuse_uncovered(facts, report.specimen.collected_at)
    assert command.flow_result_id is not None  # noqa: S101 - minted where the body has none
    return [
        FlowResultRecorded(
            flow_result_id=command.flow_result_id,
            participant_id=command.participant_id,
            report=report,
            count=_read(report, facts),
            protocol=facts.protocol.ref,
        )
    ]


def _correct(command: CorrectFlowResult, state: State, facts: Facts) -> list[FlowResultEvent]:
    report = report_in(command)
    standing = LIFE.to_correct(state, report)
    if standing is None:
        return []
    refuse_uncovered(facts, report.specimen.collected_at, standing.report.specimen.collected_at)
    return [
        FlowResultCorrected(
            flow_result_id=standing.result_id,
            participant_id=standing.participant_id,
            report=report,
            count=_read(report, facts),
            reason=command.reason,
            protocol=facts.protocol.ref,
        )
    ]


def _cancel(command: CancelFlowResult, state: State) -> list[FlowResultEvent]:
    standing = LIFE.to_cancel(state, command.ground)
    if standing is None:
        return []
    return [
        FlowResultCancelled(
            flow_result_id=standing.result_id,
            participant_id=standing.participant_id,
            ground=command.ground,
            reason=command.reason,
        )
    ]


def _read(report: FlowReport, facts: Facts) -> CarTCount:
    read = with_gates(report)
    check(read, facts.now, facts.protocol)
    return count_of(read, facts.protocol)


def report_in(command: RecordFlowResult | CorrectFlowResult) -> FlowReport:
    """The laboratory's part of a command."""
    return FlowReport.model_construct(**{name: getattr(command, name) for name in FlowReport.model_fields})


DECIDER: Decider[FlowResultCommand, State, Facts, FlowResultEvent] = Decider(
    "flow-result", life.Unrecorded(), evolve, decide
)
