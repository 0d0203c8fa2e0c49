"""The course of one participant's cytokines, with CRS beside them."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import WaitFor, about
from services.projector.api.permissions import MayReadCourses
from services.projector.cytokine_tables import CytokineTables
from services.projector.domain.cytokine_course import CytokineCourse
from services.projector.exports import sheets
from services.projector.reading import NoSuchOutcome
from services.projector.readmodels.participants import NoSuchParticipant
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/participants", "Participants")


async def _cytokine_tables(request: Request) -> CytokineTables:
    tables: CytokineTables = request.app.state.cytokine_tables
    return tables


CytokineTablesDep = Annotated[CytokineTables, Depends(_cytokine_tables)]


@router.get(
    "/{participant_id}/cytokine-course",
    response_model=Answer[CytokineCourse],
    responses=tabular(NoSuchParticipant, NoSuchOutcome),
)
async def cytokine_course(
    participant_id: UUID,
    actor: MayReadCourses,
    csv: WantsCsv,
    tables: CytokineTablesDep,
    wait_for: WaitFor = None,
) -> Answer[CytokineCourse] | Response:
    """Each cytokine sample by sample with its fold change and peak, and the grade of CRS at that time beside it.

    IL-6 after tocilizumab is flagged, by the laboratory's report or by the treatments of episodes on record. No
    cytokine is an input of a grade. As CSV a line per analyte and sample.
    """
    question = about(participant_id, actor, wait_for)
    return table(question, await tables.course(question), sheets.cytokine_course, as_csv=csv)
