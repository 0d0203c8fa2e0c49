"""Data on record that consent did not cover on their day."""

from datetime import date, datetime
from uuid import UUID

from services.projector.domain.uncovered_data import Kept, Uncovered, uncovered_data
from shared.consent.record import Withdrawal
from shared.contracts.enrollment_terms import ConsentGap, ConsentScope
from tests.services.projector.domain.test_consent_gaps import ASSENT, GUARDIAN, child

SAMPLES, FOLLOW_UP = ConsentScope.SAMPLES, ConsentScope.FOLLOW_UP
WHO = child(GUARDIAN, ASSENT, withdrawals=[Withdrawal(SAMPLES, date(2026, 5, 20))])
COVERED = {WHO.participant_id: WHO.covered}


def tube(at: str, what: str = "specimen") -> Kept:
    return Kept(WHO.participant_id, what, SAMPLES, datetime.fromisoformat(at))


def test_only_what_was_collected_after_the_day_of_the_withdrawal_is_told_and_each_kind_once_a_day() -> None:
    last, first = tube("2026-05-20T16:59:59+00:00"), tube("2026-05-20T17:00:00+00:00")  # midnight in Bangkok
    again, other = tube("2026-05-21T09:00:00+07:00"), tube("2026-05-21T09:00:00+07:00", "flow result")
    gaps = (ConsentGap.SAMPLES_WITHDRAWN,)
    assert uncovered_data([other, last, first, again], COVERED) == [
        Uncovered(WHO.participant_id, date(2026, 5, 21), "flow result", gaps),
        Uncovered(WHO.participant_id, date(2026, 5, 21), "specimen", gaps),
    ]


def test_another_part_of_the_trial_is_not_concerned_and_a_month_may_mean_a_covered_day() -> None:
    assert uncovered_data([Kept(WHO.participant_id, "tumour assessment", FOLLOW_UP, "2026-05-25")], COVERED) == []
    assert uncovered_data([Kept(WHO.participant_id, "specimen", SAMPLES, "2026-05")], COVERED) == []
    [line] = uncovered_data([Kept(WHO.participant_id, "specimen", SAMPLES, "2026-06")], COVERED)
    assert line.on == date(2026, 6, 1)


def test_of_whom_nothing_was_heard_nothing_is_said() -> None:
    assert uncovered_data([Kept(UUID(int=9), "specimen", SAMPLES, "2026-06")], COVERED) == []
