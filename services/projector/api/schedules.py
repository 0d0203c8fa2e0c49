"""Schedules: of one participant, of a site as a list and as a calendar, and what departed from them."""

from datetime import date
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from services.projector.api.answering import Answer, Listing, PagingDep, failing, listed, page, table, tabular
from services.projector.api.asking import AskedDep, WaitFor, about, key, text
from services.projector.api.permissions import MayPlan, MayReadCourses
from services.projector.domain.participant_schedule import ParticipantSchedule
from services.projector.domain.site_schedule import DueKey, DueVisit, ScheduleDeviation, key_of_due
from services.projector.exports import schedule_sheets
from services.projector.exports.visit_calendar import MEDIA_TYPE, visit_calendar
from services.projector.reading import Question
from services.projector.readmodels.participants import NoSuchParticipant, Scope
from services.projector.schedule_tables import (
    DaysOutOfOrder,
    DeviationKey,
    Period,
    ScheduleTables,
    key_of_deviation,
)
from shared.contracts.terms import Day, SiteId
from shared.http.etags import IfNoneMatch
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router
from shared.kernel.actor import Actor
from shared.kernel.errors import NotFound

participants_router = _router("/v1/participants", "Schedule")
sites_router = _router("/v1/sites", "Schedule")
deviations_router = _router("/v1/schedule-deviations", "Schedule")

_TAG = {"ETag": {"schema": {"type": "string"}, "description": "Changes with the calendar; give it as `If-None-Match`"}}
_CALENDAR: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "headers": _TAG},
    304: {"description": "It is as it was when it had this ETag", "headers": _TAG},
}


class NoSuchSite(NotFound):
    """There is no such site, or it is not one of the caller's."""


async def _tables(request: Request) -> ScheduleTables:
    tables: ScheduleTables = request.app.state.schedule_tables
    return tables


TablesDep = Annotated[ScheduleTables, Depends(_tables)]
OfSite = Annotated[SiteId, Path(description="The site's code", examples=["CU"])]


@participants_router.get(
    "/{participant_id}/schedule",
    response_model=Answer[ParticipantSchedule],
    responses=tabular(NoSuchParticipant),
)
async def schedule_of_participant(
    participant_id: UUID, actor: MayPlan, csv: WantsCsv, tables: TablesDep, wait_for: WaitFor = None
) -> Answer[ParticipantSchedule] | Response:
    """Every visit with its window, as CAR-T day and as SDTM study day, how it stands, and long-term follow-up.

    Dates are those of the participant's site, whose time zone may differ from the trial's, by which outcome tables
    count.
    """
    question = about(participant_id, actor, wait_for)
    return table(question, await tables.of_participant(question), schedule_sheets.participant_schedule, as_csv=csv)


@sites_router.get("/{site_id}/schedule", response_model=Listing[DueVisit], responses=listed(NoSuchSite, DaysOutOfOrder))
async def schedule_of_site(
    site_id: OfSite,
    actor: MayPlan,
    csv: WantsCsv,
    tables: TablesDep,
    paging: PagingDep,
    since: Annotated[Day | None, Query(alias="from", description="Leave out what closed before this day")] = None,
    until: Annotated[Day | None, Query(description="Up to this day; left out: 30 days from today")] = None,
    wait_for: WaitFor = None,
) -> Listing[DueVisit] | Response:
    """What is to do at a site, the overdue first, then what closes first.

    Overdue: the window has closed, and nothing is on record.
    """
    question = of_site(site_id, actor, wait_for)
    found = await tables.of_site(question, Period(since, until), due_key(paging.cursor), paging.one_more)
    return page(paging, question, found, cursor_of_due, schedule_sheets.due_visits, as_csv=csv)


@sites_router.get("/{site_id}/calendar.ics", response_class=Response, responses={**failing(NoSuchSite), **_CALENDAR})
async def calendar_of_site(
    site_id: OfSite,
    actor: MayPlan,
    tables: TablesDep,
    at_hand: IfNoneMatch,
) -> Response:
    """The visits of a site as iCalendar (RFC 5545): an all-day event for each window, by subject number alone.

    An event keeps its UID wherever a corrected or second infusion moves it; one that will not take place is cancelled.
    """
    found = await tables.calendar(of_site(site_id, actor, None))
    protocol_id = tables.protocol.protocol_id
    content = visit_calendar(f"{protocol_id} visits at {site_id}", protocol_id.lower(), found.result)
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in at_hand:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'inline; filename="{site_id}.ics"'
    return Response(content, media_type=f"{MEDIA_TYPE}; charset=utf-8", headers=headers)


@deviations_router.get("", response_model=Listing[ScheduleDeviation], responses=listed())
async def schedule_deviations(
    actor: MayReadCourses,
    asked: AskedDep,
    csv: WantsCsv,
    tables: TablesDep,
    paging: PagingDep,
    participant_id: Annotated[UUID | None, Query(description="Of this participant alone")] = None,
) -> Listing[ScheduleDeviation] | Response:
    """Visits missed, and visits done after their window, worked out from the schedule: nobody has to record them.

    So are years of long-term follow-up. Adverse events are collected all the time, so no visit of theirs is missed.
    """
    question = asked.by(actor, participant_id)
    found = await tables.deviations(question, deviation_key(paging.cursor), paging.one_more)
    return page(paging, question, found, cursor_of_deviation, schedule_sheets.deviations, as_csv=csv)


def of_site(site_id: str, actor: Actor, wait_for: str | None) -> Question:
    """A question about one site.

    Raises:
        NoSuchSite: it is not one of the caller's.
    """
    if not actor.may_see(site_id):
        raise NoSuchSite("no such site among yours")
    return Question(Scope(frozenset({site_id})), wait_for)


def due_key(cursor: str | None) -> DueKey | None:
    parts = key(cursor, int, date.fromisoformat, text, UUID, text, text)
    return None if parts is None else DueKey(*parts)


def cursor_of_due(line: DueVisit) -> tuple[int, str, str, str, str, str]:
    at = key_of_due(line)
    return at.in_time, at.closes_on.isoformat(), at.subject_number, str(at.participant_id), at.visit, at.assessment


def deviation_key(cursor: str | None) -> DeviationKey | None:
    parts = key(cursor, text, UUID, int)
    return None if parts is None else (parts[0], parts[1], parts[2])


def cursor_of_deviation(line: ScheduleDeviation) -> tuple[str, str, int]:
    subject_number, participant_id, sequence = key_of_deviation(line)
    return subject_number, str(participant_id), sequence
