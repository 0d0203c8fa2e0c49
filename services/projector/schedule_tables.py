"""Questions about the schedule: of one participant, of a site, of everybody; worked out anew each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping

from services.projector.cohorts import infused, with_consent
from services.projector.consent_tables import covered_of
from services.projector.domain.cohort import follow_up_ended_on
from services.projector.domain.participant_schedule import (
    ParticipantSchedule,
    Performed,
    Scheduled,
    participant_schedule,
    schedule_without_infusion,
)
from services.projector.domain.site_schedule import (
    DueKey,
    DueVisit,
    ScheduleDeviation,
    due_visits,
    key_of_due,
    schedule_deviations,
)
from services.projector.domain.visit_calendar import CalendarEntry, Revision, calendar_entries
from services.projector.performed import OF_SCHEDULES, Contacts, contacts, performed_of
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import participants, timeline
from services.projector.readmodels.participants import ENDINGS
from shared.consent.coverage import Coverage
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.kernel.errors import Unacceptable
from shared.protocol import Protocol

AHEAD = timedelta(days=30)  # what a site is shown if it names no last day

DeviationKey = tuple[str, UUID, int]


class DaysOutOfOrder(Unacceptable):
    """A period ends on or after the day on which it begins."""


@dataclass(frozen=True, slots=True)
class Period:
    """Which days are asked for, both inside. `since` None: also what has long been overdue; `until` None: 30 days."""

    since: date | None = None
    until: date | None = None

    def last_day(self, today: date) -> date:
        return self.until or today + AHEAD


def key_of_deviation(line: ScheduleDeviation) -> DeviationKey:
    return line.subject_number, line.participant_id, line.sequence


class ScheduleTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def of_participant(self, question: Question) -> Found[ParticipantSchedule]:
        """Raises: NoSuchParticipant."""
        async with self._reading(question, *OF_SCHEDULES) as reading:
            await participants.one(reading.connection, reading.scope)
            (row,) = await participants.everybody(reading.connection, reading.scope)
            known = await _known(reading, self.protocol, [row])
        return reading.found(_schedule(self.protocol, row, known, reading))

    async def of_site(
        self, question: Question, period: Period, after: DueKey | None, limit: int
    ) -> Found[list[DueVisit]]:
        """Raises: DaysOutOfOrder."""
        if period.since is not None and period.until is not None and period.until < period.since:
            raise DaysOutOfOrder("`until` lies before `from`; give them in order")
        async with self._reading(question, *OF_SCHEDULES) as reading:
            schedules = await schedules_of(reading, self.protocol)
        lines = due_visits(schedules, since=period.since, until=period.last_day(reading.today))
        return reading.found([line for line in lines if after is None or key_of_due(line) > after][:limit])

    async def deviations(
        self, question: Question, after: DeviationKey | None, limit: int
    ) -> Found[list[ScheduleDeviation]]:
        async with self._reading(question, *OF_SCHEDULES) as reading:
            schedules = await schedules_of(reading, self.protocol)
        lines = schedule_deviations(schedules)
        return reading.found([line for line in lines if after is None or key_of_deviation(line) > after][:limit])

    async def calendar(self, question: Question) -> Found[list[CalendarEntry]]:
        async with self._reading(question, *OF_SCHEDULES) as reading:
            schedules = await schedules_of(reading, self.protocol)
            told = await timeline.revisions(reading.connection)
        revisions = {who: Revision(*revision) for who, revision in told.items()}
        return reading.found(calendar_entries(schedules, revisions))


async def schedules_of(reading: Reading, protocol: Protocol) -> list[ParticipantSchedule]:
    """The schedule of everybody who was infused."""
    rows = await participants.infused(reading.connection, reading.scope)
    known = await _known(reading, protocol, rows)
    return [_schedule(protocol, row, known, reading) for row in rows]


class _Known(NamedTuple):
    """What is on record of participants, beside their rows, that their schedules follow from."""

    performed: Performed
    contacts: Contacts
    covered: Mapping[UUID, Coverage]


async def _known(reading: Reading, protocol: Protocol, rows: Sequence[RowMapping]) -> _Known:
    covered = await covered_of(reading, protocol, [(row["participant_id"], row["site_id"]) for row in rows])
    return _Known(await performed_of(reading), await contacts(reading), covered)


def _schedule(protocol: Protocol, row: RowMapping, known: _Known, reading: Reading) -> ParticipantSchedule:
    """Who was screened before the time zone was kept is at a site of the trial's own until `rebuild participants`."""
    zone = row["time_zone"] or protocol.schedule.time_zone.value
    if row["day_zero"] is None:
        who = (row["participant_id"], row["subject_number"], row["site_id"])
        return schedule_without_infusion(protocol, *who, zone, now=reading.now)
    endings: dict[ParticipantStatus, str | None] = {status: row[column] for status, column in ENDINGS.items()}
    endings.pop(ParticipantStatus.COMPLETED)
    made = known.contacts.get(row["participant_id"], ())
    who_came = with_consent(infused(row), known.covered)
    scheduled = Scheduled(who_came, zone, follow_up_ended_on(endings), made)
    return participant_schedule(protocol, scheduled, known.performed, now=reading.now)
