"""How a period of the trial ends for a participant, each with its term of the NCOMPLT codelist."""

from services.enrollment.api.changes import Change, changes
from services.enrollment.api.permissions import MayEnterData
from services.enrollment.domain.ending import (
    CompleteFollowUp,
    DiscontinueTreatment,
    FailScreening,
    FollowUpNotOver,
    NoSuchEnding,
    RecordDeath,
    RecordLossToFollowUp,
    RetractDiscontinuation,
    ScreenFailureUnexplained,
)
from shared.http.answers import Recorded
from shared.http.service_app import router as service_router

router = service_router("/v1/participants/{participant_id}", "discontinuation")


@router.post(
    "/fail-screening", summary="End a screening without enrolment", responses=changes(ScreenFailureUnexplained)
)
async def fail_screening(command: FailScreening, actor: MayEnterData, change: Change) -> Recorded:
    """End a screening without enrolment, and say why. The participant may be screened again later.

    By a criterion that the last assessment found not met, which needs no more words; else by `disposition`.
    """
    return await change(command, actor)


@router.post("/discontinue-treatment", summary="No further infusion will be given", responses=changes())
async def discontinue_treatment(command: DiscontinueTreatment, actor: MayEnterData, change: Change) -> Recorded:
    """Record that no further infusion will be given, and why. Follow-up goes on."""
    return await change(command, actor)


@router.post("/record-loss-to-follow-up", summary="The participant cannot be reached", responses=changes())
async def record_loss_to_follow_up(command: RecordLossToFollowUp, actor: MayEnterData, change: Change) -> Recorded:
    """Record that the site can no longer reach the participant. Found again: retract it."""
    return await change(command, actor)


@router.post("/complete-follow-up", summary="Follow-up is completed", responses=changes(FollowUpNotOver))
async def complete_follow_up(command: CompleteFollowUp, actor: MayEnterData, change: Change) -> Recorded:
    """Record that the participant completed the follow-up that the protocol asks for."""
    return await change(command, actor)


@router.post("/record-death", summary="The participant died", responses=changes())
async def record_death(command: RecordDeath, actor: MayEnterData, change: Change) -> Recorded:
    """Record a death, on a date as far as it is known. Possible wherever the participant stands; follow-up ends."""
    return await change(command, actor)


@router.post(
    "/retract-discontinuation", summary="Take back the latest ending on record", responses=changes(NoSuchEnding)
)
async def retract_discontinuation(command: RetractDiscontinuation, actor: MayEnterData, change: Change) -> Recorded:
    """Take back the latest ending, named by the status it led to. The participant stands where they stood before."""
    return await change(command, actor)
