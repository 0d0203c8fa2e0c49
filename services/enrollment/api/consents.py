"""Consent of the guardian, assent of the child, own consent from the age of majority on, and its withdrawal."""

from services.enrollment.api.changes import Change, changes
from services.enrollment.api.permissions import MayEnterData
from services.enrollment.domain.consent import (
    CorrectConsent,
    DocumentNotApproved,
    NoSuchConsent,
    NotTheirsToGive,
    ObtainConsent,
)
from services.enrollment.domain.ending import WithdrawConsent
from services.enrollment.domain.facts import BeforeBirth
from services.enrollment.domain.withdrawal import AlreadyWithdrawn, NotWithdrawn, RestoreConsent
from shared.http.answers import Recorded
from shared.http.service_app import router as service_router

router = service_router("/v1/participants/{participant_id}", "consent")


@router.post(
    "/obtain-consent",
    summary="Record a consent or an assent",
    responses=changes(BeforeBirth, NotTheirsToGive, DocumentNotApproved),
)
async def obtain_consent(command: ObtainConsent, actor: MayEnterData, change: Change) -> Recorded:
    """Record that a guardian consented, a child assented, or a participant of full age consented.

    In the month of the birthday that brings majority both the guardian's and the participant's own consent are needed.
    """
    return await change(command, actor)


@router.post(
    "/correct-consent",
    summary="Correct the record of a consent",
    responses=changes(NoSuchConsent, BeforeBirth, NotTheirsToGive, DocumentNotApproved),
)
async def correct_consent(command: CorrectConsent, actor: MayEnterData, change: Change) -> Recorded:
    """Correct kind, document, language or date of one consent, by its number. The old values stay in the history."""
    return await change(command, actor)


@router.post("/withdraw-consent", summary="Record that consent was withdrawn", responses=changes(AlreadyWithdrawn))
async def withdraw_consent(command: WithdrawConsent, actor: MayEnterData, change: Change) -> Recorded:
    """Record a withdrawal by the guardian or the participant. What was collected stays; collection stops.

    From every part (`scopes` left out) participation ends. From treatment alone no further infusion is given, and
    follow-up goes on; from follow-up or samples alone nothing more of that part is taken.
    """
    return await change(command, actor)


@router.post("/restore-consent", summary="A withdrawn part is consented to again", responses=changes(NotWithdrawn))
async def restore_consent(command: RestoreConsent, actor: MayEnterData, change: Change) -> Recorded:
    """Record from when on a part of the trial is consented to again; without a day, that it never was withdrawn.

    A withdrawal from the whole trial is an ending: see `retract-discontinuation`.
    """
    return await change(command, actor)
