"""The independent review: two blinded readers record what they see, and an adjudicator decides where they differ.

The role of a reader says whose reading a request is about, so no path leads to another's. What they may call is here
and nowhere else: neither the investigator's reading nor any date of treatment is in any answer of these.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.efficacy.api.assessments import ASSESSMENT_RULES, AssessmentPath
from services.efficacy.api.lesions import LESION_RULES, LesionPath
from services.efficacy.api.permissions import ParticipantPath
from services.efficacy.api.review_views import IndependentReviewView
from services.efficacy.api.views import TumourBurden
from services.efficacy.application import Change
from services.efficacy.domain.assessments import (
    AssessmentAlreadyRecorded,
    AssessmentWasRetracted,
    BaselineOnRecord,
    CorrectAssessment,
    NoSuchAssessment,
    RecordAssessment,
    RetractAssessment,
)
from services.efficacy.domain.lesions import (
    CorrectLesion,
    IdentifyLesion,
    LesionAlreadyIdentified,
    LesionWasRetracted,
    NoSuchLesion,
    RetractLesion,
)
from services.efficacy.domain.naming import AnotherIdInTheBody
from services.efficacy.domain.overrides import NotAResponseOfTheCriteria
from services.efficacy.domain.review import AdjudicateResponse, AlreadyAdjudicated, NothingToAdjudicate
from services.efficacy.independent_review import IndependentReview
from shared.auth.permissions import COURSE_READERS, allow, allow_alone
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.actor import Actor, Role
from shared.kernel.errors import NoSuchParticipant

router: APIRouter = make_router("/v1/independent-reads/{participant_id}", "Independent review")

Reads = Annotated[Actor, Depends(allow_alone(Role.INDEPENDENT_READER_1, Role.INDEPENDENT_READER_2))]
Adjudicates = Annotated[Actor, Depends(allow_alone(Role.ADJUDICATOR))]
MayReadReview = Annotated[Actor, Depends(allow(*COURSE_READERS, Role.ADJUDICATOR))]


async def _review(request: Request) -> IndependentReview:
    review: IndependentReview = request.app.state.independent_review
    return review


ReviewDep = Annotated[IndependentReview, Depends(_review)]
CarryOut = Callable[[Change, Actor], Awaitable[Recorded]]


async def _carrier(
    participant_id: ParticipantPath, review: ReviewDep, expected: IfMatch, mint: Mint, response: Response
) -> CarryOut:
    async def carry_out(command: Change, actor: Actor) -> Recorded:
        receipt = await review.change(participant_id, command, by=actor, expected=expected, command_id=mint(None))
        return answers.changed(response, receipt, command.which)

    return carry_out


ChangeDep = Annotated[CarryOut, Depends(_carrier)]
_CHANGE = (NoSuchParticipant, AnotherIdInTheBody, *VERSION_PROBLEMS)


@router.post(
    "/lesions",
    status_code=201,
    responses={
        **problems.of(NoSuchParticipant, LesionAlreadyIdentified, OtherContentOnRecord, *LESION_RULES),
        **answers.CREATED,
    },
)
async def identify_lesion_independently(
    participant_id: ParticipantPath,
    command: IdentifyLesion,
    review: ReviewDep,
    actor: Reads,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Identify a lesion of the caller's own reading, before its baseline assessment."""
    command = command.about(mint(command.lesion_id))
    receipt = await review.add(participant_id, command, by=actor)
    return answers.created(request, response, receipt, command.which, f"/v1/independent-reads/{participant_id}")


@router.post(
    "/lesions/{lesion_id}/correct",
    responses={**problems.of(NoSuchLesion, LesionWasRetracted, *LESION_RULES, *_CHANGE), **answers.CHANGED},
)
async def correct_lesion_independently(
    lesion_id: LesionPath, command: CorrectLesion, actor: Reads, carry_out: ChangeDep
) -> Recorded:
    """Put the description of a lesion of the caller's own right, with the reason."""
    return await carry_out(command.about(lesion_id), actor)


