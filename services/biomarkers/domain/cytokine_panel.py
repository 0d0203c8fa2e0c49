"""One cytokine panel of one sample: recorded, corrected as often as need be, or cancelled."""

from typing import Any, assert_never
from uuid import UUID

from pydantic import ConfigDict, JsonValue

from services.biomarkers.domain import life
from services.biomarkers.domain.assay_use import assay_used
from services.biomarkers.domain.cytokines import results_in
from services.biomarkers.domain.facts import Facts
from shared.contracts.biomarkers import (
    CytokinePanelCancelled,
    CytokinePanelCorrected,
    CytokinePanelRecorded,
    CytokineReport,
    CytokineResult,
    Ground,
)
from shared.contracts.terms import ParticipantId, Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, Conflict, NotFound

EXAMPLE_REPORT: dict[str, JsonValue] = {
    "specimen": {"type": "serum", "collected_at": "2026-03-09T08:30:00+07:00"},
    "platform": "LUMINEX-200",
    "kit": "HCYTA-60K",
    "lot": "A1",
    "results": [
        {"analyte": "IL6", "value": "38.4", "unit": "pg/mL", "lloq": "2.5", "uloq": "10000"},
        {"analyte": "IL2", "qualifier": "<", "lloq": "2.1", "unit": "pg/mL"},
        {"analyte": "IL10", "not_measured": "insufficient-volume"},
    ],
}


class RecordCytokinePanel(Command, CytokineReport):
    """Put a laboratory's cytokine panel on record, as the laboratory reported it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"participant_id": "018f3a52-0000-7000-8000-000000000001", **EXAMPLE_REPORT}]}
    )

    cytokine_panel_id: UUID | None = None
    participant_id: ParticipantId


class CorrectCytokinePanel(Command, CytokineReport):
    """Supersede a panel by the corrected report, whole. The one before it stays readable."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**EXAMPLE_REPORT, "lot": "A2", "reason": "The lot was read from the wrong box"}]
        }
    )

    reason: Reason


class CancelCytokinePanel(Command):
    """Take a panel out of every figure, and out of every baseline. What it said stays readable."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ground": "cancelled", "reason": "The sample had thawed in transport"}]}
    )

    ground: Ground
    reason: Reason


CytokinePanelCommand = RecordCytokinePanel | CorrectCytokinePanel | CancelCytokinePanel
CytokinePanelEvent = CytokinePanelRecorded | CytokinePanelCorrected | CytokinePanelCancelled


State = life.State[CytokineReport, tuple[CytokineResult, ...]]


class NoSuchCytokinePanel(NotFound):
    """There is no cytokine panel under this id, or none that this caller may know of."""


class CytokinePanelAlreadyRecorded(AlreadyExists):
    """Another report is on record under this id."""


class CytokinePanelIsCancelled(Conflict):
    """A cancelled panel is not corrected: record the right one under a new id."""


def _read(report: CytokineReport, facts: Facts) -> dict[str, Any]:
    results = results_in(report, facts.now, facts.protocol.cytokines, facts.lot)
    return {"results": results, "assay": assay_used(report, facts.lot, facts.protocol)}


LIFE = life.Life(
    name="cytokine panel",
    id_name="cytokine_panel_id",
    report=CytokineReport,
    read=_read,
    unknown=NoSuchCytokinePanel,
    already_recorded=CytokinePanelAlreadyRecorded,
    is_cancelled=CytokinePanelIsCancelled,
)


def evolve(state: State, event: CytokinePanelEvent) -> State:
    match event:
        case CytokinePanelRecorded():
            return life.recorded(event.cytokine_panel_id, event.participant_id, event.report, event.results)
        case CytokinePanelCorrected():
            return life.corrected(state, event.report, event.results)
        case CytokinePanelCancelled():
            return life.cancelled(state, event.ground)
        case _:
            assert_never(event)


def decide(command: CytokinePanelCommand, state: State, facts: Facts) -> list[CytokinePanelEvent]:
    match command:
        case RecordCytokinePanel():
            return [
                CytokinePanelRecorded(**told) for told in LIFE.record(command, command.participant_id, state, facts)
            ]
        case CorrectCytokinePanel():
            return [CytokinePanelCorrected(**told) for told in LIFE.correct(command, state, facts)]
        case CancelCytokinePanel():
            return [CytokinePanelCancelled(**told) for told in LIFE.cancel(command, state)]
        case _:
            assert_never(command)


DECIDER: Decider[CytokinePanelCommand, State, Facts, CytokinePanelEvent] = Decider(
    "cytokine-panel", life.Unrecorded(), evolve, decide
)
