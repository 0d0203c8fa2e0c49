"""Study days, windows, assignment, intervals and visit status, at and just past each limit."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol import Assessment, Moment, load_protocol
from shared.protocol.schedule import (
    Status,
    anchor_of,
    assign_visits,
    calendar,
    interval_of,
    intervals,
    local_date,
    moment_of,
    study_day,
    visit_status,
)
from tests.shared.protocol.documents import protocol_with

CMD03 = load_protocol()
BANGKOK = timezone(timedelta(hours=7))
INFUSED_AT = datetime(2026, 3, 10, 14, 30, tzinfo=BANGKOK)
DAY_0 = date(2026, 3, 10)

VISITED = [Assessment.RESPONSE, Assessment.CAR_T_FLOW, Assessment.CYTOKINES]


def before(day: int) -> Moment:
    return Moment(day, after_infusion=False)


def after(day: int) -> Moment:
    return Moment(day, after_infusion=True)


def on(day: int) -> Moment:
    return Moment(day, after_infusion=day >= 0)


def days_later(days: int) -> date:
    return DAY_0 + timedelta(days=days)


moments = st.integers(-60, 420).flatmap(
    lambda day: st.booleans().map(lambda side: Moment(day, side if day == 0 else day > 0))
)


# --- Days -----------------------------------------------------------------------------------------------------------


def test_day_0_counts_from_the_start_of_the_infusion() -> None:
    ended_at = INFUSED_AT + timedelta(hours=1)
    assert anchor_of(CMD03, INFUSED_AT, ended_at) == INFUSED_AT


def test_day_0_may_count_from_the_end_of_the_infusion_once_it_has_ended() -> None:
    protocol = protocol_with(schedule__anchor__value="infusion-end")
    ended_at = INFUSED_AT + timedelta(hours=1)
    assert anchor_of(protocol, INFUSED_AT, ended_at) == ended_at
    assert anchor_of(protocol, INFUSED_AT, None) is None


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 3, 8, 16, 59, 59, tzinfo=UTC), -2),  # 23:59:59 in Bangkok on the 8th
        (datetime(2026, 3, 8, 17, 0, tzinfo=UTC), -1),  # midnight in Bangkok: the 9th
        (datetime(2026, 3, 9, 16, 59, 59, tzinfo=UTC), -1),
        (datetime(2026, 3, 9, 17, 0, tzinfo=UTC), 0),
        (INFUSED_AT, 0),
        (datetime(2026, 3, 10, 16, 59, 59, tzinfo=UTC), 0),
        (datetime(2026, 3, 10, 17, 0, tzinfo=UTC), 1),
        (date(2026, 3, 9), -1),
        (date(2026, 3, 10), 0),
        (date(2026, 3, 17), 7),
        (date(2027, 3, 10), 365),
    ],
)
def test_days_are_those_of_the_calendar_in_bangkok(at: datetime | date, day: int) -> None:
    assert study_day(CMD03, at, INFUSED_AT) == day


def test_an_instant_without_an_offset_has_no_day() -> None:
    with pytest.raises(ValueError, match="2026-03-10T14:30:00 has no offset"):
        local_date(CMD03, datetime(2026, 3, 10, 14, 30))  # noqa: DTZ001 # the point of the test


@pytest.mark.parametrize(
    ("at", "moment"),
    [
        (INFUSED_AT - timedelta(seconds=1), before(0)),
        (INFUSED_AT, after(0)),
        (INFUSED_AT + timedelta(seconds=1), after(0)),
        (INFUSED_AT - timedelta(days=1), before(-1)),
        (INFUSED_AT + timedelta(days=1), after(1)),
        (date(2026, 3, 9), before(-1)),
        (date(2026, 3, 10), before(0)),
        (date(2026, 3, 11), after(1)),
    ],
)
def test_the_infusions_own_day_has_two_sides(at: datetime | date, moment: Moment) -> None:
    assert moment_of(CMD03, at, INFUSED_AT) == moment


def test_the_protocol_says_where_a_date_without_a_time_lies() -> None:
    protocol = protocol_with(schedule__infusion_day_without_time__value="after")
    assert moment_of(protocol, DAY_0, INFUSED_AT) == after(0)


@pytest.mark.parametrize(("day", "after_infusion"), [(1, False), (-1, True)])
def test_other_days_have_one_side(day: int, after_infusion: bool) -> None:
    with pytest.raises(ValueError, match="only day 0 has two"):
        Moment(day, after_infusion)


# --- Windows and assignment -----------------------------------------------------------------------------------------


def test_the_calendar_gives_dates_in_bangkok() -> None:
    late_in_utc = datetime(2026, 3, 9, 20, 0, tzinfo=UTC)  # the 10th in Bangkok
    dated = {dates.visit.code: (dates.opens, dates.nominal, dates.closes) for dates in calendar(CMD03, late_in_utc)}
    assert dated["PRE"] == (date(2026, 2, 10), date(2026, 3, 10), date(2026, 3, 10))
    assert dated["D30"] == (date(2026, 4, 6), date(2026, 4, 9), date(2026, 4, 12))
    assert dated["M12"] == (date(2027, 2, 8), date(2027, 3, 10), date(2027, 4, 9))
    assert list(dated) == ["PRE", "D0", "D7", "D14", "D21", "D30", "D60", "D90", "M6", "M12"]


@pytest.mark.parametrize(
    ("assessment", "moment", "code"),
    [
        ("cytokines", before(-29), None),
        ("cytokines", before(-28), "PRE"),
        ("cytokines", before(0), "PRE"),
        ("cytokines", after(0), None),
        ("cytokines", after(5), None),
        ("cytokines", after(6), "D7"),
        ("cytokines", after(8), "D7"),
        ("cytokines", after(9), None),
        ("cytokines", after(33), "D30"),
        ("cytokines", after(60), None),
        ("car-t-flow", after(60), "D60"),
        ("response", after(60), None),
        ("response", after(83), "D90"),
        ("response", after(98), None),
        ("response", after(168), "M6"),
        ("response", after(395), "M12"),
        ("response", after(396), None),
        ("adverse-events", before(0), "PRE"),
        ("adverse-events", after(0), "D0"),
    ],
)
def test_an_assessment_belongs_to_the_visit_in_whose_window_it_lies(
    assessment: str, moment: Moment, code: str | None
) -> None:
    [visit] = assign_visits(CMD03, Assessment(assessment), [moment])
    assert (visit and visit.code) == code


@pytest.mark.parametrize(
    ("assessment", "performed", "codes"),
    [
        ("response", [], []),
        ("response", [on(30)], ["D30"]),
        ("response", [on(28), on(31)], [None, "D30"]),  # the nearer one
        ("response", [on(29), on(31)], ["D30", None]),  # equally near: the earlier
        ("response", [on(31), on(29)], [None, "D30"]),  # whatever the order of recording
        ("response", [on(30), on(30)], ["D30", None]),  # of one day: the first
        ("response", [on(45)], [None]),  # between windows
        ("response", [before(-20), before(-3), before(0)], [None, None, "PRE"]),  # the last before the infusion
        ("response", [before(0), before(0)], [None, "PRE"]),
        ("cytokines", [before(0), after(0), after(7)], ["PRE", None, "D7"]),
        ("car-t-flow", [on(7), on(13), on(22), on(35)], ["D7", "D14", "D21", None]),
    ],
)
def test_each_visit_is_served_once(assessment: str, performed: list[Moment], codes: list[str | None]) -> None:
    served = assign_visits(CMD03, Assessment(assessment), performed)
    assert [visit and visit.code for visit in served] == codes


@pytest.mark.parametrize(
    ("performed", "codes"),
    [
        ([on(40)], ["D30"]),
        ([on(40), on(36)], [None, "D30"]),  # the first after the window
        ([on(30), on(40)], ["D30", None]),
        ([on(1), on(26)], [None, None]),  # no baseline after the infusion, and too early for day 30
    ],
)
def test_a_late_assessment_fills_a_visit_only_if_the_protocol_says_so(
    performed: list[Moment], codes: list[str | None]
) -> None:
    protocol = protocol_with(schedule__late_fills_visit__value=True)
    served = assign_visits(protocol, Assessment.RESPONSE, performed)
    assert [visit and visit.code for visit in served] == codes


@given(st.sampled_from(Assessment), moments)
def test_no_moment_lies_in_two_windows_of_one_kind(assessment: Assessment, moment: Moment) -> None:
    assert sum(visit.holds(moment) for visit in CMD03.visits_for(assessment)) <= 1


@given(st.sampled_from(Assessment), st.lists(moments, max_size=12))
def test_assignment_is_one_to_one_and_ignores_the_order_of_recording(
    assessment: Assessment, performed: list[Moment]
) -> None:
    served = assign_visits(CMD03, assessment, performed)
    codes = [visit.code for visit in served if visit]
    assert len(served) == len(performed)
    assert len(codes) == len(set(codes))
    assert set(codes) == {
        visit.code for visit in CMD03.visits_for(assessment) if any(visit.holds(moment) for moment in performed)
    }
    in_time = sorted(performed)
    again = assign_visits(CMD03, assessment, in_time)
    assert {(visit.code, moment) for visit, moment in zip(served, performed, strict=True) if visit} == {
        (visit.code, moment) for visit, moment in zip(again, in_time, strict=True) if visit
    }


@given(st.sampled_from(Assessment), st.lists(moments, max_size=12))
def test_nothing_left_over_is_nearer_than_what_serves(assessment: Assessment, performed: list[Moment]) -> None:
    served = assign_visits(CMD03, assessment, performed)
    for visit, moment in zip(served, performed, strict=True):
        if visit:
            rivals = [abs(rival.day - visit.day) for rival in performed if visit.holds(rival)]
            assert abs(moment.day - visit.day) == min(rivals)


# --- Intervals of adverse events ------------------------------------------------------------------------------------


def test_intervals_follow_each_other_without_gaps() -> None:
    assert [(each.time_point.label, each.after_day, each.until_day) for each in intervals(CMD03)] == [
        ("7 days", None, 7),
        ("14 days", 7, 14),
        ("21 days", 14, 21),
        ("30 days", 21, 30),
        ("60 days", 30, 60),
        ("90 days", 60, 90),
        ("6 months", 90, 182),
        ("12 months", 182, 365),
    ]


@pytest.mark.parametrize(
    ("moment", "label"),
    [
        (before(-1), None),
        (before(0), None),
        (after(0), "7 days"),
        (after(1), "7 days"),
        (after(7), "7 days"),
        (after(8), "14 days"),
        (after(30), "30 days"),
        (after(31), "60 days"),
        (after(182), "6 months"),
        (after(183), "12 months"),
        (after(365), "12 months"),
        (after(366), None),
    ],
)
def test_an_adverse_event_counts_under_the_next_time_point(moment: Moment, label: str | None) -> None:
    point = interval_of(CMD03, moment)
    assert (point and point.label) == label


def test_a_time_point_before_the_infusion_has_no_interval() -> None:
    protocol = protocol_with(
        outcome_measures__0__time_points=[
            {"label": "before", "visit": "PRE"},
            {"label": "30 days", "days": 30, "visit": "D30"},
        ]
    )
    assert [(each.after_day, each.until_day) for each in intervals(protocol)] == [(None, 30)]


# --- Status ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "status"),
    [  # the window of D30 is days 27 to 33
        (26, Status.UPCOMING),
        (27, Status.OPEN),
        (29, Status.OPEN),
        (30, Status.DUE),
        (33, Status.DUE),
        (34, Status.MISSED),
    ],
)
def test_a_visit_awaits_is_due_and_is_missed(today: int, status: Status) -> None:
    assert _status_of("D30", performed=[], today=today) == (status, None)


@pytest.mark.parametrize(
    ("performed", "status", "by"),
    [
        ([on(26)], Status.MISSED, None),  # before the window: unscheduled
        ([on(27)], Status.DONE, on(27)),
        ([on(33)], Status.DONE, on(33)),
        ([on(34)], Status.LATE, on(34)),
        ([on(82)], Status.LATE, on(82)),
        ([on(83)], Status.MISSED, None),  # inside the next window: it serves day 90
        ([on(50), on(40)], Status.LATE, on(40)),
        ([on(33), on(34)], Status.DONE, on(33)),
    ],
)
def test_a_visit_is_done_in_its_window_and_late_after_it(
    performed: list[Moment], status: Status, by: Moment | None
) -> None:
    assert _status_of("D30", performed=performed, today=100) == (status, by)


@pytest.mark.parametrize(
    ("followed_until", "status"),
    [(26, Status.NOT_APPLICABLE), (32, Status.NOT_APPLICABLE), (33, Status.MISSED), (400, Status.MISSED)],
)
def test_a_visit_after_the_end_of_follow_up_is_not_applicable(followed_until: int, status: Status) -> None:
    assert _status_of("D30", performed=[], today=100, followed_until=followed_until) == (status, None)


def test_what_was_done_before_follow_up_ended_stays_done() -> None:
    assert _status_of("D30", performed=[on(28)], today=100, followed_until=29) == (Status.DONE, on(28))


def test_nothing_after_the_infusion_makes_up_for_a_missed_baseline() -> None:
    assert _status_of("PRE", performed=[on(1)], today=2) == (Status.MISSED, None)


def test_after_the_last_window_a_late_visit_still_counts_as_late() -> None:
    assert _status_of("M12", performed=[on(396)], today=400) == (Status.LATE, on(396))


def _status_of(
    code: str, *, performed: list[Moment], today: int, followed_until: int | None = None
) -> tuple[Status, Moment | None]:
    states = visit_status(
        CMD03,
        Assessment.RESPONSE,
        INFUSED_AT,
        performed=performed,
        today=days_later(today),
        followed_until=None if followed_until is None else days_later(followed_until),
    )
    state = next(state for state in states if state.visit.code == code)
    assert state.assessment is Assessment.RESPONSE
    assert (state.opens, state.nominal, state.closes) == (
        days_later(state.visit.first_day),
        days_later(state.visit.day),
        days_later(state.visit.last_day),
    )
    return state.status, state.performed


@given(st.sampled_from(VISITED), st.lists(moments, max_size=8), st.integers(-40, 450), st.none() | st.integers(0, 450))
def test_every_visit_has_one_status_and_no_assessment_counts_twice(
    assessment: Assessment, performed: list[Moment], today: int, followed_until: int | None
) -> None:
    states = visit_status(
        CMD03,
        assessment,
        INFUSED_AT,
        performed=performed,
        today=days_later(today),
        followed_until=None if followed_until is None else days_later(followed_until),
    )
    assert [state.visit for state in states] == list(CMD03.visits_for(assessment))
    used = [state.performed for state in states if state.performed]
    assert len(used) == len(set(used))
    assert all((state.performed is not None) == (state.status in {Status.DONE, Status.LATE}) for state in states)
