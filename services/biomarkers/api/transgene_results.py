"""Transgene copies by qPCR or ddPCR: record a laboratory's report, correct it, cancel it, read it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.biomarkers.api import views
from services.biomarkers.api.permissions import BiomarkersDep, MayCorrect, MayRead, MayRecord
from services.biomarkers.api.views import TransgeneResult
from services.biomarkers.domain.laboratory_report import (
    CollectedInFuture,
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
)
from services.biomarkers.domain.specimens.results import OF_SPECIMEN
from services.biomarkers.domain.transgene_result import (
    DECIDER,
    CancelTransgeneResult,
    CorrectTransgeneResult,
    NoSuchTransgeneResult,
    RecordTransgeneResult,
    TransgeneResultAlreadyRecorded,
    TransgeneResultIsCancelled,
)
from shared.consent.coverage import ConsentDoesNotCover
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.errors import NoSuchParticipant, TrialError

router: APIRouter = make_router("/v1/transgene-results", "Transgene results")

TransgeneResultId = Annotated[UUID, Path(description="The transgene result's id")]

_REPORT: tuple[type[TrialError], ...] = (
    ConsentDoesNotCover,
    CollectedInFuture,
    NothingMeasured,
    ZeroWithoutLimit,
    ContradictoryReport,
    *OF_SPECIMEN,
)
_CHANGE: tuple[type[TrialError], ...] = (
    NoSuchTransgeneResult,
    TransgeneResultIsCancelled,
    *VERSION_PROBLEMS,
)


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(NoSuchParticipant, TransgeneResultAlreadyRecorded, OtherContentOnRecord, *_REPORT),
        **answers.CREATED,
    },
)
async def record_transgene_result(
    command: RecordTransgeneResult,
    biomarkers: BiomarkersDep,
    actor: MayRecord,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record a report as the laboratory gave it. Copies are a series of their own, never mixed with counts of cells."""
    transgene_result_id = mint(command.transgene_result_id)
    command = command.model_copy(update={"transgene_result_id": transgene_result_id})
    receipt = await biomarkers.record(DECIDER, transgene_result_id, command, by=actor)
    return answers.created(
        request, response, receipt, transgene_result_id, f"/v1/transgene-results/{transgene_result_id}"
    )


@router.post("/{transgene_result_id}/correct", responses={**problems.of(*_CHANGE, *_REPORT), **answers.CHANGED})
async def correct_transgene_result(
    transgene_result_id: TransgeneResultId,
    command: CorrectTransgeneResult,
    biomarkers: BiomarkersDep,
    actor: MayCorrect,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Supersede the report by the corrected one, whole. The one before it stays readable."""
    receipt = await biomarkers.change(
        DECIDER, transgene_result_id, command, by=actor, expected=expected, command_id=mint(None)
    )
    return answers.changed(response, receipt, transgene_result_id)


@router.post("/{transgene_result_id}/cancel", responses={**problems.of(*_CHANGE), **answers.CHANGED})
async def cancel_transgene_result(
    transgene_result_id: TransgeneResultId,
    command: CancelTransgeneResult,
    biomarkers: BiomarkersDep,
    actor: MayCorrect,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Take the result out of every figure. What it said stays readable."""
    receipt = await biomarkers.change(
        DECIDER, transgene_result_id, command, by=actor, expected=expected, command_id=mint(None)
    )
    return answers.changed(response, receipt, transgene_result_id)


@router.get("/{transgene_result_id}", responses={**problems.of(NoSuchTransgeneResult), **answers.VERSIONED})
async def get_transgene_result(
    transgene_result_id: TransgeneResultId, biomarkers: BiomarkersDep, actor: MayRead, response: Response
) -> TransgeneResult:
    """The report that counts, what was read from it, and the reports it superseded."""
    history, participant = await biomarkers.result(DECIDER, transgene_result_id, by=actor)
    response.headers["ETag"] = etags.of(len(history))
    named = await biomarkers.specimen_of(views.specimen_named(history))
    return views.transgene_result(history, participant, biomarkers.protocol, named)


@router.get("/{transgene_result_id}/history", responses=problems.of(NoSuchTransgeneResult))
async def get_transgene_result_history(
    transgene_result_id: TransgeneResultId, biomarkers: BiomarkersDep, actor: MayRead
) -> list[HistoryEntry]:
    """Who recorded what, when and why."""
    history, _ = await biomarkers.result(DECIDER, transgene_result_id, by=actor)
    return answers.history(history, missing=NoSuchTransgeneResult("no result has this id"))
