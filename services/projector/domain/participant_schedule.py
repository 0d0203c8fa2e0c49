"""One participant's schedule: every visit of the protocol by kind of assessment, then long-term follow-up.

Nothing planned is stored: it follows from the infusion, which may be corrected, and from what was assessed. Dates are
those of the participant's site. CAR-T days count from the infusion, day 0; SDTM's study days know no day 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import Figure
from shared.contracts.enrollment_follow_up import ContactWay, FollowUpContactRecorded, FollowUpContactRetracted
from shared.contracts.enrollment_terms import ConsentScope
from shared.kernel.events import Event
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
)

COLLECTED_ALWAYS = "adverse events are collected all the time: none on record is no gap"
BY_QUESTIONNAIRE = "reached by questionnaire; the plan asks for an examination"
NO_INFUSION = "no infusion is on record, so there is no day 0"
LONG_TERM_OFF = "the protocol has no long-term follow-up"


class Reached(NamedTuple):
    """A contact of long-term follow-up that is on record."""

    on: date
    way: ContactWay


def reached(told: Sequence[Event]) -> list[Reached]:
    """The contacts that stand, in the order in which they were recorded. An id taken back is never used again."""
    gone = {each.contact_id for each in told if isinstance(each, FollowUpContactRetracted)}
    made = (each for each in told if isinstance(each, FollowUpContactRecorded) and each.contact_id not in gone)
    return [Reached(each.contacted_on, each.way) for each in made]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Who was infused, the time zone of the site, what ended follow-up, and contacts after the visits of the study.

    `left_on` is the last day of who died, withdrew or was lost; None of who goes on or completed the study's visits.
    """

    infused: Infused
    time_zone: str
    left_on: date | None = None
    contacts: Sequence[Reached] = ()

    def may_be_reached(self, on: date) -> bool:
        """Whether long-term follow-up goes on: not of who left, or has withdrawn from follow-up alone."""
        gone = self.left_on is not None and self.left_on < on
        return not gone and not self.infused.has_withdrawn(ConsentScope.FOLLOW_UP, on)


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
    """A year of long-term follow-up, and the contact that served it."""

    year: int
    contact: Contact
    status: Status
    reason: str | None = Field(description="What of the contact is not as planned")
    performed_on: date | None
    performed_by: ContactWay | None

    @property
    def code(self) -> str:
        return f"Y{self.year}"

    @property
    def label(self) -> str:
        return f"Year {self.year}, {self.contact.value}"


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
    states = [
        state
        for kind in Assessment
        for state in who.infused.visits(at_site, kind, performed.get((who.infused.participant_id, kind), ()), today)
    ]
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
    planned = long_term_calendar(at_site, who.infused.day_zero)
    ends = [*(each.opens for each in planned[1:]), date.max]
    years = [_contact(at_site, who, each, until, today) for each, until in zip(planned, ends, strict=False)]
    return LongTermSchedule(active=active, reason=None if active else LONG_TERM_OFF, years=tuple(years))


def _contact(at_site: Protocol, who: Scheduled, each: YearlyContact, until: date, today: date) -> LongTermContact:
    """`until`: the day on which the window of the next year opens. A contact before it makes a year late, not missed.

    Of several contacts in one window an examination counts before a questionnaire, then the nearest to the anniversary.
    Whose follow-up was over before the last day of the window missed nothing.
    """
    done = _nearest(each, [at for at in who.contacts if each.opens <= at.on <= each.closes])
    late = min((at for at in who.contacts if each.closes < at.on < until), default=None)
    made = done or late
    if made is not None:
        status = Status.LATE if done is None else Status.DONE
    elif not who.may_be_reached(each.closes):
        status = Status.NOT_APPLICABLE
    else:
        status = standing(each, today)
    day = study_day(at_site, each.nominal, who.infused.day_zero)
    other = made is not None and made.way is ContactWay.QUESTIONNAIRE and each.contact is Contact.EXAMINATION
    return LongTermContact(
        year=each.year,
        contact=each.contact,
        nominal_on=each.nominal,
        opens_on=each.opens,
        closes_on=each.closes,
        day=day,
        study_day=sdtm_study_day(day),
        status=status,
        reason=BY_QUESTIONNAIRE if other else None,
        performed_on=None if made is None else made.on,
        performed_by=None if made is None else made.way,
    )


def _nearest(year: YearlyContact, contacts: Sequence[Reached]) -> Reached | None:
    def order(at: Reached) -> tuple[bool, int, date]:
        return at.way is ContactWay.QUESTIONNAIRE, abs((at.on - year.nominal).days), at.on

    return min(contacts, key=order, default=None)
