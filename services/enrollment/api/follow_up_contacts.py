"""Long-term follow-up: contacts with participants after the visits of the study."""

from services.enrollment.api.changes import Change, changes
from services.enrollment.api.permissions import MayEnterData
from services.enrollment.domain.follow_up_contact import (
    FollowUpContactAlreadyRecorded,
    NoSuchFollowUpContact,
    RecordFollowUpContact,
    RetractFollowUpContact,
)
from shared.consent.coverage import ConsentDoesNotCover
from shared.http.answers import Recorded
from shared.http.service_app import router as service_router

router = service_router("/v1/participants/{participant_id}", "long-term follow-up")


@router.post(
    "/record-follow-up-contact",
    summary="Record a contact of long-term follow-up",
    responses=changes(FollowUpContactAlreadyRecorded, ConsentDoesNotCover),
)
async def record_follow_up_contact(command: RecordFollowUpContact, actor: MayEnterData, change: Change) -> Recorded:
    """Record that a participant was seen or reached, alive, and what was asked of events that may come late.

    A yes is no report of an event: report the event itself to `/safety/v1/adverse-events`.
    """
    return await change(command, actor)


@router.post(
    "/retract-follow-up-contact",
    summary="Take back a contact that was entered in error",
    responses=changes(NoSuchFollowUpContact),
)
async def retract_follow_up_contact(command: RetractFollowUpContact, actor: MayEnterData, change: Change) -> Recorded:
    """Take back a contact, as when it was entered for the wrong participant; record it anew as it should have been."""
    return await change(command, actor)
