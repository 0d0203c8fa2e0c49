"""The worklist of serious adverse events."""

from typing import Annotated

from fastapi import Query, Response

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import AskedDep, ProjectorDep
from services.projector.api.permissions import MayReadCourses
from services.projector.domain.worklist import Show, Worklist
from services.projector.exports import sheets
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/sae-worklist", "Serious adverse events")


@router.get("", response_model=Answer[Worklist], responses=tabular())
async def sae_worklist(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    projector: ProjectorDep,
    show: Annotated[Show, Query(description="Open: nobody has it in hand; unresolved: or the event goes on")] = (
        Show.UNRESOLVED
    ),
) -> Answer[Worklist] | Response:
    """Alerts of serious adverse events, the most urgent first: until when whom to tell, and who has it in hand."""
    question = asked.by(actor)
    return table(question, await projector.sae_worklist(question, show), sheets.sae_worklist, as_csv=csv)
