"""Lesions known at baseline: identify them, put wrong entries right, read them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.efficacy.api.permissions import ChangeDep, EfficacyDep, MayJudge, MayRead, MayRecord, ParticipantPath
from services.efficacy.api.views import Lesion
from services.efficacy.domain.lesions import (
    BaselineAlreadyAssessed,
    CorrectLesion,
    IdentifyLesion,
    LabelTaken,
    LesionAlreadyIdentified,
    LesionWasRetracted,
    NoSuchLesion,
    RetractLesion,
    TooManyTargets,
    TooManyTargetsInOneOrgan,
)
from services.efficacy.domain.naming import AnotherIdInTheBody
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import Recorded
from shared.http.etags import VERSION_PROBLEMS
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.errors import NoSuchParticipant, TrialError

router: APIRouter = make_router("/v1/participants/{participant_id}/lesions", "Lesions")

LesionPath = Annotated[UUID, Path(description="The lesion's id")]

LESION_RULES: tuple[type[TrialError], ...] = (
    LabelTaken,
    TooManyTargets,
    TooManyTargetsInOneOrgan,
    BaselineAlreadyAssessed,
)
_CHANGE: tuple[type[TrialError], ...] = (NoSuchParticipant, NoSuchLesion, AnotherIdInTheBody, *VERSION_PROBLEMS)


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(NoSuchParticipant, LesionAlreadyIdentified, OtherContentOnRecord, *LESION_RULES),
        **answers.CREATED,
    },
)
async def identify_lesion(
    participant_id: ParticipantPath,
    command: IdentifyLesion,
    efficacy: EfficacyDep,
    actor: MayRecord,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Identify a lesion before the baseline assessment. Needs no `If-Match`; the same lesion again changes nothing."""
    command = command.about(mint(command.lesion_id))
    receipt = await efficacy.add(participant_id, command, by=actor)
    path = f"/v1/participants/{participant_id}/lesions/{command.which}"
    return answers.created(request, response, receipt, command.which, path)


@router.post(
    "/{lesion_id}/correct", responses={**problems.of(LesionWasRetracted, *LESION_RULES, *_CHANGE), **answers.CHANGED}
)
async def correct_lesion(
    lesion_id: LesionPath, command: CorrectLesion, actor: MayRecord, carry_out: ChangeDep
) -> Recorded:
    """Put the description of a lesion right, with the reason. Responses that change with it are assigned anew."""
    return await carry_out(command.about(lesion_id), actor)


@router.post("/{lesion_id}/retract", responses={**problems.of(*_CHANGE), **answers.CHANGED})
async def retract_lesion(
    lesion_id: LesionPath, command: RetractLesion, actor: MayJudge, carry_out: ChangeDep
) -> Recorded:
    """Take back a lesion that was identified in error, with the reason. Its measurements no longer count."""
    return await carry_out(command.about(lesion_id), actor)


@router.get("/{lesion_id}", responses={**problems.of(NoSuchParticipant, NoSuchLesion), **answers.VERSIONED})
async def get_lesion(
    participant_id: ParticipantPath, lesion_id: LesionPath, efficacy: EfficacyDep, actor: MayRead, response: Response
) -> Lesion:
    """One lesion as it stands. Its ETag is that of the participant's tumour burden."""
    _, state, version = await efficacy.tumour_burden(participant_id, by=actor)
    if lesion_id not in state.lesions:
        raise NoSuchLesion("no such lesion of this participant")
    response.headers["ETag"] = etags.of(version)
    return Lesion.of(lesion_id, state.lesions[lesion_id])
