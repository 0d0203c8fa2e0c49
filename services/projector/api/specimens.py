"""Specimens across participants: planned, on their way, analysed, rejected, missing, overdue."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.projector.api.answering import Listing, PagingDep, listed, page
from services.projector.api.asking import AskedDep, key, text
from services.projector.api.permissions import MayReadSpecimens
from services.projector.domain.specimen_list import SpecimenLine, SpecimenStatus
from services.projector.exports import specimen_sheets
from services.projector.specimen_tables import LineFilter, LineKey, SpecimenTables, key_of_line
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/specimens", "Specimens")


async def _tables(request: Request) -> SpecimenTables:
    tables: SpecimenTables = request.app.state.specimen_tables
    return tables


@router.get("", response_model=Listing[SpecimenLine], responses=listed())
async def specimens(
    actor: MayReadSpecimens,
    asked: AskedDep,
    csv: WantsCsv,
    tables: Annotated[SpecimenTables, Depends(_tables)],
    paging: PagingDep,
    participant_id: Annotated[UUID | None, Query(description="Of this participant alone")] = None,
    status: Annotated[SpecimenStatus | None, Query(description="Those that stand so")] = None,
) -> Listing[SpecimenLine] | Response:
    """What the protocol plans of everybody infused, with the specimen that serves it, and every other on record.

    Overdue: the window of its visit closed, and neither a specimen, a result nor a reason is on record. A specimen that
    was rejected after it gave results has them still; they are flagged where they are read.
    """
    question = asked.by(actor, participant_id)
    found = await tables.specimens(question, LineFilter(status), line_key(paging.cursor), paging.one_more)
    return page(paging, question, found, cursor_of_line, specimen_sheets.specimens, as_csv=csv)


def line_key(cursor: str | None) -> LineKey | None:
    parts = key(cursor, text, UUID, int)
    return None if parts is None else (parts[0], parts[1], parts[2])


def cursor_of_line(line: SpecimenLine) -> tuple[str, str, int]:
    subject_number, participant_id, sequence = key_of_line(line)
    return subject_number, str(participant_id), sequence
