"""Lymphodepletion: the chemotherapy that prepares a participant for an infusion."""

from services.enrollment.api.changes import Change, changes
from services.enrollment.api.permissions import MayEnterData
from services.enrollment.domain.lymphodepletion import (
    CorrectLymphodepletion,
    DrugGivenTwice,
    FirstDoseDisagrees,
    LymphodepletionAlreadyRecorded,
    LymphodepletionBeforeEnrolment,
    LymphodepletionOutOfOrder,
    NoSuchLymphodepletion,
    RecordLymphodepletion,
    RetractLymphodepletion,
    UnknownDoseUnit,
    UnknownDrug,
)
from shared.http.answers import Recorded
from shared.http.service_app import router as service_router
from shared.kernel.errors import TrialError

router = service_router("/v1/participants/{participant_id}", "lymphodepletion")

_DOES_NOT_FIT: tuple[type[TrialError], ...] = (
    UnknownDrug,
    UnknownDoseUnit,
    DrugGivenTwice,
    FirstDoseDisagrees,
    LymphodepletionBeforeEnrolment,
    LymphodepletionOutOfOrder,
)


@router.post(
    "/record-lymphodepletion",
    summary="Record a course of lymphodepletion",
    responses=changes(LymphodepletionAlreadyRecorded, *_DOES_NOT_FIT),
)
async def record_lymphodepletion(command: RecordLymphodepletion, actor: MayEnterData, change: Change) -> Recorded:
    """Record a course as it was given: drugs, doses and days. Laboratory baselines lie before its first day."""
    return await change(command, actor)


@router.post(
    "/correct-lymphodepletion",
    summary="Correct the record of a lymphodepletion",
    responses=changes(NoSuchLymphodepletion, *_DOES_NOT_FIT),
)
async def correct_lymphodepletion(command: CorrectLymphodepletion, actor: MayEnterData, change: Change) -> Recorded:
    """Correct one course, by its id: send all of it, as it should have been."""
    return await change(command, actor)


@router.post(
    "/retract-lymphodepletion",
    summary="Take back a lymphodepletion that was entered in error",
    responses=changes(NoSuchLymphodepletion),
)
async def retract_lymphodepletion(command: RetractLymphodepletion, actor: MayEnterData, change: Change) -> Recorded:
    """Take back a course, as when it was entered for the wrong participant."""
    return await change(command, actor)
