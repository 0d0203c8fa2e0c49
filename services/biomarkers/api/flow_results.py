"""CAR-T cells by flow cytometry: record a laboratory's report, correct it, cancel it, read it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.biomarkers.api import views
from services.biomarkers.api.permissions import BiomarkersDep, MayCorrect, MayRead, MayRecord
from services.biomarkers.api.views import FlowResult
from services.biomarkers.domain.flow_report import ImplausibleLymphocyteCount, LymphocyteCountOfAnotherDraw
from services.biomarkers.domain.flow_result import (
    DECIDER,
    CancelFlowResult,
    CorrectFlowResult,
    FlowResultAlreadyRecorded,
    FlowResultIsCancelled,
    NoSuchFlowResult,
    RecordFlowResult,
)
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

router: APIRouter = make_router("/v1/flow-results", "Flow results")

FlowResultId = Annotated[UUID, Path(description="The flow result's id")]

_REPORT: tuple[type[TrialError], ...] = (
    ConsentDoesNotCover,
    CollectedInFuture,
    NothingMeasured,
    ZeroWithoutLimit,
    ContradictoryReport,
    LymphocyteCountOfAnotherDraw,
    ImplausibleLymphocyteCount,
    UnitNotConvertible,
    *OF_SPECIMEN,
)
_CHANGE: tuple[type[TrialError], ...] = (
    NoSuchFlowResult,
    FlowResultIsCancelled,
    *VERSION_PROBLEMS,
)


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(NoSuchParticipant, FlowResultAlreadyRecorded, OtherContentOnRecord, *_REPORT),
        **answers.CREATED,
    },
)
async def record_flow_result(
    command: RecordFlowResult,
    biomarkers: BiomarkersDep,
    actor: MayRecord,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record a report as the laboratory gave it. Limits and absolute count are read from it; 0 is never a result."""
    flow_result_id = mint(command.flow_result_id)
    command = command.model_copy(update={"flow_result_id": flow_result_id})
    receipt = await biomarkers.record(DECIDER, flow_result_id, command, by=actor)
    return answers.created(request, response, receipt, flow_result_id, f"/v1/flow-results/{flow_result_id}")


@router.post("/{flow_result_id}/correct", responses={**problems.of(*_CHANGE, *_REPORT), **answers.CHANGED})
async def correct_flow_result(
    flow_result_id: FlowResultId,
    command: CorrectFlowResult,
    biomarkers: BiomarkersDep,
    actor: MayCorrect,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Supersede the report by the corrected one, whole. The one before it stays readable."""
    receipt = await biomarkers.change(
        DECIDER, flow_result_id, command, by=actor, expected=expected, command_id=mint(None)
    )
    return answers.changed(response, receipt, flow_result_id)


@router.post("/{flow_result_id}/cancel", responses={**problems.of(*_CHANGE), **answers.CHANGED})
async def cancel_flow_result(
    flow_result_id: FlowResultId,
    command: CancelFlowResult,
    biomarkers: BiomarkersDep,
    actor: MayCorrect,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Take the result out of every figure. What it said stays readable."""
    receipt = await biomarkers.change(
        DECIDER, flow_result_id, command, by=actor, expected=expected, command_id=mint(None)
    )
    return answers.changed(response, receipt, flow_result_id)


@router.get("/{flow_result_id}", responses={**problems.of(NoSuchFlowResult), **answers.VERSIONED})
async def get_flow_result(
    flow_result_id: FlowResultId, biomarkers: BiomarkersDep, actor: MayRead, response: Response
) -> FlowResult:
    """The report that counts, what was read from it, and the reports it superseded."""
    history, participant = await biomarkers.result(DECIDER, flow_result_id, by=actor)
    response.headers["ETag"] = etags.of(len(history))
    named = await biomarkers.specimen_of(views.specimen_named(history))
    return views.flow_result(history, participant, biomarkers.protocol, named)


@router.get("/{flow_result_id}/history", responses=problems.of(NoSuchFlowResult))
async def get_flow_result_history(
    flow_result_id: FlowResultId, biomarkers: BiomarkersDep, actor: MayRead
) -> list[HistoryEntry]:
    """Who recorded what, when and why."""
    history, _ = await biomarkers.result(DECIDER, flow_result_id, by=actor)
    return answers.history(history, missing=NoSuchFlowResult("no result has this id"))
