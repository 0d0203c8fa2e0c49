"""Long-term follow-up by the calendar, study days of SDTM, and a schedule in another time zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol import Contact, ProtocolUnusable, load_protocol
from shared.protocol.loading import PACKAGED
from shared.protocol.schedule import (
    Status,
    calendar,
    local_date,
    long_term_calendar,
    sdtm_study_day,
    standing,
    study_day,
    visit_dates,
)
from tests.shared.protocol.documents import protocol_with

CMD03 = load_protocol()
INFUSED_AT = datetime(2024, 2, 29, 3, 0, tzinfo=UTC)

ZONES = st.sampled_from(["Asia/Bangkok", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])


def test_years_are_those_of_the_calendar_clipped_to_the_end_of_february() -> None:
    years = {each.year: each for each in long_term_calendar(CMD03, INFUSED_AT)}
    assert list(years) == list(range(2, 16))
    assert (years[2].nominal, years[4].nominal, years[15].nominal) == (
        date(2026, 2, 28),
        date(2028, 2, 29),
        date(2039, 2, 28),
    )
    assert (years[2].opens, years[2].closes) == (date(2025, 12, 30), date(2026, 4, 29))
    assert [years[year].contact for year in (2, 5, 6, 15)] == [
        Contact.EXAMINATION,
        Contact.EXAMINATION,
        Contact.QUESTIONNAIRE,
        Contact.QUESTIONNAIRE,
    ]


def test_a_protocol_may_have_it_off_or_not_know_it() -> None:
    assert long_term_calendar(protocol_with(long_term_follow_up__active__value=False), INFUSED_AT) == ()
    assert long_term_calendar(load_protocol(PACKAGED.with_name("cdisc_pilot.yaml")), INFUSED_AT) == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"long_term_follow_up__first_year__value": 6}, "follow each other"),
        ({"long_term_follow_up__examined_until_year__value": 16}, "follow each other"),
        ({"long_term_follow_up__window__value": {"minus": 182, "plus": 183}}, "the windows of two years overlap"),
        ({"long_term_follow_up__first_year__value": 1}, "begins before that of M12 ends"),
    ],
)
def test_years_and_windows_are_in_order(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ProtocolUnusable, match=why):
        protocol_with(**changes)


@pytest.mark.parametrize(("day", "sdtm"), [(-2, -2), (-1, -1), (0, 1), (1, 2), (7, 8)])
def test_sdtm_knows_no_day_0(day: int, sdtm: int) -> None:
    assert sdtm_study_day(day) == sdtm


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (5, Status.UPCOMING),
        (6, Status.OPEN),
        (7, Status.DUE),
        (8, Status.DUE),
        (9, Status.MISSED),
    ],
)
def test_a_window_stands_by_its_days_both_included(today: int, status: Status) -> None:
    dates = visit_dates(CMD03, CMD03.visit("D7"), INFUSED_AT)
    assert standing(dates, date(2024, 2, 29) + timedelta(today)) is status


def test_an_infusion_late_in_the_evening_is_another_day_elsewhere() -> None:
    evening = datetime(2026, 3, 9, 18, 0, tzinfo=UTC)
    bangkok, berlin = CMD03.in_zone("Asia/Bangkok"), CMD03.in_zone("Europe/Berlin")
    assert (local_date(bangkok, evening), local_date(berlin, evening)) == (date(2026, 3, 10), date(2026, 3, 9))
    assert calendar(bangkok, evening)[2].nominal - calendar(berlin, evening)[2].nominal == timedelta(days=1)
    assert CMD03.schedule.time_zone.value == "Asia/Bangkok"


@given(ZONES, st.integers(0, 15 * 365 * 24))
def test_windows_are_whole_days_whatever_the_clocks_do(zone: str, hour: int) -> None:
    infused_at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    there = CMD03.in_zone(zone)
    day_0 = infused_at.astimezone(ZoneInfo(zone)).date()
    for dates in calendar(there, infused_at):
        assert (dates.nominal - day_0).days == dates.visit.day == study_day(there, dates.nominal, infused_at)
        assert (dates.closes - dates.opens).days == dates.visit.last_day - dates.visit.first_day
    years = long_term_calendar(there, infused_at)
    assert all(year.nominal.month == day_0.month and year.nominal.year == day_0.year + year.year for year in years)
    assert all(earlier.closes < later.opens for earlier, later in pairwise(years))
    assert calendar(there, infused_at)[-1].closes < years[0].opens
