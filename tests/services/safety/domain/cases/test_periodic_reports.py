"""Reports that recur: from when each period runs, what ends it, what time brings about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain.cases.case import CaseDatesContradict, ReasonMissing
from services.safety.domain.cases.periodic_record import Periods
from services.safety.domain.cases.periodic_reports import (
    DECIDER,
    BeginPeriodicReporting,
    Facts,
    NoPeriodicReportDue,
    NoSuchPeriodicReport,
    PeriodicReportCommand,
    RecordPeriodicReport,
    ReviewPeriodicReports,
    decide,
)
from shared.contracts.safety_periodic_reports import PeriodicReportEvent
from shared.kernel.events import decode
from tests.services.safety.builders import BANGKOK, PROTOCOL

LISTING, DSUR = "ethics-ordinary", "dsur"


def at(text: str) -> datetime:
    """An instant of Bangkok."""
    return datetime.fromisoformat(text).replace(tzinfo=BANGKOK)


@dataclass
class Trial:
    """What has happened so far. `now` stands still until the test moves it."""

    now: datetime = field(default_factory=lambda: at("2025-01-14T12:00"))
    happened: list[PeriodicReportEvent] = field(default_factory=list)

    def on(self, text: str) -> "Trial":
        self.now = at(text)
        return self

    def begun(self, clock: str, counts_from: str = "2025-01-14", **given: Any) -> list[str]:
        return self.does(BeginPeriodicReporting.model_validate({"counts_from": counts_from, **given}), clock)

    def sent(self, clock: str, sent_at: str | None = None, **given: Any) -> list[str]:
        instant = self.now if sent_at is None else at(sent_at)
        return self.does(RecordPeriodicReport.model_validate({"sent_at": instant, **given}), clock)

    def reviewed(self) -> list[str]:
        return self.does(ReviewPeriodicReports())

    def does(self, command: PeriodicReportCommand, clock: str | None = None) -> list[str]:
        decided = decide(command, self.periods, Facts(self.now, BANGKOK, PROTOCOL, clock))
        self.happened += decided
        return kinds(decided)

    @property
    def periods(self) -> Periods:
        # Through the storage format and back, so that nothing is tested that cannot be stored.
        return DECIDER.fold([decode(e.event_type, e.schema_version, e.to_json()) for e in self.happened])  # type: ignore[misc]

    def waits(self, clock: str) -> list[tuple[str, str]]:
        """Since and until when each period waits, in Bangkok."""
        running = [each.started for each in self.periods.of(clock) if each.runs]
        return [(local(each.since), local(each.due_at)) for each in running]


def local(instant: datetime) -> str:
    return instant.astimezone(BANGKOK).isoformat()[:19]


def kinds(events: Sequence[PeriodicReportEvent]) -> list[str]:
    return [f"{each.event_type.removeprefix('safety.periodic-')} {each.clock}" for each in events]


def test_nothing_runs_before_somebody_says_from_when() -> None:
    assert Trial().on("2027-01-14T12:00").reviewed() == []


def test_the_duties_that_recur_are_those_of_the_protocols_table() -> None:
    assert [each.id for each in Facts(at("2025-01-14T12:00"), BANGKOK, PROTOCOL).duties] == [LISTING, DSUR]


def test_a_line_listing_is_due_six_months_after_the_day_its_period_begins() -> None:
    trial = Trial()
    assert trial.begun(LISTING) == ["reporting-begun ethics-ordinary", "clock-started ethics-ordinary"]
    assert trial.waits(LISTING) == [("2025-01-14T00:00:00", "2025-07-14T23:59:59")]


def test_the_next_listing_runs_from_when_the_one_before_was_sent() -> None:
    trial = Trial()
    trial.begun(LISTING)
    trial.on("2025-06-30T09:00")
    assert trial.sent(LISTING) == ["clock-met ethics-ordinary", "clock-started ethics-ordinary"]
    assert trial.waits(LISTING) == [("2025-06-30T09:00:00", "2025-12-30T23:59:59")]


def test_each_anniversary_of_the_birth_date_is_a_data_lock_point_and_starts_sixty_days() -> None:
    trial = Trial()
    trial.begun(DSUR, "2024-02-29")
    assert trial.waits(DSUR) == []
    trial.on("2025-02-28T00:00").reviewed()
    assert trial.waits(DSUR) == [("2025-02-28T00:00:00", "2025-04-29T23:59:59")]
    trial.on("2026-02-28T00:00").reviewed()
    assert [since for since, _ in trial.waits(DSUR)] == ["2025-02-28T00:00:00", "2026-02-28T00:00:00"]


def test_a_lock_point_lies_not_before_its_day_has_begun_in_the_trials_zone() -> None:
    trial = Trial()
    trial.begun(DSUR, "2024-02-14")
    assert trial.on("2025-02-13T23:59:59").reviewed() == []
    assert trial.on("2025-02-14T00:00").reviewed() == ["clock-started dsur"]


def test_time_brings_due_soon_escalation_and_a_miss_each_once_in_order() -> None:
    trial = Trial()
    trial.begun(LISTING)
    assert trial.on("2025-07-12T23:59:58").reviewed() == []
    assert trial.on("2025-07-12T23:59:59").reviewed() == ["clock-due-soon ethics-ordinary"]
    assert trial.on("2025-07-13T23:59:59").reviewed() == ["clock-escalated ethics-ordinary"]
    assert trial.on("2025-07-14T23:59:59").reviewed() == ["clock-escalated ethics-ordinary"]
    assert trial.on("2025-07-15T00:00").reviewed() == ["clock-missed ethics-ordinary"]
    assert trial.on("2025-07-15T23:59:59").reviewed() == ["clock-escalated ethics-ordinary"]
    assert trial.on("2026-07-15T23:59:59").reviewed() == []


def test_a_start_that_is_recorded_late_is_missed_at_once() -> None:
    trial = Trial().on("2025-08-01T12:00")
    assert [each.partition(" ")[0] for each in trial.begun(LISTING)] == [
        "reporting-begun",
        "clock-started",
        "clock-due-soon",
        "clock-escalated",
        "clock-missed",
        "clock-escalated",
        "clock-escalated",
    ]


@pytest.mark.parametrize(("sent_at", "late"), [("2025-07-14T23:59:59", False), ("2025-07-15T00:00:00", True)])
def test_what_was_sent_in_time_is_in_time_however_late_it_is_recorded(sent_at: str, late: bool) -> None:
    trial = Trial()
    trial.begun(LISTING)
    trial.on("2025-09-01T12:00").sent(LISTING, sent_at, reference_number="IRB-7/25")
    (met,) = trial.periods.sent(LISTING)
    assert (met.late, met.reference_number) == (late, "IRB-7/25")


def test_a_report_ends_the_oldest_period_that_waits() -> None:
    trial = Trial()
    trial.begun(DSUR, "2023-02-14")
    trial.on("2025-02-20T12:00").reviewed()
    assert len(trial.waits(DSUR)) == 2
    trial.sent(DSUR)
    assert trial.waits(DSUR) == [("2025-02-14T00:00:00", "2025-04-15T23:59:59")]


def test_the_same_report_twice_decides_to_nothing_and_so_does_the_same_start() -> None:
    trial = Trial()
    trial.begun(LISTING)
    assert trial.begun(LISTING) == []
    trial.on("2025-06-30T09:00").sent(LISTING)
    assert trial.sent(LISTING) == []
    assert trial.reviewed() == []


def test_another_day_comes_with_a_reason_and_stops_the_clock_that_ran() -> None:
    trial = Trial()
    trial.begun(LISTING)
    with pytest.raises(ReasonMissing):
        trial.begun(LISTING, "2025-01-10")
    assert [each.partition(" ")[0] for each in trial.begun(LISTING, "2025-01-10", reason="Read off the approval")] == [
        "reporting-begun",
        "clock-stopped",
        "clock-started",
    ]
    assert trial.waits(LISTING) == [("2025-01-10T00:00:00", "2025-07-10T23:59:59")]
    assert [each.started.number for each in trial.periods.of(LISTING)] == [1, 2]


def test_nothing_is_recorded_of_a_duty_that_is_none_or_does_not_recur() -> None:
    for clock in ("nothing", "investigator-to-sponsor"):
        with pytest.raises(NoSuchPeriodicReport):
            Trial().begun(clock)
        with pytest.raises(NoSuchPeriodicReport):
            Trial().sent(clock)


def test_a_report_needs_a_period_that_waits_and_was_sent_after_it_and_not_in_the_future() -> None:
    trial = Trial()
    with pytest.raises(NoPeriodicReportDue):
        trial.sent(LISTING)
    with pytest.raises(CaseDatesContradict):
        trial.begun(LISTING, "2025-01-15")
    trial.begun(LISTING)
    for sent_at in ("2025-01-14T00:00:00", "2025-01-14T12:06:00"):
        with pytest.raises(CaseDatesContradict):
            trial.sent(LISTING, sent_at)


@given(days=st.lists(st.integers(1, 90), max_size=12))
def test_however_often_it_is_looked_at_the_record_is_the_same(days: list[int]) -> None:
    often, once = Trial(), Trial()
    for trial in (often, once):
        trial.begun(LISTING)
        trial.begun(DSUR, "2024-06-01")
    for count in days:
        often.now += timedelta(days=count)
        once.now += timedelta(days=count)
        often.reviewed()
        assert often.reviewed() == []
    once.reviewed()
    clocks = [{each.started.clock_id: each for each in trial.periods.clocks} for trial in (often, once)]
    assert clocks[0] == clocks[1]
