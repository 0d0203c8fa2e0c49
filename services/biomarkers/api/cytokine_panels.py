"""Cytokine panels: record a laboratory's report, correct it, cancel it, read it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.biomarkers.api import views
from services.biomarkers.api.permissions import BiomarkersDep, MayCorrect, MayRead, MayRecord
from services.biomarkers.api.views import CytokinePanel
from services.biomarkers.domain.analytes import AnalyteNotInPanel
from services.biomarkers.domain.assay_use import AssayDiffers, AssayLotNotValid
from services.biomarkers.domain.assays import UnknownAssayLot
from services.biomarkers.domain.cytokine_panel import (
    DECIDER,
    CancelCytokinePanel,
    CorrectCytokinePanel,
    CytokinePanelAlreadyRecorded,
    CytokinePanelIsCancelled,
    NoSuchCytokinePanel,
    RecordCytokinePanel,
)
from services.biomarkers.domain.cytokines import AboveUpperLimit, AnalyteTwice, UnitMissing
from services.biomarkers.domain.dilution import DilutionUnclear
from services.biomarkers.domain.laboratory_report import (
    CollectedInFuture,
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
)
from services.biomarkers.domain.specimens.results import OF_SPECIMEN
from services.biomarkers.domain.units import UnitNotConvertible
from shared.consent.coverage import ConsentDoesNotCover
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.errors import NoSuchParticipant, TrialError

router: APIRouter = make_router("/v1/cytokine-panels", "Cytokine panels")

CytokinePanelId = Annotated[UUID, Path(description="The cytokine panel's id")]

_REPORT: tuple[type[TrialError], ...] = (
    ConsentDoesNotCover,
    CollectedInFuture,
    NothingMeasured,
    ZeroWithoutLimit,
    ContradictoryReport,
    AnalyteNotInPanel,
    AnalyteTwice,
    UnitMissing,
    UnitNotConvertible,
    AboveUpperLimit,
    DilutionUnclear,
    UnknownAssayLot,
    AssayLotNotValid,
    AssayDiffers,
    *OF_SPECIMEN,
)
_CHANGE: tuple[type[TrialError], ...] = (
    NoSuchCytokinePanel,
    CytokinePanelIsCancelled,
    *VERSION_PROBLEMS,
)


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(NoSuchParticipant, CytokinePanelAlreadyRecorded, OtherContentOnRecord, *_REPORT),
        **answers.CREATED,
    },
)
async def record_cytokine_panel(
    command: RecordCytokinePanel,
    biomarkers: BiomarkersDep,
    actor: MayRecord,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record a report as the laboratory gave it. Values are converted to pg/mL; 0 is never a result."""
    cytokine_panel_id = mint(command.cytokine_panel_id)
    command = command.model_copy(update={"cytokine_panel_id": cytokine_panel_id})
    receipt = await biomarkers.record(DECIDER, cytokine_panel_id, command, by=actor)
    return answers.created(request, response, receipt, cytokine_panel_id, f"/v1/cytokine-panels/{cytokine_panel_id}")


@router.post("/{cytokine_panel_id}/correct", responses={**problems.of(*_CHANGE, *_REPORT), **answers.CHANGED})
async def correct_cytokine_panel(
    cytokine_panel_id: CytokinePanelId,
    command: CorrectCytokinePanel,
    biomarkers: BiomarkersDep,
    actor: MayCorrect,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Supersede the report by the corrected one, whole. The one before it stays readable."""
    receipt = await biomarkers.change(
        DECIDER, cytokine_panel_id, command, by=actor, expected=expected, command_id=mint(None)
    )
    return answers.changed(response, receipt, cytokine_panel_id)


@router.post("/{cytokine_panel_id}/cancel", responses={**problems.of(*_CHANGE), **answers.CHANGED})
async def cancel_cytokine_panel(
    cytokine_panel_id: CytokinePanelId,
    command: CancelCytokinePanel,
    biomarkers: BiomarkersDep,
    actor: MayCorrect,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Take the panel out of every figure, and out of every baseline. What it said stays readable."""
    receipt = await biomarkers.change(
        DECIDER, cytokine_panel_id, command, by=actor, expected=expected, command_id=mint(None)
    )
    return answers.changed(response, receipt, cytokine_panel_id)


@router.get("/{cytokine_panel_id}", responses={**problems.of(NoSuchCytokinePanel), **answers.VERSIONED})
async def get_cytokine_panel(
    cytokine_panel_id: CytokinePanelId, biomarkers: BiomarkersDep, actor: MayRead, response: Response
) -> CytokinePanel:
    """The report that counts, in pg/mL, with fold changes over the pre-infusion sample, and what it superseded.

    Fold changes are derived at this instant from all panels that stand: a late baseline shows at once.
    """
    history, participant = await biomarkers.result(DECIDER, cytokine_panel_id, by=actor)
    folds = await biomarkers.fold_changes(cytokine_panel_id, participant)
    response.headers["ETag"] = etags.of(len(history))
    named = await biomarkers.specimen_of(views.specimen_named(history))
    return views.cytokine_panel(history, participant, biomarkers.protocol, folds, named)


@router.get("/{cytokine_panel_id}/history", responses=problems.of(NoSuchCytokinePanel))
async def get_cytokine_panel_history(
    cytokine_panel_id: CytokinePanelId, biomarkers: BiomarkersDep, actor: MayRead
) -> list[HistoryEntry]:
    """Who recorded what, when and why."""
    history, _ = await biomarkers.result(DECIDER, cytokine_panel_id, by=actor)
    return answers.history(history, missing=NoSuchCytokinePanel("no result has this id"))
