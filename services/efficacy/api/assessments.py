"""Tumour assessments and the responses to them: record, correct, retract, override, read."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.efficacy.api.permissions import ChangeDep, EfficacyDep, MayJudge, MayRead, MayRecord, ParticipantPath
from services.efficacy.api.views import Assessment
from services.efficacy.domain.assessments import (
    AssessedInTheFuture,
    AssessmentAlreadyRecorded,
    AssessmentWasRetracted,
    BaselineOnRecord,
    CorrectAssessment,
    LabelOfKnownLesion,
    NonTargetStatusMissing,
    NoSuchAssessment,
    RecordAssessment,
    RetractAssessment,
    TargetLesionLeftOut,
    TargetNotMeasuredAtBaseline,
    TargetTooSmallAtBaseline,
    UnknownTargetLesion,
)
from services.efficacy.domain.naming import AnotherIdInTheBody
from services.efficacy.domain.overrides import (
    NotAResponseOfTheCriteria,
    NothingToOverride,
    OverrideResponse,
    WithdrawOverride,
)
from services.efficacy.domain.stated_responses import ReportResponse, StatedInTheFuture, StatedOtherwise
from shared.consent.coverage import ConsentDoesNotCover
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import Recorded
from shared.http.etags import VERSION_PROBLEMS
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.errors import NoSuchParticipant, TrialError

router: APIRouter = make_router("/v1/participants/{participant_id}/assessments", "Assessments")

AssessmentPath = Annotated[UUID, Path(description="The assessment's id")]

ASSESSMENT_RULES: tuple[type[TrialError], ...] = (
    ConsentDoesNotCover,
    AssessedInTheFuture,
    UnknownTargetLesion,
    TargetLesionLeftOut,
    NonTargetStatusMissing,
    LabelOfKnownLesion,
    TargetNotMeasuredAtBaseline,
    TargetTooSmallAtBaseline,
)
_CHANGE: tuple[type[TrialError], ...] = (NoSuchParticipant, NoSuchAssessment, AnotherIdInTheBody, *VERSION_PROBLEMS)


def _changes(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    return {**problems.of(*_CHANGE, *errors), **answers.CHANGED}


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(
            NoSuchParticipant, AssessmentAlreadyRecorded, OtherContentOnRecord, BaselineOnRecord, *ASSESSMENT_RULES
        ),
        **answers.CREATED,
    },
)
async def record_assessment(
    participant_id: ParticipantPath,
    command: RecordAssessment,
    efficacy: EfficacyDep,
    actor: MayRecord,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record what a reader saw at one time point; the response by the protocol's criteria is assigned at once.

    Every target lesion is given with its state, and a new lesion at every assessment at which it is seen.
    Assessments may arrive in any order: those dated later are judged again. Needs no `If-Match`; the same
    assessment again changes nothing.
    """
    command = command.about(mint(command.assessment_id))
    receipt = await efficacy.add(participant_id, command, by=actor)
    path = f"/v1/participants/{participant_id}/assessments/{command.which}"
    return answers.created(request, response, receipt, command.which, path)


@router.post("/{assessment_id}/correct", responses=_changes(AssessmentWasRetracted, *ASSESSMENT_RULES))
async def correct_assessment(
    assessment_id: AssessmentPath, command: CorrectAssessment, actor: MayRecord, carry_out: ChangeDep
) -> Recorded:
    """Put the findings of an assessment right, with the reason. Responses that change with them are assigned anew."""
    return await carry_out(command.about(assessment_id), actor)


@router.post("/{assessment_id}/retract", responses=_changes())
async def retract_assessment(
    assessment_id: AssessmentPath, command: RetractAssessment, actor: MayJudge, carry_out: ChangeDep
) -> Recorded:
    """Take back an assessment that was recorded in error, with the reason. It stays in the history."""
    return await carry_out(command.about(assessment_id), actor)


@router.post(
    "/{assessment_id}/override-response",
    responses=_changes(AssessmentWasRetracted, NothingToOverride, NotAResponseOfTheCriteria),
)
async def override_response(
    assessment_id: AssessmentPath, command: OverrideResponse, actor: MayJudge, carry_out: ChangeDep
) -> Recorded:
    """Judge otherwise than the criteria, with the reason. Both responses stay visible; this one counts.

    The response is one that the set of criteria deciding for this participant knows: MR under INRC, iUPD under iRECIST.
    """
    return await carry_out(command.about(assessment_id), actor)


@router.post("/{assessment_id}/withdraw-override", responses=_changes(AssessmentWasRetracted))
async def withdraw_override(
    assessment_id: AssessmentPath, command: WithdrawOverride, actor: MayJudge, carry_out: ChangeDep
) -> Recorded:
    """Let the assigned response count again, with the reason."""
    return await carry_out(command.about(assessment_id), actor)


@router.post(
    "/{assessment_id}/report-response",
    responses=_changes(AssessmentWasRetracted, StatedOtherwise, StatedInTheFuture, NotAResponseOfTheCriteria),
)
async def report_response(
    assessment_id: AssessmentPath, command: ReportResponse, actor: MayRecord, carry_out: ChangeDep
) -> Recorded:
    """State a response that somebody gave, as SDTM RS has it. It replaces nothing: the assessment shows both.

    `reported` of the assessment says whether it agrees with what the same set of criteria makes of the measurements,
    and `/trial/v1/outcomes/response-by-criteria` lists whose do not.
    """
    return await carry_out(command.about(assessment_id), actor)


@router.get("/{assessment_id}", responses={**problems.of(NoSuchParticipant, NoSuchAssessment), **answers.VERSIONED})
async def get_assessment(
    participant_id: ParticipantPath,
    assessment_id: AssessmentPath,
    efficacy: EfficacyDep,
    actor: MayRead,
    response: Response,
) -> Assessment:
    """One assessment with its response. Its ETag is that of the participant's tumour burden."""
    _, state, version = await efficacy.tumour_burden(participant_id, by=actor)
    if assessment_id not in state.assessments:
        raise NoSuchAssessment("no such assessment of this participant")
    response.headers["ETag"] = etags.of(version)
    return Assessment.of(assessment_id, state.assessments[assessment_id])
