"""The flow of participants: the screening log, the counts of a CONSORT diagram, and what each site has in hand."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from services.projector.api.answering import Answer, Listing, PagingDep, listed, page, table, tabular
from services.projector.api.asking import AskedDep, key, text
from services.projector.api.permissions import MayReadCourses
from services.projector.domain.participant_flow import ParticipantFlow
from services.projector.domain.screening_log import Screening
from services.projector.domain.site_workload import SiteWorkload
from services.projector.exports import schedule_sheets
from services.projector.flow_tables import FlowTables, ScreeningKey, key_of_screening
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1", "Participant flow")


async def _tables(request: Request) -> FlowTables:
    tables: FlowTables = request.app.state.flow_tables
    return tables


TablesDep = Annotated[FlowTables, Depends(_tables)]


@router.get("/screening-log", response_model=Listing[Screening], responses=listed())
async def screenings(
    actor: MayReadCourses, asked: AskedDep, csv: WantsCsv, tables: TablesDep, paging: PagingDep
) -> Listing[Screening] | Response:
    """Every screening, a re-screening too, with how it ended: by subject number, then in order of time."""
    question = asked.by(actor)
    found = await tables.screenings(question, screening_key(paging.cursor), paging.one_more)
    return page(paging, question, found, cursor_of_screening, schedule_sheets.screenings, as_csv=csv)


@router.get("/consort", response_model=Answer[ParticipantFlow], responses=tabular())
async def participant_flow(
    actor: MayReadCourses, asked: AskedDep, csv: WantsCsv, tables: TablesDep
) -> Answer[ParticipantFlow] | Response:
    """How many were screened, enrolled, infused, followed and analysed, in all and by dose level (CONSORT 2010)."""
    question = asked.by(actor)
    return table(question, await tables.participant_flow(question), schedule_sheets.participant_flow, as_csv=csv)


@router.get("/site-workload", response_model=Answer[list[SiteWorkload]], responses=tabular())
async def site_workload(
    actor: MayReadCourses, asked: AskedDep, csv: WantsCsv, tables: TablesDep
) -> Answer[list[SiteWorkload]] | Response:
    """What each site has in hand: participants, visits due and overdue, and what waits for an answer."""
    question = asked.by(actor)
    return table(question, await tables.workload(question), schedule_sheets.workloads, as_csv=csv)


def screening_key(cursor: str | None) -> ScreeningKey | None:
    parts = key(cursor, text, UUID, int)
    return None if parts is None else (parts[0], parts[1], parts[2])


def cursor_of_screening(line: Screening) -> tuple[str, str, int]:
    subject_number, participant_id, attempt = key_of_screening(line)
    return subject_number, str(participant_id), attempt