@router.post("/lesions/{lesion_id}/retract", responses={**problems.of(NoSuchLesion, *_CHANGE), **answers.CHANGED})
async def retract_lesion_independently(
    lesion_id: LesionPath, command: RetractLesion, actor: Reads, carry_out: ChangeDep
) -> Recorded:
    """Take back a lesion of the caller's own that was identified in error, with the reason."""
    return await carry_out(command.about(lesion_id), actor)


@router.post(
    "/assessments",
    status_code=201,
    responses={
        **problems.of(
            NoSuchParticipant, AssessmentAlreadyRecorded, OtherContentOnRecord, BaselineOnRecord, *ASSESSMENT_RULES
        ),
        **answers.CREATED,
    },
)
async def record_assessment_independently(
    participant_id: ParticipantPath,
    command: RecordAssessment,
    review: ReviewDep,
    actor: Reads,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record what the caller saw at one time point. Name the `visit`, so that it is compared with the other reader's.

    The response follows at once, by the criteria of the protocol. Where both readers have read the time point and
    their responses differ, the adjudicator is asked; neither reader is told.
    """
    command = command.about(mint(command.assessment_id))
    receipt = await review.add(participant_id, command, by=actor)
    return answers.created(request, response, receipt, command.which, f"/v1/independent-reads/{participant_id}")


@router.post(
    "/assessments/{assessment_id}/correct",
    responses={
        **problems.of(NoSuchAssessment, AssessmentWasRetracted, *ASSESSMENT_RULES, *_CHANGE),
        **answers.CHANGED,
    },
)
async def correct_assessment_independently(
    assessment_id: AssessmentPath, command: CorrectAssessment, actor: Reads, carry_out: ChangeDep
) -> Recorded:
    """Put the findings of the caller's own assessment right, with the reason; responses follow."""
    return await carry_out(command.about(assessment_id), actor)


@router.post(
    "/assessments/{assessment_id}/retract",
    responses={**problems.of(NoSuchAssessment, *_CHANGE), **answers.CHANGED},
)
async def retract_assessment_independently(
    assessment_id: AssessmentPath, command: RetractAssessment, actor: Reads, carry_out: ChangeDep
) -> Recorded:
    """Take back an assessment of the caller's own that was recorded in error, with the reason."""
    return await carry_out(command.about(assessment_id), actor)


@router.get("", responses={**problems.of(NoSuchParticipant), **answers.VERSIONED})
async def get_own_reading(
    participant_id: ParticipantPath, review: ReviewDep, actor: Reads, response: Response
) -> TumourBurden:
    """The caller's own lesions, assessments and responses, and nobody else's. Its ETag is what every change names."""
    participant, state, version = await review.own(participant_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return TumourBurden.of(state, participant_id=participant_id, site_id=participant.site_id)


@router.get("/history", responses=problems.of(NoSuchParticipant))
async def get_own_reading_history(
    participant_id: ParticipantPath, review: ReviewDep, actor: Reads
) -> list[HistoryEntry]:
    """What the caller has recorded, when, and why. Empty: nothing yet."""
    envelopes = await review.own_history(participant_id, by=actor)
    return answers.history(envelopes, missing=NoSuchParticipant()) if envelopes else []


@router.get("/review", responses={**problems.of(NoSuchParticipant), **answers.VERSIONED})
async def get_independent_review(
    participant_id: ParticipantPath, review: ReviewDep, actor: MayReadReview, response: Response
) -> IndependentReviewView:
    """Both readers' responses by time point, where they differ and in what, and the response that counts."""
    state, version = await review.review(participant_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return IndependentReviewView.of(participant_id, state)


@router.post(
    "/adjudicate",
    responses={
        **problems.of(
            NoSuchParticipant,
            NothingToAdjudicate,
            AlreadyAdjudicated,
            NotAResponseOfTheCriteria,
            *VERSION_PROBLEMS,
        ),
        **answers.CHANGED,
    },
)
async def adjudicate_response(
    participant_id: ParticipantPath,
    command: AdjudicateResponse,
    review: ReviewDep,
    actor: Adjudicates,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Decide between the two readers at one time point, with the reason. All three stay visible; this one counts."""
    receipt = await review.adjudicate(participant_id, command, by=actor, expected=expected, command_id=mint(None))
    return answers.changed(response, receipt, participant_id)
