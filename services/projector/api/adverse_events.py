"""The listing of adverse events."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import StringConstraints

from services.projector.api.answering import Listing, PagingDep, listed, page
from services.projector.api.asking import AskedDep, ProjectorDep, key, text
from services.projector.api.permissions import MayReadCourses
from services.projector.exports import sheets
from services.projector.readmodels.adverse_events import AdverseEvent, Filter, Key, key_of
from shared.contracts.saying import Says
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

SocName = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200),
    Says("the name of a system organ class, such as Investigations"),
]

router = _router("/v1/adverse-events", "Adverse events")


async def _wanted(
    serious: Annotated[bool | None, Query(description="Serious ones, or those that are not")] = None,
    grade: Annotated[int | None, Query(ge=1, le=5, description="Those that ever had this grade or a worse one")] = None,
    soc: Annotated[SocName | None, Query(description="Of this system organ class")] = None,
    retracted: Annotated[
        bool | None, Query(description="Retracted ones alone, or without them; left out: both, marked")
    ] = None,
) -> Filter:
    return Filter(serious, grade, soc, retracted)


@router.get("", response_model=Listing[AdverseEvent], responses=listed())
async def adverse_events(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    projector: ProjectorDep,
    wanted: Annotated[Filter, Depends(_wanted)],
    paging: PagingDep,
    participant_id: Annotated[UUID | None, Query(description="Of this participant alone")] = None,
) -> Listing[AdverseEvent] | Response:
    """Adverse events as they stand now: by participant, then by onset."""
    question, after = asked.by(actor, participant_id), key(paging.cursor, text, text, UUID)
    found = await projector.adverse_events(question, wanted, None if after is None else Key(*after), paging.one_more)
    return page(paging, question, found, _cursor_of, sheets.adverse_events, as_csv=csv)


def _cursor_of(event: AdverseEvent) -> tuple[str, str, str]:
    place = key_of(event)
    return place.subject_number, place.onset, str(place.adverse_event_id)
