"""Who is followed, and until when."""

from datetime import date

import pytest

from services.projector.domain.cohort import Infused, first_new_therapy, follow_up_ended_on
from shared.contracts.enrollment_terms import ParticipantStatus as Status
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at


@pytest.mark.parametrize(
    ("endings", "until"),
    [
        ({}, None),
        ({Status.OFF_TREATMENT: "2026-02-01"}, None),  # follow-up goes on
        ({Status.DIED: "2026-02-20"}, date(2026, 2, 20)),
        ({Status.LOST_TO_FOLLOW_UP: "2026-02-01", Status.DIED: "2026-03-01"}, date(2026, 2, 1)),
        ({Status.COMPLETED: None, Status.WITHDRAWN: "2026-02"}, date(2026, 2, 1)),  # certain up to the first
    ],
)
def test_follow_up_ends_with_the_first_ending_that_stands(endings: dict[Status, str | None], until: date) -> None:
    assert follow_up_ended_on(endings) == until


@pytest.mark.parametrize(
    ("started_on", "first"),
    [
        ([], None),
        (["2026-03-01", "2026-02-01"], "2026-02-01"),
        (["2026-01-04"], None),  # before the infusion: no new one
        (["2026-01-05"], "2026-01-05"),
        (["2026-01"], "2026-01"),  # some day of January, after the infusion where it may be
        (["2025"], None),
        (["2026-01-20", "2026-01"], "2026-01"),  # its first day is not before the infusion
        (["2026-02", "2026-02-01"], "2026-02"),
    ],
)
def test_the_first_new_therapy_is_the_first_that_began_after_the_infusion(
    started_on: list[str], first: str | None
) -> None:
    assert first_new_therapy(date(2026, 1, 5), started_on) == first


@pytest.mark.parametrize(
    ("until", "last_day"),
    [(None, 16), (date(2026, 1, 20), 15), (date(2026, 3, 1), 16)],  # an end that lies ahead does not lengthen it
)
def test_a_participant_is_followed_up_to_today_or_to_the_end(until: date | None, last_day: int) -> None:
    # 01:00 in Bangkok on the 5th is still the 4th in UTC: days are the trial's.
    infused = Infused(named("a"), "CU-001", "CU", at(1, 5, hour=1), at(1, 5, hour=1), until)
    assert infused.last_day(PROTOCOL, date(2026, 1, 21)) == last_day
    assert infused.infused_on(PROTOCOL) == date(2026, 1, 5)
