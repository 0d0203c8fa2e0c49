"""Visits across participants: what is due, done, late or missed."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.projector.api.answering import Listing, PagingDep, listed, page
from services.projector.api.asking import AskedDep, ProjectorDep, key, text
from services.projector.api.permissions import MayPlan
from services.projector.application import VisitFilter, VisitKey, key_of_visit
from services.projector.domain.visit_list import VisitOfParticipant
from services.projector.exports import sheets
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router
from shared.protocol import Assessment
from shared.protocol.schedule import Status

router = _router("/v1/visits", "Visits")


@router.get("", response_model=Listing[VisitOfParticipant], responses=listed())
async def visits(
    actor: MayPlan,
    asked: AskedDep,
    csv: WantsCsv,
    projector: ProjectorDep,
    paging: PagingDep,
    status: Annotated[Status | None, Query(description="Visits that stand so")] = None,
    assessment: Annotated[Assessment | None, Query(description="Visits for this kind of assessment")] = None,
) -> Listing[VisitOfParticipant] | Response:
    """The visits of everybody who was infused: by participant, then in order of time.

    Adverse events are collected all the time, so no visit is listed for them.
    """
    question = asked.by(actor)
    found = await projector.visits(question, VisitFilter(status, assessment), visit_key(paging.cursor), paging.one_more)
    return page(paging, question, found, cursor_of_visit, sheets.visits, as_csv=csv)


def visit_key(cursor: str | None) -> VisitKey | None:
    parts = key(cursor, text, UUID, int)
    return None if parts is None else (parts[0], parts[1], parts[2])


def cursor_of_visit(visit: VisitOfParticipant) -> tuple[str, str, int]:
    subject_number, participant_id, sequence = key_of_visit(visit)
    return subject_number, str(participant_id), sequence
