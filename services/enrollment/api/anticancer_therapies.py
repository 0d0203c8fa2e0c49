"""New anticancer therapy: what was begun against the tumour after the infusion, beside the trial's product."""

from services.enrollment.api.changes import Change, changes
from services.enrollment.api.permissions import MayEnterData
from services.enrollment.domain.anticancer_therapy import (
    AnticancerTherapyAlreadyRecorded,
    CorrectAnticancerTherapy,
    NoSuchAnticancerTherapy,
    RecordAnticancerTherapy,
    RetractAnticancerTherapy,
    TherapyBeforeInfusion,
)
from shared.http.answers import Recorded
from shared.http.service_app import router as service_router

router = service_router("/v1/participants/{participant_id}", "new anticancer therapy")


@router.post(
    "/record-anticancer-therapy",
    summary="Record a new anticancer therapy",
    responses=changes(AnticancerTherapyAlreadyRecorded, TherapyBeforeInfusion),
)
async def record_anticancer_therapy(command: RecordAnticancerTherapy, actor: MayEnterData, change: Change) -> Recorded:
    """Record that a new anticancer therapy was begun, of which kind and when. No response after it counts."""
    return await change(command, actor)


@router.post(
    "/correct-anticancer-therapy",
    summary="Correct the record of an anticancer therapy",
    responses=changes(NoSuchAnticancerTherapy, TherapyBeforeInfusion),
)
async def correct_anticancer_therapy(
    command: CorrectAnticancerTherapy, actor: MayEnterData, change: Change
) -> Recorded:
    """Correct one therapy, by its id: send all of it, as it should have been."""
    return await change(command, actor)


@router.post(
    "/retract-anticancer-therapy",
    summary="Take back an anticancer therapy that was entered in error",
    responses=changes(NoSuchAnticancerTherapy),
)
async def retract_anticancer_therapy(
    command: RetractAnticancerTherapy, actor: MayEnterData, change: Change
) -> Recorded:
    """Take back a therapy, as when it was entered for the wrong participant."""
    return await change(command, actor)
