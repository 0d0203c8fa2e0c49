"""Participants: who takes part, and everything on record about one."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.projector.api.answering import Answer, Listing, PagingDep, answer, failing, listed, page
from services.projector.api.asking import AskedDep, ProjectorDep, WaitFor, about, key, text
from services.projector.api.permissions import MayPlan, MayReadCourses
from services.projector.api.visits import cursor_of_visit, visit_key
from services.projector.application import VisitFilter
from services.projector.domain.visit_list import VisitOfParticipant
from services.projector.exports import sheets
from services.projector.readmodels import timeline as timelines
from services.projector.readmodels.participants import Key, NoSuchParticipant, Participant, ParticipantWithInfusions
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.http.negotiation import WantsCsv
from shared.http.paging import instant
from shared.http.service_app import router as _router

router = _router("/v1/participants", "Participants")

Status = Annotated[ParticipantStatus | None, Query(description="Where participants stand")]


@router.get("", response_model=Listing[Participant], responses=listed())
async def participants(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    projector: ProjectorDep,
    paging: PagingDep,
    status: Status = None,
) -> Listing[Participant] | Response:
    """Participants by subject number."""
    question, after = asked.by(actor), key(paging.cursor, text, UUID)
    found = await projector.participants(question, status, None if after is None else Key(*after), paging.one_more)
    return page(paging, question, found, _key_of, sheets.participants, as_csv=csv)


def _key_of(participant: Participant) -> tuple[str, str]:
    return participant.subject_number, str(participant.participant_id)


@router.get("/{participant_id}", responses=failing(NoSuchParticipant))
async def participant(
    participant_id: UUID, actor: MayReadCourses, projector: ProjectorDep, wait_for: WaitFor = None
) -> Answer[ParticipantWithInfusions]:
    """One participant, with every lymphodepletion and every infusion."""
    question = about(participant_id, actor, wait_for)
    return answer(question, await projector.participant(question))


@router.get(
    "/{participant_id}/timeline",
    response_model=Listing[timelines.TimelineEntry],
    responses=listed(NoSuchParticipant),
)
async def timeline(
    participant_id: UUID,
    actor: MayReadCourses,
    csv: WantsCsv,
    projector: ProjectorDep,
    paging: PagingDep,
    wait_for: WaitFor = None,
) -> Listing[timelines.TimelineEntry] | Response:
    """Everything on record about one participant, across services, in the order in which it happened."""
    question, after = about(participant_id, actor, wait_for), key(paging.cursor, instant, instant, text, int)
    found = await projector.timeline(question, None if after is None else timelines.Key(*after), paging.one_more)
    return page(paging, question, found, _cursor_of, sheets.timeline, as_csv=csv)


def _cursor_of(entry: timelines.TimelineEntry) -> tuple[str, str, str, int]:
    return entry.began_at.isoformat(), entry.recorded_at.isoformat(), entry.stream, entry.version


@router.get(
    "/{participant_id}/visits",
    response_model=Listing[VisitOfParticipant],
    responses=listed(NoSuchParticipant),
)
async def visits_of_participant(
    participant_id: UUID,
    actor: MayPlan,
    csv: WantsCsv,
    projector: ProjectorDep,
    paging: PagingDep,
    wait_for: WaitFor = None,
) -> Listing[VisitOfParticipant] | Response:
    """The visits of one participant: due, done, late, missed. None before the infusion."""
    question, after = about(participant_id, actor, wait_for), visit_key(paging.cursor)
    found = await projector.visits(question, VisitFilter(), after, paging.one_more)
    return page(paging, question, found, cursor_of_visit, sheets.visits, as_csv=csv)
