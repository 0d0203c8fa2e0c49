"""From the infusion to study days, visit windows, visit assignment and reporting intervals.

Pure functions of the protocol and of facts. Instants carry an offset and become days in the trial's own time
zone. Days count from the infusion: day 0 is the infusion's day, "7 days after" is day 7. A plain date stands for
a day without a time; dates known to the month or year alone are settled before they come here.
"""

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from shared.protocol.long_term import Contact
from shared.protocol.model import Protocol
from shared.protocol.safety import ReportingClock
from shared.protocol.visits import Anchor, Assessment, MeasureId, Moment, Side, TimePoint, Visit

END_OF_DAY = time(23, 59, 59)


@dataclass(frozen=True)
class VisitDates:
    """A visit of one participant: nominal date, and the first and last date of its window."""

    visit: Visit
    nominal: date
    opens: date
    closes: date


@dataclass(frozen=True)
class YearlyContact:
    """A year of long-term follow-up: how, its nominal date, and the first and last date of its window."""

    year: int
    contact: Contact
    nominal: date
    opens: date
    closes: date


@dataclass(frozen=True)
class Interval:
    """Days reported under one time point: after `after_day`, up to and with `until_day`.

    The first interval has no `after_day`: it begins with the infusion itself, on day 0.
    """

    time_point: TimePoint
    after_day: int | None
    until_day: int


class Status(StrEnum):
    """How a visit stands for one kind of assessment."""

    UPCOMING = "upcoming"  # its window has not opened
    OPEN = "open"  # its window is open, its nominal day lies ahead
    DUE = "due"  # its nominal day has come, its window is still open
    DONE = "done"  # assessed inside the window
    LATE = "late"  # assessed after the window closed: a deviation
    MISSED = "missed"  # the window closed without an assessment
    NOT_APPLICABLE = "not-applicable"  # follow-up ended before the window closed


@dataclass(frozen=True)
class VisitState(VisitDates):
    """A visit of one participant, how it stands for one kind of assessment, and what was done for it."""

    assessment: Assessment
    status: Status
    performed: Moment | None


def anchor_of(protocol: Protocol, started_at: datetime, ended_at: datetime | None) -> datetime | None:
    """The instant that study days count from: the infusion's start or end, as the protocol says.

    None while an infusion whose end is the anchor still runs. Setting `schedule.anchor` [D]: start is usual.
    """
    return started_at if protocol.schedule.anchor.value is Anchor.INFUSION_START else ended_at


def local_date(protocol: Protocol, at: datetime | date) -> date:
    """The date in the trial's time zone. A date without a time is taken as it stands.

    Raises ValueError for an instant without an offset: it would take the zone of whatever machine this runs on.
    """
    if not isinstance(at, datetime):
        return at
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no offset, so its day is not known")
    return at.astimezone(protocol.zone).date()


def study_day(protocol: Protocol, at: datetime | date, infused_at: datetime) -> int:
    """Whole days from the infusion's date to this one, both in the trial's time zone; 0 on the infusion's day.

    Calendar days, not periods of 24 hours. Source: custom of CAR-T trials, day 0 = infusion [U].
    """
    return (local_date(protocol, at) - local_date(protocol, infused_at)).days


def moment_of(protocol: Protocol, at: datetime | date, infused_at: datetime) -> Moment:
    """Where an instant or a date lies in the schedule.

    On the infusion's own day an instant from the infusion on counts as after it. A date without a time cannot
    tell; the setting `schedule.infusion_day_without_time` [D] does.
    """
    day = study_day(protocol, at, infused_at)
    if day != 0:
        return Moment(day, after_infusion=day > 0)
    if isinstance(at, datetime):
        return Moment(0, after_infusion=at >= infused_at)
    return Moment(0, after_infusion=protocol.schedule.infusion_day_without_time.value is Side.AFTER)


def visit_dates(protocol: Protocol, visit: Visit, infused_at: datetime) -> VisitDates:
    """Nominal date and window of a visit, as dates in the trial's time zone. Windows are settings [D]."""
    day_0 = local_date(protocol, infused_at)
    return VisitDates(
        visit,
        nominal=day_0 + timedelta(days=visit.day),
        opens=day_0 + timedelta(days=visit.first_day),
        closes=day_0 + timedelta(days=visit.last_day),
    )


def calendar(protocol: Protocol, infused_at: datetime) -> tuple[VisitDates, ...]:
    """Every visit of one participant, in order of time."""
    return tuple(visit_dates(protocol, visit, infused_at) for visit in protocol.visits)


def long_term_calendar(protocol: Protocol, infused_at: datetime) -> tuple[YearlyContact, ...]:
    """Every year of one participant's long-term follow-up, by the calendar; none where the protocol has it off."""
    plan = protocol.long_term_follow_up
    if plan is None or not plan.active.value:
        return ()
    day_0, window = local_date(protocol, infused_at), plan.window.value
    nominal = {year: months_after(day_0, 12 * year) for year in plan.years}
    return tuple(
        YearlyContact(year, plan.contact_in(year), on, on - timedelta(window.minus), on + timedelta(window.plus))
        for year, on in nominal.items()
    )


def sdtm_study_day(day: int) -> int:
    """The study day of SDTM (--DY) of a day that counts from the infusion: there is no day 0, so day 0 is day 1.

    Source: CDISC SDTM Implementation Guide 3.4, section 4.4.4.
    """
    return day + 1 if day >= 0 else day


