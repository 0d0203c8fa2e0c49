"""One participant's schedule: every visit of the protocol by kind of assessment, then long-term follow-up.

Nothing planned is stored: it follows from the infusion, which may be corrected, and from what was assessed. Dates are
those of the participant's site. CAR-T days count from the infusion, day 0; SDTM's study days know no day 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import Figure
from shared.protocol import Assessment, Contact, Protocol, Visit
from shared.protocol.schedule import (
    Status,
    VisitState,
    YearlyContact,
    local_date,
    long_term_calendar,
    sdtm_study_day,
    standing,
    study_day,
    visit_dates,
    visit_status,
)

COLLECTED_ALWAYS = "adverse events are collected all the time: none on record is no gap"
CONTACT_NOT_RECORDED = "contacts of long-term follow-up are not recorded here"
NO_INFUSION = "no infusion is on record, so there is no day 0"
LONG_TERM_OFF = "the protocol has no long-term follow-up"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Who was infused, the time zone of the site, and what ended follow-up.

    `left_on` is the last day of who died, withdrew or was lost; None of who goes on or completed the study's visits.
    """

    infused: Infused
    time_zone: str
    left_on: date | None = None


class AssessmentOfVisit(Figure):
    """How a visit stands for one kind of assessment."""

    assessment: Assessment
    status: Status | None = Field(description="Null where it cannot be told; `reason` says why")
    reason: str | None
    performed_on: date | None = Field(description="When it was done, or done late")
    performed_on_day: int | None = Field(description="The same as CAR-T day; infusion = day 0")


class WindowOfVisit(Figure):
    """Nominal date and window, the first and the last date included, at the site."""

    nominal_on: date
    opens_on: date
    closes_on: date
    day: int = Field(description="CAR-T day of the nominal date; infusion = day 0")
    study_day: int = Field(description="Study day of the nominal date in SDTM (--DY), which has no day 0")


class ScheduledVisit(WindowOfVisit):
    """A visit of the study."""

    visit: str
    label: str
    before_infusion: bool
    assessments: tuple[AssessmentOfVisit, ...]


class LongTermContact(WindowOfVisit):
    """A year of long-term follow-up."""

    year: int
    contact: Contact
    status: Status | None = Field(description="Null once its window has closed; `reason` says why")
    reason: str | None


class LongTermSchedule(Figure):
    """What follows the visits of the study, with those who consented to it."""

    active: bool
    reason: str | None = Field(description="Why there is none")
    years: tuple[LongTermContact, ...]


class ParticipantSchedule(Figure):
    """Dates are in `time_zone`, that of the site, which need not be the trial's."""

    participant_id: UUID
    subject_number: str
    site_id: str
    time_zone: str
    today: date = Field(description="At the site")
    day_zero: datetime | None = Field(description="The instant that days count from; a later infusion may move it")
    second_infusion_reanchors: bool = Field(description="Whether by the protocol a later infusion moves it")
    reason: str | None = Field(description="Why there are no visits")
    visits: tuple[ScheduledVisit, ...]
    long_term_follow_up: LongTermSchedule


Performed = Mapping[tuple[UUID, Assessment], Sequence[datetime | date]]


def participant_schedule(
    protocol: Protocol, who: Scheduled, performed: Performed, *, now: datetime
) -> ParticipantSchedule:
    """`protocol` is the trial's; its days become those of the site here."""
    at_site = protocol.in_zone(who.time_zone)
    today = local_date(at_site, now)
    states = [state for kind in Assessment for state in _states(at_site, who, kind, performed, today)]
    return ParticipantSchedule(
        **_who(protocol, who.infused.participant_id, who.infused.subject_number, who.infused.site_id),
        time_zone=who.time_zone,
        today=today,
        day_zero=who.infused.day_zero,
        reason=None,
        visits=tuple(_visit(at_site, who, visit, states) for visit in at_site.visits),
        long_term_follow_up=_long_term(at_site, who, today),
    )


def schedule_without_infusion(
    protocol: Protocol, participant_id: UUID, subject_number: str, site_id: str, time_zone: str, *, now: datetime
) -> ParticipantSchedule:
    return ParticipantSchedule(
        **_who(protocol, participant_id, subject_number, site_id),
        time_zone=time_zone,
        today=local_date(protocol.in_zone(time_zone), now),
        day_zero=None,
        reason=NO_INFUSION,
        visits=(),
        long_term_follow_up=LongTermSchedule(active=_is_active(protocol), reason=NO_INFUSION, years=()),
    )


def _who(protocol: Protocol, participant_id: UUID, subject_number: str, site_id: str) -> dict[str, UUID | str | bool]:
    return {
        "participant_id": participant_id,
        "subject_number": subject_number,
        "site_id": site_id,
        "second_infusion_reanchors": protocol.schedule.second_infusion_reanchors.value,
    }


def _is_active(protocol: Protocol) -> bool:
    return protocol.long_term_follow_up is not None and protocol.long_term_follow_up.active.value


def _states(
    at_site: Protocol, who: Scheduled, kind: Assessment, performed: Performed, today: date
) -> Sequence[VisitState]:
    moments = sorted(who.infused.moment_of(at_site, at) for at in performed.get((who.infused.participant_id, kind), ()))
    return visit_status(
        at_site,
        kind,
        who.infused.day_zero,
        performed=moments,
        today=today,
        followed_until=who.infused.followed_until,
    )


def _visit(at_site: Protocol, who: Scheduled, visit: Visit, states: Sequence[VisitState]) -> ScheduledVisit:
    dates = visit_dates(at_site, visit, who.infused.day_zero)
    told = [state for state in states if state.visit.code == visit.code]
    return ScheduledVisit(
        visit=visit.code,
        label=visit.label,
        before_infusion=visit.before_infusion,
        nominal_on=dates.nominal,
        opens_on=dates.opens,
        closes_on=dates.closes,
        day=visit.day,
        study_day=sdtm_study_day(visit.day),
        assessments=tuple(_assessment(at_site, who, state) for state in told),
    )


def _assessment(at_site: Protocol, who: Scheduled, state: VisitState) -> AssessmentOfVisit:
    always = state.assessment is Assessment.ADVERSE_EVENTS and state.status is Status.MISSED
    done = None if state.performed is None else state.performed.day
    day_0 = local_date(at_site, who.infused.day_zero)
    return AssessmentOfVisit(
        assessment=state.assessment,
        status=None if always else state.status,
        reason=COLLECTED_ALWAYS if always else None,
        performed_on=None if done is None else day_0 + timedelta(done),
        performed_on_day=done,
    )


def _long_term(at_site: Protocol, who: Scheduled, today: date) -> LongTermSchedule:
    active = _is_active(at_site)
    years = [_contact(at_site, who, each, today) for each in long_term_calendar(at_site, who.infused.day_zero)]
    return LongTermSchedule(active=active, reason=None if active else LONG_TERM_OFF, years=tuple(years))


def _contact(at_site: Protocol, who: Scheduled, each: YearlyContact, today: date) -> LongTermContact:
    ended = who.left_on is not None and who.left_on < each.closes
    status = Status.NOT_APPLICABLE if ended else standing(each, today)
    closed = status is Status.MISSED
    day = study_day(at_site, each.nominal, who.infused.day_zero)
    return LongTermContact(
        year=each.year,
        contact=each.contact,
        nominal_on=each.nominal,
        opens_on=each.opens,
        closes_on=each.closes,
        day=day,
        study_day=sdtm_study_day(day),
        status=None if closed else status,
        reason=CONTACT_NOT_RECORDED if closed else None,
    )
