"""Consent across participants: who lacks which, now or before long."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.projector.api.answering import Listing, PagingDep, listed, page
from services.projector.api.asking import AskedDep, key, text
from services.projector.api.permissions import MayReadCourses
from services.projector.consent_tables import ConsentTables
from services.projector.domain.consent_gaps import ConsentGapOf, GapKey, GapState, key_of_gap
from services.projector.exports import consent_sheets
from shared.contracts.terms import Day
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/consent-gaps", "Consent")


async def _tables(request: Request) -> ConsentTables:
    tables: ConsentTables = request.app.state.consent_tables
    return tables


@router.get("", response_model=Listing[ConsentGapOf], responses=listed())
async def consent_gaps(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    tables: Annotated[ConsentTables, Depends(_tables)],
    paging: PagingDep,
    participant_id: Annotated[UUID | None, Query(description="Of this participant alone")] = None,
    state: Annotated[
        list[GapState] | None, Query(max_length=len(GapState), description="Standing so; several may be named")
    ] = None,
    until: Annotated[
        Day | None, Query(description="Look ahead to this day; left out: 90 days from today at the site")
    ] = None,
) -> Listing[ConsentGapOf] | Response:
    """Which consent is lacking, and which will be: on coming of age, at the age of assent, after a form's grace.

    What is lacking comes first, then what is due, the soonest first; last what is withdrawn, where nobody has to ask.
    """
    question = asked.by(actor, participant_id)
    after, states = gap_key(paging.cursor), frozenset(state or ())
    found = await tables.gaps(question, until, states, after, paging.one_more)
    return page(paging, question, found, cursor_of_gap, consent_sheets.consent_gaps, as_csv=csv)


def gap_key(cursor: str | None) -> GapKey | None:
    parts = key(cursor, int, date.fromisoformat, text, UUID, text)
    return None if parts is None else GapKey(*parts)


def cursor_of_gap(line: ConsentGapOf) -> tuple[int, str, str, str, str]:
    at = key_of_gap(line)
    return at.place, at.since.isoformat(), at.subject_number, str(at.participant_id), at.gap