def standing(dates: VisitDates | YearlyContact, today: date) -> Status:
    """How a window stands on a day, of which nothing is known but its dates."""
    if today < dates.opens:
        return Status.UPCOMING
    if today > dates.closes:
        return Status.MISSED
    return Status.OPEN if today < dates.nominal else Status.DUE


def assign_visits(protocol: Protocol, assessment: Assessment, moments: Sequence[Moment]) -> tuple[Visit | None, ...]:
    """For each assessment of one kind, the visit it serves, or None where it is unscheduled.

    `moments` come in order of recording or of time; the answer is aligned with them. Each visit is served once,
    by the assessment nearest to its nominal day; of two equally near the earlier. Before the infusion the last
    counts, as a baseline is the last value before it. Rules of this project [D]. With the setting
    `schedule.late_fills_visit` a visit that nothing served takes the first assessment after its window.
    """
    served = _served(protocol, assessment, moments)
    if protocol.schedule.late_fills_visit.value:
        served |= _late(protocol, assessment, moments, served)
    visits = {index: protocol.visit(code) for code, index in served.items()}
    return tuple(visits.get(index) for index in range(len(moments)))


def intervals(protocol: Protocol) -> tuple[Interval, ...]:
    """The intervals by which adverse events are reported: (0, 7], (7, 14], ... days, the first from the infusion.

    Collection is continuous: "at day 7" means everything since the infusion, not a snapshot of that day.
    """
    measure = protocol.measure(MeasureId.ADVERSE_EVENTS)
    points = [point for point in measure.time_points if not point.before_infusion]
    ends = [protocol.visit(point.visit).day for point in points]
    starts = [None, *ends[:-1]]
    return tuple(Interval(*each) for each in zip(points, starts, ends, strict=True))


def interval_of(protocol: Protocol, moment: Moment) -> TimePoint | None:
    """The time point an adverse event counts under; None before the infusion and after the last time point."""
    if not moment.after_infusion:
        return None
    return next((each.time_point for each in intervals(protocol) if moment.day <= each.until_day), None)


def _never(_: date) -> bool:
    return False


def visit_status(
    protocol: Protocol,
    assessment: Assessment,
    infused_at: datetime,
    *,
    performed: Sequence[Moment],
    today: date,
    followed_until: date | None = None,
    withdrawn: Callable[[date], bool] = _never,
) -> tuple[VisitState, ...]:
    """How each visit of one kind stands for one participant, in order of time.

    `today` and `followed_until`, the last day of follow-up of who died or left, are dates in the trial's time
    zone. What was done stays done, whatever came after. An assessment after the window, before the next one of
    its kind opens, makes a visit late; nothing after the infusion makes up for a missed baseline. Where
    follow-up ended before the window closed, or consent to such an assessment is `withdrawn` on its last day, the
    visit is not applicable, not missed [D].
    """
    done = _served(protocol, assessment, performed)
    late = _late(protocol, assessment, performed, done)

    def stands(dates: VisitDates) -> tuple[Status, Moment | None]:
        code = dates.visit.code
        if code in done:
            return Status.DONE, performed[done[code]]
        if code in late:
            return Status.LATE, performed[late[code]]
        if (followed_until is not None and followed_until < dates.closes) or withdrawn(dates.closes):
            return Status.NOT_APPLICABLE, None
        return standing(dates, today), None

    dated = (visit_dates(protocol, visit, infused_at) for visit in protocol.visits_for(assessment))
    return tuple(
        VisitState(each.visit, each.nominal, each.opens, each.closes, assessment, *stands(each)) for each in dated
    )


def deadline(clock: ReportingClock, since: datetime, zone: tzinfo) -> datetime:
    """The last instant, in UTC, at which a duty that starts at `since` is met in time.

    Hours run from the instant. Calendar days and months run from its date in `zone`, which is day 0, and end with
    the last second of the due date; weekends and holidays count. Months end with the month where it is shorter.
    Source: the protocol's clocks, each with its own.
    """
    if clock.limit.hours is not None:
        return since.astimezone(UTC) + timedelta(hours=clock.limit.hours)
    day_0 = since.astimezone(zone).date()
    due = months_after(day_0, clock.limit.months or 0) + timedelta(days=clock.limit.calendar_days or 0)
    return datetime.combine(due, END_OF_DAY, zone).astimezone(UTC)


def months_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _served(protocol: Protocol, assessment: Assessment, moments: Sequence[Moment]) -> dict[str, int]:
    """Per visit code the index of the moment that serves it, inside its window."""
    served: dict[str, int] = {}
    for visit in protocol.visits_for(assessment):
        inside = [index for index, moment in enumerate(moments) if visit.holds(moment)]
        if inside:
            served[visit.code] = _nearest(visit, moments, inside)
    return served


def _late(
    protocol: Protocol, assessment: Assessment, moments: Sequence[Moment], served: dict[str, int]
) -> dict[str, int]:
    """Per visit code, where nothing served it in time, the first moment between its window and the next one."""
    late: dict[str, int] = {}
    visits = protocol.visits_for(assessment)
    for visit, following in zip(visits, (*visits[1:], None), strict=True):
        after = [
            index
            for index, moment in enumerate(moments)
            if visit.last < moment and (following is None or moment < following.first)
        ]
        if after and not visit.before_infusion and visit.code not in served:
            late[visit.code] = _nearest(visit, moments, after)
    return late


def _nearest(visit: Visit, moments: Sequence[Moment], candidates: list[int]) -> int:
    in_time = sorted(candidates, key=lambda index: (moments[index], index), reverse=visit.before_infusion)
    return min(in_time, key=lambda index: abs(moments[index].day - visit.day))
