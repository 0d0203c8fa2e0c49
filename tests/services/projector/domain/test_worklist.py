"""Which duties to tell are running, overdue, or in somebody's hands."""

from datetime import timedelta
from typing import Any

import pytest

from services.projector.domain.worklist import DutyState, Show, Worklist, duty_state, worklist
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
    found = worklist(alerts, Show.ALL, now=NOW)
    assert numbers(found, *alerts) == [3, 2, 1, 4]
    assert [item.overdue for item in found.items] == [True, False, False, False]


ENDED = {"outcome": "recovered", "ended_on": "2026-04-20"}
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
    assert {show for show in Show if worklist([alert(1, **changed)], show, now=NOW).items} == shown


def test_each_site_is_told_what_waits_there() -> None:
    alerts = [alert(1, site_id="SI"), alert(2, due_in=-HOUR), alert(3, **IN_HAND)]
    assert [each.model_dump() for each in worklist(alerts, Show.ALL, now=NOW).sites] == [
        {"site_id": "CU", "listed": 2, "open": 1, "overdue": 1},
        {"site_id": "SI", "listed": 1, "open": 1, "overdue": 0},
    ]


def test_the_first_of_several_duties_decides_what_is_next() -> None:
    due = [
        {"clock": name, "to": "sponsor", "due_at": (NOW + hours * HOUR).isoformat()}
        for name, hours in (("a", 5), ("b", 2))
    ]
    (item,) = worklist([alert(1, notices=due)], Show.ALL, now=NOW).items
    assert item.next_due_at == NOW + 2 * HOUR
    assert [duty.clock for duty in item.duties] == ["b", "a"]
