"""Which duties to tell are running, overdue, or in somebody's hands."""

from datetime import timedelta
from typing import Any

import pytest

from services.projector.domain.worklist import ClockState, DutyState, Show, Worklist, clock_state, duty_state, worklist
from services.projector.exports import sheets
from tests.services.projector.chronicle import named
from tests.services.projector.small_trial import NOW

HOUR = timedelta(hours=1)


def alert(number: int, *, due_in: timedelta | None = HOUR, **changed: Any) -> dict[str, Any]:
    due = [] if due_in is None else [{"clock": "c", "to": "sponsor", "due_at": (NOW + due_in).isoformat()}]
    told = {
        "alert_id": f"{named(str(number))}-1",
        "adverse_event_id": named(str(number)),
        "participant_id": named("child"),
        "subject_number": "CU-001",
        "site_id": "CU",
        "number": 1,
        "because": "reported-serious",
        "seriousness": ["hospitalisation"],
        "grade": 3,
        "term": "Fever",
        "onset": "2026-04-19",
        "outcome": "unknown",
        "ended_on": None,
        "retracted": False,
        "became_aware_at": NOW,
        "raised_at": NOW,
        "notices": due,
        "delivered_at": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "note": None,
    }
    return {**told, **changed}


def numbers(found: Worklist, *alerts: dict[str, Any]) -> list[int]:
    places = {each["alert_id"]: place for place, each in enumerate(alerts, start=1)}
    return [places[item.alert_id] for item in found.items]


@pytest.mark.parametrize(
    ("due_in", "acknowledged_after", "state"),
    [
        (HOUR, None, DutyState.RUNNING),
        (0 * HOUR, None, DutyState.RUNNING),  # the instant itself is in time
        (-timedelta(microseconds=1), None, DutyState.OVERDUE),
        (-HOUR, -HOUR, DutyState.IN_HAND),
        (-HOUR, 0 * HOUR, DutyState.IN_HAND_LATE),
        (HOUR, 0 * HOUR, DutyState.IN_HAND),
    ],
)
def test_a_duty_is_overdue_when_its_instant_has_passed_and_nobody_has_it_in_hand(
    due_in: timedelta, acknowledged_after: timedelta | None, state: DutyState
) -> None:
    acknowledged = None if acknowledged_after is None else NOW + acknowledged_after
    assert duty_state(NOW + due_in, acknowledged, NOW) is state


def test_the_most_urgent_comes_first_and_what_is_in_hand_last() -> None:
    alerts = (
        alert(1, due_in=None),
        alert(2, due_in=2 * HOUR),
        alert(3, due_in=-HOUR),
        alert(4, due_in=-2 * HOUR, acknowledged_at=NOW, acknowledged_by="so"),
    )
    found = worklist(alerts, {}, Show.ALL, now=NOW)
    assert numbers(found, *alerts) == [3, 2, 1, 4]
    assert [item.overdue for item in found.items] == [True, False, False, False]


ENDED: dict[str, Any] = {"outcome": "recovered", "ended_on": "2026-04-20"}
IN_HAND: dict[str, Any] = {"acknowledged_at": NOW, "acknowledged_by": "so"}


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, {Show.ALL, Show.UNRESOLVED, Show.OPEN}),
        (ENDED, {Show.ALL, Show.UNRESOLVED, Show.OPEN}),  # over, and nobody took it in hand
        (IN_HAND, {Show.ALL, Show.UNRESOLVED}),  # in hand, and going on
        (IN_HAND | ENDED, {Show.ALL}),
        (IN_HAND | {"retracted": True}, {Show.ALL}),
        (IN_HAND | {"outcome": "recovered"}, {Show.ALL, Show.UNRESOLVED}),
        (IN_HAND | {"term": None, "outcome": None, "retracted": None}, {Show.ALL, Show.UNRESOLVED}),  # not arrived yet
    ],
)
def test_an_alert_is_shown_until_it_is_in_hand_and_its_event_has_ended(
    changed: dict[str, Any], shown: set[Show]
) -> None:
    assert {show for show in Show if worklist([alert(1, **changed)], {}, show, now=NOW).items} == shown


def test_each_site_is_told_what_waits_there() -> None:
    alerts = [alert(1, site_id="SI"), alert(2, due_in=-HOUR), alert(3, **IN_HAND)]
    assert [each.model_dump() for each in worklist(alerts, {}, Show.ALL, now=NOW).sites] == [
        {"site_id": "CU", "listed": 2, "open": 1, "overdue": 1},
        {"site_id": "SI", "listed": 1, "open": 1, "overdue": 0},
    ]


def test_the_first_of_several_duties_decides_what_is_next() -> None:
    due = [
        {"clock": name, "to": "sponsor", "due_at": (NOW + hours * HOUR).isoformat()}
        for name, hours in (("a", 5), ("b", 2))
    ]
    (item,) = worklist([alert(1, notices=due)], {}, Show.ALL, now=NOW).items
    assert item.next_due_at == NOW + 2 * HOUR
    assert [duty.clock for duty in item.duties] == ["b", "a"]


