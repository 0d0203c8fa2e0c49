"""Dates that cannot be: only what is certainly wrong is refused. Now is 16 March 2026, 10:00, in Bangkok."""

from datetime import UTC, datetime, timedelta

import pytest

from services.safety.domain.adverse_event import DECIDER
from services.safety.domain.chronology import DatesContradict, certainly_before
from services.safety.domain.follow_up import ReassessSeriousness, RegradeAdverseEvent, ResolveAdverseEvent
from shared.contracts.safety import Outcome
from tests.services.safety.builders import AWARE, BANGKOK, HOSPITALISED, NOW, a_report, facts, reported
from tests.specs import Spec

given = Spec(DECIDER).given


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [
        ("2026-03-14", "2026-03-15", True),
        ("2026-03-15", "2026-03-15", False),
        ("2026-03", "2026-03-15", False),
        ("2026-02", "2026-03-01", True),
        ("2026-02-28", "2026-03", True),
        ("2025", "2026", True),
        ("2026", "2026-12-31", False),
        ("2025-12-31", "2026", True),
    ],
)
def test_a_partial_date_is_before_another_only_if_every_day_of_it_is(one: str, other: str, before: bool) -> None:
    assert certainly_before(one, other) is before


@pytest.mark.parametrize("onset", ["2026-03-16", "2026-03", "2026", "1999"])
def test_an_onset_that_can_be_past_is_accepted(onset: str) -> None:
    given().when(a_report(onset=onset), facts()).then(reported(onset=onset))


@pytest.mark.parametrize("onset", ["2026-03-17", "2026-04", "2027"])
def test_an_onset_in_the_future_is_refused(onset: str) -> None:
    given().when(a_report(onset=onset), facts()).then_rejected(DatesContradict, "onset lies in the future")


def test_today_is_the_sites_day() -> None:
    # 18:00 UTC on the 15th is 01:00 on the 16th in Bangkok.
    night = datetime(2026, 3, 15, 18, 0, tzinfo=UTC)
    assert given().when(a_report(onset="2026-03-16", became_aware_at=night), facts(night)).decide()


@pytest.mark.parametrize(
    ("onset", "ended_on", "accepted"),
    [
        ("2026-03-15", "2026-03-15", True),
        ("2026-03-15", "2026-03-14", False),
        ("2026-03-15", "2026-03", True),
        ("2026-03-15", "2026-02", False),
        ("2026-03", "2026-03-01", True),
        ("2026", "2026-01-01", True),
        ("2026", "2025", False),
        ("2026-03-15", "2026-03-17", False),  # in the future
        ("2026-03-15", "2026", True),
    ],
)
def test_an_end_is_refused_if_it_is_certainly_before_the_onset_or_in_the_future(
    onset: str, ended_on: str, accepted: bool
) -> None:
    report = a_report(onset=onset, ended_on=ended_on)
    if accepted:
        given().when(report, facts()).then(reported(onset=onset, ended_on=ended_on))
    else:
        given().when(report, facts()).then_rejected(DatesContradict, "the end lies")


@pytest.mark.parametrize(
    ("aware", "why"),
    [
        (NOW + timedelta(minutes=5), None),
        (NOW + timedelta(minutes=6), "future"),
        (datetime(2026, 3, 15, 0, 0, tzinfo=BANGKOK), None),
        (datetime(2026, 3, 14, 23, 59, tzinfo=BANGKOK), "before the onset"),
    ],
)
def test_awareness_lies_between_the_onset_and_now(aware: datetime, why: str | None) -> None:
    report = a_report(became_aware_at=aware)
    if why is None:
        given().when(report, facts()).then(reported(became_aware_at=aware))
    else:
        given().when(report, facts()).then_rejected(DatesContradict, why)


def test_awareness_of_an_upgrade_is_held_to_the_same() -> None:
    tomorrow = ReassessSeriousness(seriousness=HOSPITALISED, became_aware_at=AWARE + timedelta(days=1))
    given(reported()).when(tomorrow, facts()).then_rejected(DatesContradict, "future")


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("2026-03-16", None),
        ("2026-03", None),
        ("2026-03-14", "before the onset"),
        ("2026-03-17", "future"),
    ],
)
def test_a_grade_lies_between_the_onset_and_now(since: str, why: str | None) -> None:
    regrade = RegradeAdverseEvent(grade=3, since=since)
    if why is None:
        assert given(reported()).when(regrade, facts()).decide()
    else:
        given(reported()).when(regrade, facts()).then_rejected(DatesContradict, why)


def test_grades_are_recorded_in_order_of_time() -> None:
    history = (
        given(reported(onset="2026-03-10")).when(RegradeAdverseEvent(grade=3, since="2026-03-14"), facts()).decide()
    )
    earlier = RegradeAdverseEvent(grade=1, since="2026-03-12")
    given(reported(onset="2026-03-10"), *history).when(earlier, facts()).then_rejected(DatesContradict, "order of time")


def test_no_grade_begins_after_the_end() -> None:
    ended = reported(ended_on="2026-03-15", outcome=Outcome.RECOVERED)
    late = RegradeAdverseEvent(grade=1, since="2026-03-16")
    given(ended).when(late, facts()).then_rejected(DatesContradict, "after the end")
    history = given(reported()).when(RegradeAdverseEvent(grade=1, since="2026-03-16"), facts()).decide()
    too_early = ResolveAdverseEvent(ended_on="2026-03-15", outcome=Outcome.RECOVERED)
    given(reported(), *history).when(too_early, facts()).then_rejected(DatesContradict, "after the end")


def test_every_contradiction_is_named_at_once() -> None:
    report = a_report(onset="2026-03-15", ended_on="2026-03-14", became_aware_at=NOW + timedelta(days=1))
    given().when(report, facts()).then_rejected(DatesContradict, "future; the end lies before the onset")
