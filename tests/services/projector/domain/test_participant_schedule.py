"""Schedules of participants: at each limit of a window, in the site's own time zone, to 15 years."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.cohort import Infused
from services.projector.domain.participant_schedule import (
    BY_QUESTIONNAIRE,
    COLLECTED_ALWAYS,
    LONG_TERM_OFF,
    NO_INFUSION,
    ParticipantSchedule,
    Reached,
    Scheduled,
    participant_schedule,
    reached,
    schedule_without_infusion,
)
from services.projector.domain.site_schedule import (
    DeviationKind,
    due_visits,
    key_of_due,
    schedule_deviations,
)
from services.projector.domain.site_workload import AtSite, site_workloads
from services.projector.domain.visit_calendar import Revision, calendar_entries
from shared.consent.record import ConsentRecord, Screening, Withdrawal
from shared.contracts.enrollment_follow_up import ContactWay, FollowUpContactRecorded, FollowUpContactRetracted
from shared.contracts.enrollment_terms import ConsentScope, ParticipantStatus
from shared.protocol import Assessment, load_protocol
from shared.protocol.schedule import Status
from tests.services.projector.chronicle import named
from tests.shared.protocol.documents import protocol_with

PROTOCOL = load_protocol()
FIRST, SECOND = named("CU-001"), named("CU-002")
DAY_ZERO = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)  # 10:00 in Bangkok
DAY_0 = date(2026, 1, 5)
FLOW = (FIRST, Assessment.CAR_T_FLOW)


def noon(day: int) -> datetime:
    return datetime(2026, 1, 5, 5, 0, tzinfo=UTC) + timedelta(days=day)


def a_schedule(
    today: int = 0,
    performed: Any = None,
    *,
    protocol: Any = PROTOCOL,
    zone: str = "Asia/Bangkok",
    day_zero: datetime = DAY_ZERO,
    until: date | None = None,
    left_on: date | None = None,
    who: tuple[Any, str] = (FIRST, "CU-001"),
    contacts: Any = (),
    consent: ConsentRecord | None = None,
) -> ParticipantSchedule:
    infused = Infused(*who, "CU", day_zero, day_zero, until, consent=consent)
    made = [Reached(date.fromisoformat(on), way) for on, way in contacts]
    scheduled = Scheduled(infused, zone, left_on, made)
    return participant_schedule(protocol, scheduled, performed or {}, now=noon(today))


def states(schedule: ParticipantSchedule, visit: str) -> dict[Assessment, Any]:
    (found,) = [each for each in schedule.visits if each.visit == visit]
    return {each.assessment: each for each in found.assessments}


@pytest.mark.parametrize(
    ("today", "status"),
    [(5, "upcoming"), (6, "open"), (7, "due"), (8, "due"), (9, "missed")],
)
def test_a_visit_without_data_stands_by_the_day(today: int, status: str) -> None:
    assert states(a_schedule(today), "D7")[Assessment.CAR_T_FLOW].status == status


@pytest.mark.parametrize(
    ("drawn", "status", "on_day"),
    [(5, "missed", None), (6, "done", 6), (8, "done", 8), (9, "late", 9), (11, "late", 11), (12, "missed", None)],
)
def test_a_visit_is_done_in_its_window_and_late_until_the_next(drawn: int, status: str, on_day: int | None) -> None:
    found = states(a_schedule(13, {FLOW: [noon(drawn)]}), "D7")[Assessment.CAR_T_FLOW]
    assert (found.status, found.performed_on_day) == (status, on_day)
    assert found.performed_on == (None if on_day is None else DAY_0 + timedelta(on_day))


def test_visits_have_days_of_both_kinds_and_the_baseline_lies_before() -> None:
    visits = {each.visit: each for each in a_schedule().visits}
    assert [(each.day, each.study_day) for each in (visits["PRE"], visits["D7"], visits["M12"])] == [
        (0, 1),
        (7, 8),
        (365, 366),
    ]
    assert (visits["PRE"].before_infusion, visits["D0"].before_infusion) == (True, False)
    assert (visits["M6"].opens_on, visits["M6"].nominal_on, visits["M6"].closes_on) == (
        DAY_0 + timedelta(168),
        DAY_0 + timedelta(182),
        DAY_0 + timedelta(196),
    )


def test_adverse_events_are_never_missed() -> None:
    assert states(a_schedule(7), "D7")[Assessment.ADVERSE_EVENTS].status is Status.DUE
    closed = states(a_schedule(9), "D7")[Assessment.ADVERSE_EVENTS]
    assert (closed.status, closed.reason) == (None, COLLECTED_ALWAYS)


def test_dates_are_those_of_the_site() -> None:
    evening = datetime(2026, 1, 4, 18, 0, tzinfo=UTC)  # 01:00 of the 5th in Bangkok, 19:00 of the 4th in Berlin
    bangkok = a_schedule(day_zero=evening)
    berlin = a_schedule(day_zero=evening, zone="Europe/Berlin")
    assert [each.visits[2].nominal_on for each in (bangkok, berlin)] == [date(2026, 1, 12), date(2026, 1, 11)]
    drawn = {FLOW: [datetime(2026, 1, 12, 23, 30, tzinfo=UTC)]}  # the 13th in Bangkok, the 13th at 00:30 in Berlin
    done = [states(a_schedule(9, drawn, day_zero=evening, zone=zone), "D7")[Assessment.CAR_T_FLOW] for zone in ZONES]
    assert [(each.status, each.performed_on_day) for each in done] == [("done", 8), ("late", 9)]
    assert (bangkok.time_zone, berlin.time_zone) == ZONES


ZONES = ("Asia/Bangkok", "Europe/Berlin")


def test_the_day_changes_at_the_sites_own_midnight() -> None:
    infused = Infused(FIRST, "CU-001", "CU", DAY_ZERO, DAY_ZERO)
    night = datetime(2026, 1, 11, 20, 0, tzinfo=UTC)  # the 12th in Bangkok
    for zone, today in (("Asia/Bangkok", date(2026, 1, 12)), ("America/New_York", date(2026, 1, 11))):
        assert participant_schedule(PROTOCOL, Scheduled(infused, zone), {}, now=night).today == today


@settings(max_examples=30)
@given(st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]), st.integers(0, 24 * 365))
def test_no_change_of_clocks_moves_a_window(zone: str, hour: int) -> None:
    day_zero = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    found = a_schedule(day_zero=day_zero, zone=zone)
    for each in found.visits:
        assert (each.nominal_on - found.visits[0].nominal_on).days == each.day
        assert each.opens_on <= each.nominal_on <= each.closes_on


def test_a_later_infusion_moves_every_date_where_day_zero_moves() -> None:
    moved = a_schedule(day_zero=DAY_ZERO + timedelta(days=100))
    assert moved.visits[2].nominal_on == DAY_0 + timedelta(107)
    assert moved.second_infusion_reanchors is False
    assert a_schedule(protocol=protocol_with(schedule__second_infusion_reanchors__value=True)).second_infusion_reanchors


def test_without_an_infusion_there_is_no_day_0() -> None:
    found = schedule_without_infusion(PROTOCOL, FIRST, "CU-001", "CU", "Asia/Bangkok", now=noon(0))
    assert (found.visits, found.reason, found.day_zero) == ((), NO_INFUSION, None)
    assert (found.long_term_follow_up.active, found.long_term_follow_up.reason) == (True, NO_INFUSION)


EXAMINED, ASKED = ContactWay.EXAMINATION, ContactWay.QUESTIONNAIRE


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([], (Status.MISSED, None, None)),
        ([("2027-11-05", EXAMINED)], (Status.MISSED, None, None)),  # the day before the window opens
        ([("2027-11-06", EXAMINED)], (Status.DONE, date(2027, 11, 6), None)),
        ([("2028-03-05", EXAMINED)], (Status.DONE, date(2028, 3, 5), None)),
        ([("2028-03-06", EXAMINED)], (Status.LATE, date(2028, 3, 6), None)),
        ([("2028-11-05", EXAMINED)], (Status.LATE, date(2028, 11, 5), None)),
        ([("2028-11-06", EXAMINED)], (Status.MISSED, None, None)),  # serves the year after
        ([("2028-01-05", ASKED)], (Status.DONE, date(2028, 1, 5), BY_QUESTIONNAIRE)),
        ([("2028-01-05", ASKED), ("2028-02-20", EXAMINED)], (Status.DONE, date(2028, 2, 20), None)),
        ([("2028-01-20", EXAMINED), ("2028-01-01", EXAMINED)], (Status.DONE, date(2028, 1, 1), None)),
        ([("2028-05-01", EXAMINED), ("2028-04-01", EXAMINED)], (Status.LATE, date(2028, 4, 1), None)),
    ],
)
def test_a_contact_serves_the_year_in_whose_window_it_lies(made: Any, expected: Any) -> None:
    year_2 = a_schedule(365 * 3 + 100, contacts=made).long_term_follow_up.years[0]
    assert (year_2.status, year_2.performed_on, year_2.reason) == expected
    assert year_2.performed_by == (None if expected[1] is None else dict(made)[expected[1].isoformat()])


def test_a_questionnaire_is_as_planned_in_the_later_years() -> None:
    year_6 = a_schedule(365 * 6 + 100, contacts=[("2032-01-05", ASKED)]).long_term_follow_up.years[4]
    assert (year_6.year, year_6.status, year_6.reason) == (6, Status.DONE, None)


def test_the_last_year_is_late_however_late_it_is() -> None:
    year_15 = a_schedule(365 * 20, contacts=[("2045-06-01", ASKED)]).long_term_follow_up.years[-1]
    assert (year_15.year, year_15.status) == (15, Status.LATE)


def test_what_was_reached_stays_done_whoever_left_later() -> None:
    left = a_schedule(800, contacts=[("2028-01-05", EXAMINED)], until=date(2028, 2, 1), left_on=date(2028, 2, 1))
    assert [each.status for each in left.long_term_follow_up.years[:2]] == [Status.DONE, Status.NOT_APPLICABLE]


def test_a_contact_that_was_taken_back_serves_nothing() -> None:
    usual = {"participant_id": FIRST, "contact_id": named("contact"), "protocol": PROTOCOL.ref}
    on = {"site_id": "CU", "contacted_on": "2028-01-05", "way": "examination", "late_events": {}}
    made = FollowUpContactRecorded.model_validate({**usual, **on})
    gone = FollowUpContactRetracted.model_validate({**usual, "reason": "Another participant's"})
    assert reached([made]) == [Reached(date(2028, 1, 5), EXAMINED)]
    assert reached([made, gone]) == reached([gone]) == []


def test_long_term_follow_up_waits_closes_and_ends_with_who_left() -> None:
    years = a_schedule(365 * 3 + 100).long_term_follow_up.years
    assert [(each.year, each.status, each.reason) for each in years[:3]] == [
        (2, Status.MISSED, None),
        (3, Status.MISSED, None),
        (4, Status.UPCOMING, None),
    ]
    assert (years[0].nominal_on, years[0].day, years[0].study_day) == (date(2028, 1, 5), 730, 731)
    completed = a_schedule(400, until=date(2027, 1, 5))
    assert completed.long_term_follow_up.years[0].status is Status.UPCOMING
    died = a_schedule(400, until=date(2026, 2, 1), left_on=date(2026, 2, 1))
    assert {each.status for each in died.long_term_follow_up.years} == {Status.NOT_APPLICABLE}
    off = a_schedule(protocol=protocol_with(long_term_follow_up__active__value=False)).long_term_follow_up
    assert (off.active, off.reason, off.years) == (False, LONG_TERM_OFF, ())
    none = a_schedule(protocol=protocol_with(long_term_follow_up=None)).long_term_follow_up
    assert none.active is False


THREE_YEARS = 365 * 3


@pytest.mark.parametrize(
    ("left_on", "status"), [(date(2028, 3, 4), Status.NOT_APPLICABLE), (date(2028, 3, 5), Status.MISSED)]
)
def test_who_left_before_the_last_day_of_a_years_window_missed_nothing(left_on: date, status: Status) -> None:
    year_2 = a_schedule(THREE_YEARS, until=left_on, left_on=left_on).long_term_follow_up.years[0]
    assert (year_2.closes_on, year_2.status) == (date(2028, 3, 5), status)


def consent(scope: ConsentScope, withdrawn_on: date, restored_on: date | None = None) -> ConsentRecord:
    screening = Screening(date(2025, 12, 1), withdrawals=(Withdrawal(scope, withdrawn_on, restored_on),))
    return ConsentRecord("CU", "Asia/Bangkok", "2018-05", (screening,))


@pytest.mark.parametrize(
    ("withdrawn", "status"),
    [
        (consent(ConsentScope.FOLLOW_UP, date(2028, 3, 4)), Status.NOT_APPLICABLE),
        (consent(ConsentScope.FOLLOW_UP, date(2028, 3, 5)), Status.MISSED),
        (consent(ConsentScope.FOLLOW_UP, date(2027, 12, 1), date(2028, 3, 6)), Status.NOT_APPLICABLE),
        (consent(ConsentScope.FOLLOW_UP, date(2027, 12, 1), date(2028, 3, 5)), Status.MISSED),
        (consent(ConsentScope.SAMPLES, date(2027, 12, 1)), Status.MISSED),
        (consent(ConsentScope.TREATMENT, date(2027, 12, 1)), Status.MISSED),
    ],
)
def test_who_has_withdrawn_from_follow_up_on_the_last_day_missed_nothing(
    withdrawn: ConsentRecord, status: Status
) -> None:
    assert a_schedule(THREE_YEARS, consent=withdrawn).long_term_follow_up.years[0].status is status


@pytest.mark.parametrize(
    ("scope", "not_applicable"),
    [
        (ConsentScope.FOLLOW_UP, {Assessment.RESPONSE}),
        (ConsentScope.SAMPLES, {Assessment.CAR_T_FLOW, Assessment.CYTOKINES}),
        (ConsentScope.TREATMENT, set()),
    ],
)
def test_what_consent_no_longer_covers_on_the_last_day_of_a_window_is_not_missed(
    scope: ConsentScope, not_applicable: set[Assessment]
) -> None:
    month = a_schedule(90).visits
    window = next(each for each in month if each.visit == "D30")
    for withdrawn_on, expected in ((window.closes_on - timedelta(1), not_applicable), (window.closes_on, set())):
        told = states(a_schedule(90, consent=consent(scope, withdrawn_on)), "D30")
        gone = {kind for kind, each in told.items() if each.status is Status.NOT_APPLICABLE}
        assert gone == expected
        assert told[Assessment.ADVERSE_EVENTS].reason == COLLECTED_ALWAYS
    done = {(FIRST, kind): [noon(30)] for kind in not_applicable}
    kept = states(a_schedule(90, done, consent=consent(scope, window.opens_on)), "D30")
    assert {kept[kind].status for kind in not_applicable} <= {Status.DONE}


def test_what_is_to_do_comes_overdue_first() -> None:
    done = {FLOW: [noon(7)], (FIRST, Assessment.CYTOKINES): [noon(-1)], (FIRST, Assessment.RESPONSE): [noon(-5)]}
    lines = due_visits([a_schedule(9, done)], since=DAY_0, until=DAY_0 + timedelta(14))
    assert [(each.visit, each.assessment, each.status, each.overdue, each.days_overdue) for each in lines] == [
        ("PRE", "car-t-flow", "missed", True, 9),
        ("D7", "cytokines", "missed", True, 1),
        ("D14", "car-t-flow", "upcoming", False, 0),
        ("D14", "cytokines", "upcoming", False, 0),
    ]
    assert lines == sorted(lines, key=key_of_due)


@pytest.mark.parametrize(
    ("since", "until", "visits"),
    [(8, 12, {"D7", "D14"}), (9, 11, set()), (9, 12, {"D14"}), (8, 11, {"D7"}), (16, 16, {"D14"})],
)
def test_a_period_takes_windows_that_touch_it(since: int, until: int, visits: set[str]) -> None:
    period = {"since": DAY_0 + timedelta(since), "until": DAY_0 + timedelta(until)}
    assert {each.visit for each in due_visits([a_schedule(9)], **period)} == visits


def test_years_of_long_term_follow_up_are_to_do_as_well() -> None:
    lines = due_visits([a_schedule(730)], since=date(2028, 1, 1), until=date(2028, 1, 31))
    assert [(each.visit, each.label, each.assessment, each.status) for each in lines] == [
        ("Y2", "Year 2, examination", None, "due")
    ]
    later = due_visits([a_schedule(365 * 3)], since=date(2028, 1, 1), until=date(2028, 12, 31))
    assert [(each.visit, each.overdue) for each in later] == [("Y2", True), ("Y3", False)]
    reached_once = a_schedule(365 * 3, contacts=[("2028-01-05", EXAMINED)])
    assert [each.visit for each in due_visits([reached_once], since=date(2028, 1, 1), until=date(2028, 12, 31))] == [
        "Y3"
    ]


def test_deviations_raise_themselves() -> None:
    found = schedule_deviations([a_schedule(12, {FLOW: [noon(-1), noon(10)]}), a_schedule(who=(SECOND, "CU-002"))])
    mine = [each for each in found if each.assessment is not Assessment.RESPONSE]
    assert [(each.visit, each.assessment, each.kind, each.performed_on, each.days_after_window) for each in mine] == [
        ("PRE", "cytokines", DeviationKind.VISIT_MISSED, None, None),
        ("D7", "car-t-flow", DeviationKind.VISIT_OUT_OF_WINDOW, DAY_0 + timedelta(10), 2),
        ("D7", "cytokines", DeviationKind.VISIT_MISSED, None, None),
    ]
    assert [each.sequence for each in found] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("today", "contacts", "expected"),
    [
        (date(2028, 3, 5), [], []),
        (date(2028, 3, 6), [], [(DeviationKind.VISIT_MISSED, None, None)]),
        (date(2028, 3, 6), [("2028-03-05", EXAMINED)], []),
        (date(2028, 3, 9), [("2028-03-08", ASKED)], [(DeviationKind.VISIT_OUT_OF_WINDOW, date(2028, 3, 8), 3)]),
    ],
)
def test_a_year_of_long_term_follow_up_deviates_once_its_window_has_closed(
    today: date, contacts: Any, expected: Any
) -> None:
    whole = schedule_deviations([a_schedule((today - DAY_0).days, contacts=contacts)])
    years = [each for each in whole if each.contact is not None]
    assert [(each.kind, each.performed_on, each.days_after_window) for each in years] == expected
    told = [(each.visit, each.label, each.assessment, each.contact, each.closes_on) for each in years]
    assert told == [("Y2", "Year 2, examination", None, "examination", date(2028, 3, 5))] * len(expected)
    assert [each.sequence for each in whole] == list(range(1, len(whole) + 1))


def test_who_left_is_listed_for_the_years_before_alone() -> None:
    died = date(2029, 2, 1)
    years = schedule_deviations([a_schedule(365 * 5, until=died, left_on=died)])
    assert [each.visit for each in years if each.contact is not None] == ["Y2"]


REVISION = Revision(4, DAY_ZERO)


def test_a_calendar_has_each_visit_from_the_infusion_on_and_cancels_what_will_not_be() -> None:
    died = a_schedule(60, until=date(2026, 1, 20), left_on=date(2026, 1, 20), who=(SECOND, "CU-002"))
    entries = calendar_entries([died, a_schedule(60)], {FIRST: REVISION, SECOND: REVISION})
    mine = [each for each in entries if each.summary.startswith("CU-001")]
    assert [each.summary for each in mine[:3]] == ["CU-001 D0", "CU-001 D7", "CU-001 D14"]
    assert [each.summary for each in mine[-2:]] == ["CU-001 Y14", "CU-001 Y15"]
    assert (mine[1].opens_on, mine[1].nominal_on, mine[1].closes_on) == tuple(DAY_0 + timedelta(n) for n in (6, 7, 8))
    assert mine[1].uid == f"{FIRST}-D7"
    assert not any(each.cancelled for each in mine)
    cancelled = [each.summary for each in entries if each.cancelled]
    assert cancelled[:2] == ["CU-002 D14", "CU-002 D21"]  # the window of D14 was open still
    assert "CU-002 Y15" in cancelled


def test_what_moves_a_visit_keeps_its_identity() -> None:
    moved = a_schedule(day_zero=DAY_ZERO + timedelta(days=1))
    before, after = (calendar_entries([each], {FIRST: REVISION}) for each in (a_schedule(), moved))
    assert [each.uid for each in before] == [each.uid for each in after]
    assert len({each.uid for each in before}) == len(before)
    assert before[1].opens_on + timedelta(1) == after[1].opens_on


def test_who_has_no_revision_yet_is_not_in_the_calendar() -> None:
    assert calendar_entries([a_schedule()], {}) == []


def test_a_workload_counts_visits_once_and_assessments_each() -> None:
    statuses = [ParticipantStatus.SCREENING, ParticipantStatus.ENROLLED, ParticipantStatus.INFUSED]
    at = AtSite(statuses, [a_schedule(13)], in_follow_up=1, quarantined_rows=2, unacknowledged_alerts=3)
    found = {each.site_id: each for each in site_workloads({"SI": AtSite(), "CU": at})}
    assert list(found) == ["CU", "SI"]
    cu = found["CU"]
    assert (cu.participants, cu.in_screening, cu.awaiting_infusion, cu.in_follow_up) == (3, 1, 1, 1)
    assert (cu.overdue_visits, cu.overdue_assessments) == (2, 5)  # PRE with three kinds, D7 with two
    assert (cu.visits_due, cu.visits_in_next_30_days) == (1, 3)  # D14; then D21 and D30
    assert (cu.quarantined_laboratory_rows, cu.unacknowledged_alerts) == (2, 3)
    assert found["SI"].participants == found["SI"].visits_due == 0
