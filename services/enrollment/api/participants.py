"""Participants: screening, the record of one, and corrections of what was recorded at screening."""

from uuid import UUID

from fastapi import Request, Response

from services.enrollment.api.changes import Change, changes
from services.enrollment.api.permissions import (
    EnrollmentDep,
    MayAskForException,
    MayDecideException,
    MayEnterData,
    MayReadParticipants,
    MayTransfer,
)
from services.enrollment.api.views import ParticipantView, view_of
from services.enrollment.domain.cohorts.escalation import DosingPausedNow, NoFreeSlot, NoLevelOpen
from services.enrollment.domain.consent import ConsentNotValid
from services.enrollment.domain.eligibility import AssessEligibility, EvidenceNotAskedFor
from services.enrollment.domain.eligibility_exception import (
    DecideEligibilityException,
    ExceptionNeedsTwo,
    NoExceptionRequested,
    NothingToExcept,
    RequestEligibilityException,
)
from services.enrollment.domain.facts import (
    BeforeBirth,
    InTheFuture,
    NoSuchParticipant,
)
from services.enrollment.domain.screening import (
    AlreadyScreened,
    CorrectScreeningData,
    DosingHalted,
    EnrolParticipant,
    NotEligible,
    RescreenParticipant,
    ScreenParticipant,
    UnknownDoseLevel,
)
from services.enrollment.domain.site import NoSuchSite, SubjectLabelTaken
from services.enrollment.domain.transfer import AlreadyThere, TransferParticipant
from services.enrollment.escalating import LevelOfAnotherSlot
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.identities import Mint
from shared.http.service_app import router as service_router

router = service_router("/v1/participants", "participants")

NO_PLACE = (NoFreeSlot, NoLevelOpen, DosingPausedNow, LevelOfAnotherSlot)


@router.post(
    "",
    status_code=201,
    summary="Take a person into screening",
    responses={
        **problems.of(NoSuchSite, AlreadyScreened, SubjectLabelTaken, OtherContentOnRecord, InTheFuture, BeforeBirth),
        **answers.CREATED,
    },
)
async def screen_participant(
    command: ScreenParticipant,
    enrollment: EnrollmentDep,
    actor: MayEnterData,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Take a person into screening, under the site's next number. The same request twice takes in one person."""
    participant_id = mint(command.participant_id)
    receipt = await enrollment.screen(command, participant_id=participant_id, by=actor)
    return answers.created(request, response, receipt, participant_id, f"/v1/participants/{participant_id}")


@router.get(
    "/{participant_id}",
    summary="One participant, with the schedule that follows from the infusion",
    responses={**problems.of(NoSuchParticipant), **answers.VERSIONED},
)
async def get_participant(
    participant_id: UUID, enrollment: EnrollmentDep, actor: MayReadParticipants, response: Response
) -> ParticipantView:
    """A participant as of now. The ETag is what a change needs as `If-Match`."""
    participant, version = await enrollment.participant(participant_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return view_of(participant, version, await enrollment.with_forms(enrollment.facts(), participant))


@router.get(
    "/{participant_id}/history",
    summary="Who recorded what about a participant, when and why",
    responses=problems.of(NoSuchParticipant),
)
async def get_participant_history(
    participant_id: UUID, enrollment: EnrollmentDep, actor: MayReadParticipants
) -> list[HistoryEntry]:
    """Every event of a participant, oldest first, with corrections beside what they correct."""
    history = await enrollment.participant_history(participant_id, by=actor)
    return answers.history(history, missing=NoSuchParticipant("there is no such participant"))


@router.post(
    "/{participant_id}/correct-screening-data",
    summary="Correct what was recorded at screening",
    responses=changes(BeforeBirth),
)
async def correct_screening_data(command: CorrectScreeningData, actor: MayEnterData, change: Change) -> Recorded:
    """Correct birth month, sex, diagnosis or date of screening. Another age or sex voids the assessment."""
    return await change(command, actor)


@router.post(
    "/{participant_id}/transfer",
    summary="Hand a participant over to another site",
    responses=changes(NoSuchSite, AlreadyThere),
)
async def transfer_participant(command: TransferParticipant, actor: MayTransfer, change: Change) -> Recorded:
    """Hand a participant over to another site. Its people see and record from now on, those of the former site do not.

    The other services follow as soon as they hear of it. Subject number and record stay.
    """
    return await change(command, actor)


@router.post(
    "/{participant_id}/rescreen",
    summary="Screen a participant again",
    responses=changes(BeforeBirth),
)
async def rescreen_participant(command: RescreenParticipant, actor: MayEnterData, change: Change) -> Recorded:
    """Begin a new screening of a participant who left before enrolment. The subject number stays."""
    return await change(command, actor)


@router.post(
    "/{participant_id}/assess-eligibility",
    summary="Answer every criterion of the protocol",
    responses=changes(EvidenceNotAskedFor),
)
async def assess_eligibility(command: AssessEligibility, actor: MayEnterData, change: Change) -> Recorded:
    """Assess eligibility on the evidence sent. Age, sex and consent are answered from the participant's record.

    `met` always speaks for the participant: an exclusion criterion is met where what it describes is absent. What is
    missing, stale or in another unit is `not-evaluable`, never `met`.
    """
    return await change(command, actor)


@router.post(
    "/{participant_id}/request-eligibility-exception",
    summary="Ask that a participant be enrolled although criteria are not met",
    responses=changes(NothingToExcept),
)
async def request_eligibility_exception(
    command: RequestEligibilityException, actor: MayAskForException, change: Change
) -> Recorded:
    """Ask for an exception, as an investigator. It takes the place of an earlier request of this screening."""
    return await change(command, actor)


@router.post(
    "/{participant_id}/decide-eligibility-exception",
    summary="Grant or refuse an exception",
    responses=changes(NoExceptionRequested, ExceptionNeedsTwo),
)
async def decide_eligibility_exception(
    command: DecideEligibilityException, actor: MayDecideException, change: Change
) -> Recorded:
    """Grant or refuse, for the sponsor, as another person than who asked. It holds on the evidence as it was then."""
    return await change(command, actor)


@router.post(
    "/{participant_id}/enrol",
    summary="Enrol an eligible participant",
    responses=changes(ConsentNotValid, DosingHalted, NotEligible, UnknownDoseLevel, *NO_PLACE),
)
async def enrol_participant(command: EnrolParticipant, actor: MayEnterData, change: Change) -> Recorded:
    """Enrol a participant whose consent is valid and whose assessment still holds on that day.

    A criterion that is not met needs an exception that the sponsor granted; the enrolment is a protocol deviation then.

    Where the protocol enforces its dose escalation, the participant takes a slot at the dose level that is open.
    """
    return await change(command, actor)
