"""One count of transgene copies by PCR: recorded, corrected as often as need be, or cancelled."""

from typing import assert_never
from uuid import UUID

from pydantic import ConfigDict, JsonValue

from services.biomarkers.domain import life
from services.biomarkers.domain.consent_gate import refuse_uncovered
from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.transgene_report import check, level_of
from shared.contracts.biomarkers import Ground
from shared.contracts.biomarkers_transgene import (
    TransgeneLevel,
    TransgeneReport,
    TransgeneResultCancelled,
    TransgeneResultCorrected,
    TransgeneResultRecorded,
)
from shared.contracts.terms import ParticipantId, Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, Conflict, NotFound

EXAMPLE_REPORT: dict[str, JsonValue] = {
    "specimen": {"type": "blood", "collected_at": "2026-03-09T08:30:00+07:00"},
    "method": "qpcr",
    "copies_per_ug": "15200",
    "lloq_copies_per_ug": "50",
    "lod_copies_per_ug": "10",
    "dna_input_ng": "200",
}


class RecordTransgeneResult(Command, TransgeneReport):
    """Put a laboratory's count of transgene copies on record, as the laboratory reported it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"participant_id": "018f3a52-0000-7000-8000-000000000001", **EXAMPLE_REPORT}]}
    )

    transgene_result_id: UUID | None = None
    participant_id: ParticipantId


class CorrectTransgeneResult(Command, TransgeneReport):
    """Supersede a result by the corrected report, whole. The one before it stays readable."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**EXAMPLE_REPORT, "copies_per_ug": "1520", "reason": "The standards were diluted twice"}]
        }
    )

    reason: Reason


class CancelTransgeneResult(Command):
    """Take a result out of every figure. What it said stays readable."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ground": "entered-in-error", "reason": "Tube of another participant"}]}
    )

    ground: Ground
    reason: Reason


TransgeneResultCommand = RecordTransgeneResult | CorrectTransgeneResult | CancelTransgeneResult
TransgeneResultEvent = TransgeneResultRecorded | TransgeneResultCorrected | TransgeneResultCancelled


State = life.State[TransgeneReport, TransgeneLevel]


class NoSuchTransgeneResult(NotFound):
    """There is no transgene result under this id, or none that this caller may know of."""


class TransgeneResultAlreadyRecorded(AlreadyExists):
    """Another report is on record under this id."""


class TransgeneResultIsCancelled(Conflict):
    """A cancelled result is not corrected: record the right one under a new id."""


LIFE = life.Life("transgene result", NoSuchTransgeneResult, TransgeneResultAlreadyRecorded, TransgeneResultIsCancelled)


def evolve(state: State, event: TransgeneResultEvent) -> State:
    match event:
        case TransgeneResultRecorded():
            return life.recorded(event.transgene_result_id, event.participant_id, event.report, event.level)
        case TransgeneResultCorrected():
            return life.corrected(state, event.report, event.level)
        case TransgeneResultCancelled():
            return life.cancelled(state, event.ground)
        case _:
            assert_never(event)


def decide(command: TransgeneResultCommand, state: State, facts: Facts) -> list[TransgeneResultEvent]:
    match command:
        case RecordTransgeneResult():
            return _record(command, state, facts)
        case CorrectTransgeneResult():
            return _correct(command, state, facts)
        case CancelTransgeneResult():
            return _cancel(command, state)
        case _:
            assert_never(command)


def _record(command: RecordTransgeneResult, state: State, facts: Facts) -> list[TransgeneResultEvent]:
    report = report_in(command)
    if not LIFE.begins(state, command.participant_id, report):
        return []
    refuse_uncovered(facts, report.specimen.collected_at)
    assert command.transgene_result_id is not None  # noqa: S101 - minted where the body has none
    return [
        TransgeneResultRecorded(
            transgene_result_id=command.transgene_result_id,
            participant_id=command.participant_id,
            report=report,
            level=_read(report, facts),
            protocol=facts.protocol.ref,
        )
    ]


def _correct(command: CorrectTransgeneResult, state: State, facts: Facts) -> list[TransgeneResultEvent]:
    report = report_in(command)
    standing = LIFE.to_correct(state, report)
    if standing is None:
        return []
    refuse_uncovered(facts, report.specimen.collected_at, standing.report.specimen.collected_at)
    return [
        TransgeneResultCorrected(
            transgene_result_id=standing.result_id,
            participant_id=standing.participant_id,
            report=report,
            level=_read(report, facts),
            reason=command.reason,
            protocol=facts.protocol.ref,
        )
    ]


def _cancel(command: CancelTransgeneResult, state: State) -> list[TransgeneResultEvent]:
    standing = LIFE.to_cancel(state, command.ground)
    if standing is None:
        return []
    return [
        TransgeneResultCancelled(
            transgene_result_id=standing.result_id,
            participant_id=standing.participant_id,
            ground=command.ground,
            reason=command.reason,
        )
    ]


def _read(report: TransgeneReport, facts: Facts) -> TransgeneLevel:
    check(report, facts.now)
    return level_of(report, facts.protocol)


def report_in(command: RecordTransgeneResult | CorrectTransgeneResult) -> TransgeneReport:
    """The laboratory's part of a command."""
    return TransgeneReport.model_construct(**{name: getattr(command, name) for name in TransgeneReport.model_fields})


DECIDER: Decider[TransgeneResultCommand, State, Facts, TransgeneResultEvent] = Decider(
    "transgene-result", life.Unrecorded(), evolve, decide
)
