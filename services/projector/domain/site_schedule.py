"""What is to do at a site, the overdue first; and what was missed or came late anywhere: the schedule's deviations.

Both are worked out from participants' schedules. Adverse events are collected all the time: no visit waits for them.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Figure
from services.projector.domain.participant_schedule import ParticipantSchedule, WindowOfVisit
from shared.protocol import Assessment, Contact
from shared.protocol.schedule import Status

TO_DO = (Status.MISSED, Status.DUE, Status.OPEN, Status.UPCOMING)


class DueVisit(Figure):
    """One visit of one participant for one kind of assessment, or one year of long-term follow-up."""

    participant_id: UUID
    subject_number: str
    site_id: str
    visit: str = Field(examples=["D30", "Y2"])
    label: str
    assessment: Assessment | None = Field(description="Null for a contact of long-term follow-up")
    nominal_on: date
    opens_on: date
    closes_on: date
    day: int
    study_day: int
    overdue: bool = Field(description="Its window has closed, and nothing is on record")
    days_overdue: int = Field(description="Since its window closed; 0 where it is still open or lies ahead")
    status: Status


class DueKey(NamedTuple):
    """The order of what is to do: the overdue first, then what closes first."""

    in_time: int
    closes_on: date
    subject_number: str
    participant_id: UUID
    visit: str
    assessment: str


def key_of_due(line: DueVisit) -> DueKey:
    who = (line.subject_number, line.participant_id, line.visit, line.assessment or "")
    return DueKey(int(not line.overdue), line.closes_on, *who)


def due_visits(
    schedules: Iterable[ParticipantSchedule], *, since: date | None = None, until: date | None = None
) -> list[DueVisit]:
    """What waits with a window that touches the days from `since` to `until`; None: no limit on that side."""
    lines = [line for schedule in schedules for line in _waiting(schedule)]
    touching = [
        line
        for line in lines
        if (since is None or line.closes_on >= since) and (until is None or line.opens_on <= until)
    ]
    return sorted(touching, key=key_of_due)


def _waiting(schedule: ParticipantSchedule) -> Iterator[DueVisit]:
    for visit in schedule.visits:
        for each in visit.assessments:
            if each.assessment is not Assessment.ADVERSE_EVENTS and each.status in TO_DO:
                yield _due(schedule, visit, each.status, visit=visit.visit, label=visit.label, of=each.assessment)
    for year in schedule.long_term_follow_up.years:
        if year.status in TO_DO:
            yield _due(schedule, year, year.status, visit=year.code, label=year.label, of=None)


def _due(
    schedule: ParticipantSchedule,
    window: WindowOfVisit,
    status: Status,
    *,
    visit: str,
    label: str,
    of: Assessment | None,
) -> DueVisit:
    overdue = status is Status.MISSED
    return DueVisit(
        participant_id=schedule.participant_id,
        subject_number=schedule.subject_number,
        site_id=schedule.site_id,
        visit=visit,
        label=label,
        assessment=of,
        **{name: getattr(window, name) for name in WindowOfVisit.model_fields},
        overdue=overdue,
        days_overdue=(schedule.today - window.closes_on).days if overdue else 0,
        status=status,
    )


class DeviationKind(StrEnum):
    """How a visit departed from the protocol's windows."""

    VISIT_MISSED = "visit-missed"
    VISIT_OUT_OF_WINDOW = "visit-out-of-window"


DEVIATES = {Status.MISSED: DeviationKind.VISIT_MISSED, Status.LATE: DeviationKind.VISIT_OUT_OF_WINDOW}


class ScheduleDeviation(Figure):
    """One visit, for one kind of assessment, that was missed or took place after its window. Dates are the site's.

    A year of long-term follow-up is a visit too, for its contact.
    """

    participant_id: UUID
    subject_number: str
    site_id: str
    kind: DeviationKind
    visit: str = Field(examples=["D30", "Y2"])
    label: str
    assessment: Assessment | None = Field(description="Null for a contact of long-term follow-up")
    contact: Contact | None = Field(description="Which the protocol asks for in that year; null for an assessment")
    nominal_on: date
    opens_on: date
    closes_on: date
    performed_on: date | None
    days_after_window: int | None = Field(description="How late it was; null where it was missed")
    sequence: int = Field(description="The order of a participant's deviations: by visit, then by kind")


def schedule_deviations(schedules: Iterable[ParticipantSchedule]) -> list[ScheduleDeviation]:
    """By participant, then in order of time. Nothing is recorded: who corrects an infusion or a result moves them."""
    ordered = sorted(schedules, key=lambda each: (each.subject_number, each.participant_id))
    return [deviation for schedule in ordered for deviation in _deviations(schedule)]


class _Departed(NamedTuple):
    """A visit for an assessment, or a year for a contact, that departed from its window."""

    window: WindowOfVisit
    visit: str
    label: str
    kind: DeviationKind
    performed_on: date | None
    assessment: Assessment | None = None
    contact: Contact | None = None


def _deviations(schedule: ParticipantSchedule) -> Iterator[ScheduleDeviation]:
    for sequence, each in enumerate((*_of_visits(schedule), *_of_years(schedule)), start=1):
        late = None if each.performed_on is None else (each.performed_on - each.window.closes_on).days
        yield ScheduleDeviation(
            participant_id=schedule.participant_id,
            subject_number=schedule.subject_number,
            site_id=schedule.site_id,
            nominal_on=each.window.nominal_on,
            opens_on=each.window.opens_on,
            closes_on=each.window.closes_on,
            days_after_window=late,
            sequence=sequence,
            **{name: getattr(each, name) for name in _Departed._fields if name != "window"},
        )


def _of_visits(schedule: ParticipantSchedule) -> Iterator[_Departed]:
    for visit in schedule.visits:
        for each in visit.assessments:
            if each.status in DEVIATES:
                kind, on = DEVIATES[each.status], each.performed_on
                yield _Departed(visit, visit.visit, visit.label, kind, on, assessment=each.assessment)


def _of_years(schedule: ParticipantSchedule) -> Iterator[_Departed]:
    for year in schedule.long_term_follow_up.years:
        if year.status in DEVIATES:
            kind, on = DEVIATES[year.status], year.performed_on
            yield _Departed(year, year.code, year.label, kind, on, contact=year.contact)
