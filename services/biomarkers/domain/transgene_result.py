"""One count of transgene copies by PCR: recorded, corrected as often as need be, or cancelled."""

from typing import Any, assert_never
from uuid import UUID

from pydantic import ConfigDict, JsonValue

from services.biomarkers.domain import life
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


def _read(report: TransgeneReport, facts: Facts) -> dict[str, Any]:
    check(report, facts.now)
    return {"level": level_of(report, facts.protocol)}


LIFE = life.Life(
    name="transgene result",
    id_name="transgene_result_id",
    report=TransgeneReport,
    read=_read,
    unknown=NoSuchTransgeneResult,
    already_recorded=TransgeneResultAlreadyRecorded,
    is_cancelled=TransgeneResultIsCancelled,
)


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
            return [
                TransgeneResultRecorded(**told) for told in LIFE.record(command, command.participant_id, state, facts)
            ]
        case CorrectTransgeneResult():
            return [TransgeneResultCorrected(**told) for told in LIFE.correct(command, state, facts)]
        case CancelTransgeneResult():
            return [TransgeneResultCancelled(**told) for told in LIFE.cancel(command, state)]
        case _:
            assert_never(command)


DECIDER: Decider[TransgeneResultCommand, State, Facts, TransgeneResultEvent] = Decider(
    "transgene-result", life.Unrecorded(), evolve, decide
)
