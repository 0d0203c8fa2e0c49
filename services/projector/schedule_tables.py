"""Questions about the schedule: of one participant, of a site, of everybody; worked out anew each time."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import RowMapping

from services.projector.cohorts import infused
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
            performed = await performed_of(reading)
            reached = await contacts(reading)
        return reading.found(_schedule(self.protocol, row, performed, reached, reading))

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
    performed, reached = await performed_of(reading), await contacts(reading)
    rows = await participants.infused(reading.connection, reading.scope)
    return [_schedule(protocol, row, performed, reached, reading) for row in rows]


def _schedule(
    protocol: Protocol, row: RowMapping, performed: Performed, reached: Contacts, reading: Reading
) -> ParticipantSchedule:
    """Who was screened before the time zone was kept is at a site of the trial's own until `rebuild participants`."""
    zone = row["time_zone"] or protocol.schedule.time_zone.value
    if row["day_zero"] is None:
        who = (row["participant_id"], row["subject_number"], row["site_id"])
        return schedule_without_infusion(protocol, *who, zone, now=reading.now)
    endings: dict[ParticipantStatus, str | None] = {status: row[column] for status, column in ENDINGS.items()}
    endings.pop(ParticipantStatus.COMPLETED)
    made = reached.get(row["participant_id"], ())
    scheduled = Scheduled(infused(row), zone, follow_up_ended_on(endings), made)
    return participant_schedule(protocol, scheduled, performed, now=reading.now)
