"""One flow cytometry result of CAR-T cells: recorded, corrected as often as need be, or cancelled."""

from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from pydantic import ConfigDict, JsonValue

from services.biomarkers.domain.car_t_count import count_of
from services.biomarkers.domain.facts import Facts
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


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Nothing has happened under this id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A result that counts. `first` is the report it began with, by which a repeated command is known."""

    flow_result_id: UUID
    participant_id: ParticipantId
    first: FlowReport
    report: FlowReport
    count: CarTCount


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A result that no longer counts."""

    last: Standing
    ground: Ground


State = Unrecorded | Standing | Cancelled


class NoSuchFlowResult(NotFound):
    """There is no flow result under this id, or none that this caller may know of."""


class FlowResultAlreadyRecorded(AlreadyExists):
    """Another report is on record under this id."""


class FlowResultIsCancelled(Conflict):
    """A cancelled result is not corrected: record the right one under a new id."""


def evolve(state: State, event: FlowResultEvent) -> State:
    match event:
        case FlowResultRecorded():
            return Standing(event.flow_result_id, event.participant_id, event.report, event.report, event.count)
        case FlowResultCorrected():
            return replace(state, report=event.report, count=event.count) if isinstance(state, Standing) else state
        case FlowResultCancelled():
            return Cancelled(state, event.ground) if isinstance(state, Standing) else state
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
    match state:
        case Unrecorded():
            check(report, facts.now, facts.protocol)
            assert command.flow_result_id is not None  # noqa: S101 - minted where the body has none
            return [
                FlowResultRecorded(
                    flow_result_id=command.flow_result_id,
                    participant_id=command.participant_id,
                    report=report,
                    count=count_of(report, facts.protocol),
                    protocol=facts.protocol.ref,
                )
            ]
        case Standing() | Cancelled():
            result = state.last if isinstance(state, Cancelled) else state
            if (result.participant_id, result.first) == (command.participant_id, report):
                return []
            raise FlowResultAlreadyRecorded(
                f"{result.flow_result_id} is on record with another report: correct it, or record under a new id"
            )
        case _:
            assert_never(state)


def _correct(command: CorrectFlowResult, state: State, facts: Facts) -> list[FlowResultEvent]:
    report = report_in(command)
    match state:
        case Unrecorded():
            raise NoSuchFlowResult("there is no such flow result")
        case Standing() if state.report == report:
            return []
        case Standing():
            check(report, facts.now, facts.protocol)
            return [
                FlowResultCorrected(
                    flow_result_id=state.flow_result_id,
                    participant_id=state.participant_id,
                    report=report,
                    count=count_of(report, facts.protocol),
                    reason=command.reason,
                    protocol=facts.protocol.ref,
                )
            ]
        case Cancelled():
            raise FlowResultIsCancelled("this result was cancelled: record the right one under a new id")
        case _:
            assert_never(state)


def _cancel(command: CancelFlowResult, state: State) -> list[FlowResultEvent]:
    match state:
        case Unrecorded():
            raise NoSuchFlowResult("there is no such flow result")
        case Standing():
            return [
                FlowResultCancelled(
                    flow_result_id=state.flow_result_id,
                    participant_id=state.participant_id,
                    ground=command.ground,
                    reason=command.reason,
                )
            ]
        case Cancelled() if state.ground is command.ground:
            return []
        case Cancelled():
            raise FlowResultIsCancelled("this result was cancelled on another ground")
        case _:
            assert_never(state)


def report_in(command: RecordFlowResult | CorrectFlowResult) -> FlowReport:
    """The laboratory's part of a command."""
    return FlowReport.model_construct(**{name: getattr(command, name) for name in FlowReport.model_fields})


DECIDER: Decider[FlowResultCommand, State, Facts, FlowResultEvent] = Decider(
    "flow-result", Unrecorded(), evolve, decide
)
