"""Infusions of the product."""

from services.enrollment.api.changes import Change, changes
from services.enrollment.api.permissions import MayEnterData
from services.enrollment.domain.infusion import (
    CorrectInfusion,
    DoseDisagrees,
    DoseIncomplete,
    InfusionBeforeEnrolment,
    InfusionOutOfOrder,
    NoSuchInfusion,
    NotTheLastInfusion,
    RecordInfusion,
    RetractInfusion,
)
from shared.http.answers import Recorded
from shared.http.service_app import router as service_router

router = service_router("/v1/participants/{participant_id}", "infusions")


@router.post(
    "/record-infusion",
    summary="Record an infusion",
    responses=changes(DoseIncomplete, DoseDisagrees, InfusionBeforeEnrolment, InfusionOutOfOrder),
)
async def record_infusion(command: RecordInfusion, actor: MayEnterData, change: Change) -> Recorded:
    """Record an infusion as it was given. The first is day 0, from which the schedule follows."""
    return await change(command, actor)


@router.post(
    "/correct-infusion",
    summary="Correct the record of an infusion",
    responses=changes(NoSuchInfusion, DoseIncomplete, DoseDisagrees, InfusionBeforeEnrolment, InfusionOutOfOrder),
)
async def correct_infusion(command: CorrectInfusion, actor: MayEnterData, change: Change) -> Recorded:
    """Correct one infusion, by its number: send all of it, as it should have been. The schedule follows."""
    return await change(command, actor)


@router.post(
    "/retract-infusion",
    summary="Take back an infusion that never took place",
    responses=changes(NoSuchInfusion, NotTheLastInfusion),
)
async def retract_infusion(command: RetractInfusion, actor: MayEnterData, change: Change) -> Recorded:
    """Take back the last infusion on record, as when it was entered for the wrong participant."""
    return await change(command, actor)
