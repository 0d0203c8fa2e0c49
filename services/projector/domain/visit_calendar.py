"""The visits of a site as entries of a calendar: a window each, under an identity that lasts.

An entry tells a subject number and a visit, and nothing else of a child: calendars are read on telephones.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.projector.domain.participant_schedule import ParticipantSchedule, WindowOfVisit
from shared.protocol.schedule import Status


class Revision(NamedTuple):
    """How often, and when last, what is known of a participant changed: so often may their visits have moved."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One visit's window, both days inside. `uid` stays whatever moves it; `cancelled`: it will not take place."""

    uid: str
    summary: str
    nominal_on: date
    opens_on: date
    closes_on: date
    cancelled: bool
    revision: Revision


def calendar_entries(
    schedules: Iterable[ParticipantSchedule], revisions: Mapping[UUID, Revision]
) -> list[CalendarEntry]:
    """Every visit from the infusion on, by participant, then in order of time.

    Those before the infusion are left out: their dates follow from it, so they are past as soon as they are known. A
    participant without a revision is left out until it has arrived.
    """
    known = [each for each in schedules if each.participant_id in revisions]
    return [
        entry
        for schedule in sorted(known, key=lambda each: (each.subject_number, each.participant_id))
        for entry in _entries(schedule, revisions[schedule.participant_id])
    ]


def _entries(schedule: ParticipantSchedule, revision: Revision) -> Iterator[CalendarEntry]:
    for visit in schedule.visits:
        if not visit.before_infusion:
            cancelled = all(each.status is Status.NOT_APPLICABLE for each in visit.assessments)
            yield _entry(schedule, visit.visit, visit, revision, cancelled=cancelled)
    for year in schedule.long_term_follow_up.years:
        cancelled = year.status is Status.NOT_APPLICABLE
        yield _entry(schedule, year.code, year, revision, cancelled=cancelled)


def _entry(
    schedule: ParticipantSchedule, code: str, window: WindowOfVisit, revision: Revision, *, cancelled: bool
) -> CalendarEntry:
    return CalendarEntry(
        uid=f"{schedule.participant_id}-{code}",
        summary=f"{schedule.subject_number} {code}",
        nominal_on=window.nominal_on,
        opens_on=window.opens_on,
        closes_on=window.closes_on,
        cancelled=cancelled,
        revision=revision,
    )