def clock(number: int, *, due_in: timedelta = HOUR, **changed: Any) -> dict[str, Any]:
    begun = {
        "clock_id": f"{named('1')}-clock-{number}",
        "clock": f"clock-{number}",
        "to": "sponsor",
        "cause": "alert",
        "reference": f"{named('1')}-1",
        "since": NOW - HOUR,
        "due_at": NOW + due_in,
        "due_soon": False,
        "escalation_level": 0,
        "missed": False,
        "met_at": None,
        "late": None,
        "report_number": None,
        "stopped_because": None,
    }
    return {**begun, **changed}


def of_case(*clocks: dict[str, Any], **changed: Any) -> dict[Any, Any]:
    return {named("1"): {"susar": None, "assessed_at": None, "clocks": clocks, "reports": [], **changed}}


MET: dict[str, Any] = {"met_at": NOW, "late": False, "report_number": 1}


@pytest.mark.parametrize(
    ("due_in", "changed", "state"),
    [
        (HOUR, {}, ClockState.RUNNING),
        (HOUR, {"due_soon": True}, ClockState.DUE_SOON),
        (0 * HOUR, {"due_soon": True}, ClockState.DUE_SOON),  # the instant itself is in time
        (-timedelta(microseconds=1), {}, ClockState.MISSED),  # before the clocks have said so
        (-HOUR, {"missed": True}, ClockState.MISSED),
        (-HOUR, {"missed": True, **MET}, ClockState.MET),  # in time, and recorded late
        (-HOUR, {**MET, "late": True}, ClockState.MET_LATE),
        (HOUR, {"stopped_because": "retracted"}, ClockState.STOPPED),
    ],
)
def test_a_clock_stands_as_its_events_and_the_time_say(
    due_in: timedelta, changed: dict[str, Any], state: ClockState
) -> None:
    assert clock_state(clock(1, due_in=due_in, **changed), NOW) is state


def test_an_alert_bears_its_own_clocks_and_the_last_one_those_that_no_alert_started() -> None:
    alerts = [alert(1), {**alert(1), "alert_id": f"{named('1')}-2", "number": 2}]
    clocks = (
        clock(1),
        clock(2, reference=f"{named('1')}-2"),
        clock(3, cause="susar", reference="1"),
        clock(4, cause="report", reference="1", due_in=-HOUR),
    )
    found = worklist(alerts, of_case(*clocks), Show.ALL, now=NOW)
    shown = {item.number: [each.clock for each in item.clocks] for item in found.items}
    assert shown == {1: ["clock-1"], 2: ["clock-4", "clock-2", "clock-3"]}


@pytest.mark.parametrize(
    ("clocks", "overdue", "next_due_in"),
    [
        ((clock(1, due_in=-HOUR),), True, -HOUR),
        ((clock(1, due_in=-HOUR, **MET), clock(2, due_in=3 * HOUR)), False, 3 * HOUR),
        ((clock(1, **MET),), False, None),
    ],
)
def test_what_is_due_is_what_no_report_has_done_whoever_has_the_alert_in_hand(
    clocks: Any, overdue: bool, next_due_in: timedelta | None
) -> None:
    (item,) = worklist([alert(1, **IN_HAND)], of_case(*clocks), Show.ALL, now=NOW).items
    assert item.overdue is overdue
    assert item.next_due_at == (None if next_due_in is None else NOW + next_due_in)


def test_an_event_that_has_ended_and_is_in_hand_is_listed_until_its_clocks_are_done() -> None:
    ended = alert(1, **IN_HAND, **ENDED)
    assert worklist([ended], of_case(clock(1)), Show.UNRESOLVED, now=NOW).items
    assert not worklist([ended], of_case(clock(1)), Show.OPEN, now=NOW).items
    assert not worklist([ended], of_case(clock(1, **MET)), Show.UNRESOLVED, now=NOW).items


def test_a_sheet_says_of_each_clock_how_it_stands_and_which_report_did_it() -> None:
    reports = [{"number": 1, "kind": "initial", "recipient": "sponsor", "sent_at": NOW, "answered": None}]
    case = of_case(clock(1, **MET), clock(2), reports=reports, susar="other")
    sheet = sheets.sae_worklist(worklist([alert(1)], case, Show.ALL, now=NOW))
    (line,) = (dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows)
    due = (NOW + HOUR).isoformat()
    assert line["clocks"] == [
        f"clock-1 by {due} (met, report 1 at {NOW.isoformat()})",
        f"clock-2 by {due} (running)",
    ]
    assert (line["reports"], line["susar"]) == (["1 initial to sponsor"], "other")
