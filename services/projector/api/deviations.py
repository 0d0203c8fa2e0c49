"""Protocol deviations: one list of whatever departed from the protocol."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.projector.api.answering import Listing, PagingDep, listed, page
from services.projector.api.asking import AskedDep, key, text
from services.projector.api.permissions import MayReadCourses
from services.projector.deviation_tables import DeviationTables
from services.projector.domain.protocol_deviations import DeviationKey, ProtocolDeviation, key_of_deviation
from services.projector.exports import schedule_sheets
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router
from shared.protocol import DeviationKind

router = _router("/v1/deviations", "Deviations")


async def _tables(request: Request) -> DeviationTables:
    tables: DeviationTables = request.app.state.deviation_tables
    return tables


@router.get("", response_model=Listing[ProtocolDeviation], responses=listed())
async def protocol_deviations(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    tables: Annotated[DeviationTables, Depends(_tables)],
    paging: PagingDep,
    participant_id: Annotated[UUID | None, Query(description="Of this participant alone")] = None,
    kind: Annotated[
        list[DeviationKind] | None,
        Query(max_length=len(DeviationKind), description="Of this kind; several may be named"),
    ] = None,
) -> Listing[ProtocolDeviation] | Response:
    """Every departure from the protocol, whoever or nobody recorded it.

    Infusions outside the gate or by an override, enrolment despite a criterion, what was given despite its product's
    record or outside the dose, procedures without consent, visits and years of long-term follow-up missed or done after
    their window.

    By participant, then in order of time. `schedule-deviations` has the windows behind the last two kinds.
    """
    question = asked.by(actor, participant_id)
    kinds = frozenset(kind or ())
    found = await tables.deviations(question, kinds, deviation_key(paging.cursor), paging.one_more)
    return page(paging, question, found, cursor_of_deviation, schedule_sheets.protocol_deviations, as_csv=csv)


def deviation_key(cursor: str | None) -> DeviationKey | None:
    parts = key(cursor, text, UUID, date.fromisoformat, text, text)
    return None if parts is None else DeviationKey(*parts)


def cursor_of_deviation(line: ProtocolDeviation) -> tuple[str, str, str, str, str]:
    at = key_of_deviation(line)
    return at.subject_number, str(at.participant_id), at.occurred_on.isoformat(), at.kind, at.about
