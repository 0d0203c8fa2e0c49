"""What is open, and what closes it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.projector.domain.reconciliation import OpenKind, Records, SafetyReconciliation, reconciliation
from tests.services.projector.chronicle import named
from tests.services.projector.domain.test_dose_limiting_table import child, toxicity
from tests.services.projector.dose_limiting_story import GRADE_3, NOTHING, basis
from tests.services.projector.small_trial import at

CHILD, OTHER, EVENT = named("CU-001"), named("CU-002"), named("event")
NOW = at(3, 10)
DUE = at(3, 11)


def an_event(**changed: Any) -> dict[str, Any]:
    told = {"adverse_event_id": EVENT, "participant_id": CHILD, "term": "Sepsis", "became_aware_at": at(3, 9)}
    return {**told, "serious": True, "retracted": False, **changed}


def a_report(number: int = 1, kind: str = "initial", recipient: str = "sponsor", answered: str | None = None) -> Any:
    told = {"number": number, "kind": kind, "recipient": recipient, "answered": answered}
    return {**told, "answered_at": None if answered is None else at(3, 12)}


def a_clock(**changed: Any) -> dict[str, Any]:
    told = {
        "clock_id": f"{EVENT}-clock-1",
        "participant_id": CHILD,
        "clock": "investigator-to-sponsor",
        "to": "sponsor",
    }
    stands = {"since": at(3, 9), "due_at": DUE, "missed": False, "met_at": None, "stopped_because": None}
    return {**told, **stands, **changed}


def an_alert(**changed: Any) -> dict[str, Any]:
    told = {"alert_id": f"{EVENT}-1", "adverse_event_id": EVENT, "participant_id": CHILD, "term": "Sepsis"}
    return {**told, "raised_at": at(3, 9), "because": "reported-serious", "acknowledged_at": None, **changed}


def reconciled(now: Any = NOW, people: Any = None, **given: Any) -> SafetyReconciliation:
    """Of records that hold nothing but what is given."""
    case = {"clocks": given.pop("clocks", []), "reports": given.pop("reports", [])}
    nothing: dict[str, Any] = {
        "adverse_events": [],
        "cases": {EVENT: case},
        "alerts": [],
        "toxicities": [],
        "candidates": [],
        "quarantine": [],
        "periodic_clocks": [],
        "episodes": [],
    }
    known = {CHILD: ("CU-001", "CU"), OTHER: ("CU-002", "CU")} if people is None else people
    return reconciliation(Records(**{**nothing, **given}), known, now=now)


def kinds(found: SafetyReconciliation) -> list[OpenKind]:
    return [item.kind for who in found.participants for item in who.items]


MISSING, REJECTED, NULLIFICATION = (
    OpenKind.REPORT_MISSING,
    OpenKind.REPORT_REJECTED,
    OpenKind.NULLIFICATION_MISSING,
)


@pytest.mark.parametrize(
    ("event", "reports", "open_kinds"),
    [
        ({}, [], [MISSING]),
        ({"serious": False}, [], []),
        ({"retracted": True}, [], []),  # never reported, never to be
        ({}, [a_report()], []),
        ({"retracted": True}, [a_report()], [NULLIFICATION]),
        ({"retracted": True}, [a_report(), a_report(2, "nullification")], []),
        ({}, [a_report(answered="accepted")], []),
        ({}, [a_report(answered="rejected")], [REJECTED]),
        ({}, [a_report(2), a_report(answered="rejected")], []),  # sent again, not answered yet
        ({}, [a_report(answered="rejected"), a_report(2, recipient="thai-fda")], [REJECTED]),  # somebody else got it
    ],
)
def test_a_serious_event_is_reported_and_what_was_reported_is_taken_back(
    event: dict[str, Any], reports: Sequence[Any], open_kinds: list[OpenKind]
) -> None:
    assert kinds(reconciled(adverse_events=[an_event(**event)], reports=reports)) == open_kinds


def test_an_event_without_a_case_has_no_report() -> None:
    assert kinds(reconciled(adverse_events=[an_event()], cases={})) == [MISSING]


@pytest.mark.parametrize(
    ("now", "clock", "open_kinds"),
    [
        (DUE, {}, [OpenKind.CLOCK_RUNNING]),  # the instant itself is in time
        (DUE + timedelta(seconds=1), {}, [OpenKind.CLOCK_MISSED]),  # whether or not the worker has said so
        (DUE, {"missed": True}, [OpenKind.CLOCK_MISSED]),
        (DUE, {"missed": True, "met_at": NOW}, []),  # late, and done
        (DUE, {"met_at": NOW}, []),
        (DUE, {"stopped_because": "retracted"}, []),
    ],
)
def test_a_clock_is_open_until_its_duty_is_done_or_ceases(now: Any, clock: Any, open_kinds: list[OpenKind]) -> None:
    found = reconciled(now, clocks=[a_clock(**clock)])
    assert kinds(found) == open_kinds
    assert all(item.term is None for who in found.participants for item in who.items)  # its event has not arrived


def test_an_alert_is_open_until_somebody_has_it_in_hand() -> None:
    assert kinds(reconciled(alerts=[an_alert()])) == [OpenKind.ALERT_UNACKNOWLEDGED]
    assert kinds(reconciled(alerts=[an_alert(acknowledged_at=NOW)])) == []


@pytest.mark.parametrize(
    ("known", "open_kinds", "detail"),
    [
        ({}, [OpenKind.DLT_UNDECIDED], "organ-toxicity-grade-4"),
        ({"withdrawn": True, "basis": NOTHING}, [], None),
        ({"decision": "refuted"}, [], None),
        ({"decision": "confirmed", "basis": basis(GRADE_3, grade=3)}, [OpenKind.DLT_BASIS_CHANGED], GRADE_3),
        ({"decision": "confirmed", "basis": NOTHING}, [OpenKind.DLT_BASIS_CHANGED], "no rule holds now"),
    ],
)
def test_a_toxicity_is_open_until_it_is_decided_on_what_holds_now(
    known: dict[str, Any], open_kinds: list[OpenKind], detail: str | None
) -> None:
    found = reconciled(toxicities=[toxicity(child(1), **known)])
    assert kinds(found) == open_kinds
    assert [item.detail for who in found.participants for item in who.items] == [detail] * len(open_kinds)


UNDECIDED, CHANGED = OpenKind.CANDIDATE_UNDECIDED, OpenKind.CANDIDATE_CHANGED
TAKEN = {"decision": "accepted", "decided_grade": 2, "decided_at": NOW, "adverse_event_id": EVENT}
DISMISSED = {**TAKEN, "decision": "dismissed", "adverse_event_id": None}


@pytest.mark.parametrize(
    ("known", "open_kinds", "detail"),
    [
        ({}, [UNDECIDED], "worst grade 2"),
        ({"withdrawn": True}, [], None),
        (TAKEN, [], None),
        ({**TAKEN, "worst_grade": 3}, [CHANGED], "accepted, now worst grade 3"),
        ({**TAKEN, "worst_grade": 1}, [], None),
        ({**TAKEN, "withdrawn": True}, [CHANGED], "accepted, now withdrawn"),
        (DISMISSED, [], None),
        ({**DISMISSED, "worst_grade": 3}, [CHANGED], "dismissed, now worst grade 3"),
        ({**DISMISSED, "withdrawn": True}, [], None),
    ],
)
def test_a_candidate_is_open_until_it_is_decided_as_bad_as_it_is(
    known: dict[str, Any], open_kinds: list[OpenKind], detail: str | None
) -> None:
    told = {"candidate_id": named("candidate"), "participant_id": CHILD, "term": "Anemia", "worst_grade": 2}
    stands = {"withdrawn": False, "opened_at": at(3, 9), "decision": None, "adverse_event_id": None}
    found = reconciled(candidates=[{**told, **stands, **known}])
    assert kinds(found) == open_kinds
    assert [item.detail for who in found.participants for item in who.items] == [detail] * len(open_kinds)


def test_an_episode_whose_event_did_not_follow_is_open() -> None:
    told = {"episode_id": named("crs"), "adverse_event_id": EVENT, "participant_id": CHILD, "term": "Sepsis"}
    (who,) = reconciled(episodes=[{**told, "problem": "adverse-event-edited-by-hand"}]).participants
    (item,) = who.items
    assert (item.kind, item.detail) == (OpenKind.EVENT_NOT_FOLLOWED, "adverse-event-edited-by-hand")


def test_what_is_due_first_comes_first_and_then_the_rest_by_kind() -> None:
    later = a_clock(clock_id=f"{EVENT}-clock-2", due_at=at(3, 20))
    found = reconciled(adverse_events=[an_event()], alerts=[an_alert()], clocks=[later, a_clock()])
    (who,) = found.participants
    assert [(item.kind.value, item.about, item.term) for item in who.items] == [
        ("clock-running", f"{EVENT}-clock-1", "Sepsis"),
        ("clock-running", f"{EVENT}-clock-2", "Sepsis"),
        ("report-missing", str(EVENT), "Sepsis"),
        ("alert-unacknowledged", f"{EVENT}-1", "Sepsis"),
    ]
    counted = {each.kind.value: each.n for each in found.open}
    assert (counted["clock-running"], counted["report-missing"], counted["dlt-undecided"]) == (2, 1, 0)
    assert set(counted) == {kind.value for kind in OpenKind}


def test_participants_come_by_subject_number_and_those_not_arrived_yet_come_last() -> None:
    stranger = named("nobody knows")
    events = [an_event(participant_id=each) for each in (stranger, OTHER, CHILD)]
    found = reconciled(adverse_events=events)
    assert [(who.subject_number, who.site_id) for who in found.participants] == [
        ("CU-001", "CU"),
        ("CU-002", "CU"),
        (None, None),
    ]
    assert found.participants[2].participant_id == stranger


@pytest.mark.parametrize(
    ("due", "kind"), [(NOW, OpenKind.PERIODIC_REPORT_WAITING), (at(3, 9), OpenKind.PERIODIC_REPORT_MISSED)]
)
def test_a_periodic_report_is_missed_once_it_was_due(due: Any, kind: OpenKind) -> None:
    clock = {"clock_id": "dsur-1", "clock": "dsur", "to": "thai-fda", "since": at(3, 1), "due_at": due}
    found = reconciled(periodic_clocks=[clock])
    assert [(each.kind, each.clock_id) for each in found.periodic_reports] == [(kind, "dsur-1")]
    assert {each.kind: each.n for each in found.open}[kind] == 1


def test_a_row_that_nobody_could_read_is_open_without_a_word_of_it() -> None:
    row = {
        "quarantine_id": named("row"),
        "laboratory_id": "CU-LAB",
        "site_id": "CU",
        "problem": "unknown-test",
        "received_at": at(3, 9),
    }
    (found,) = reconciled(quarantine=[row]).quarantine
    assert (found.laboratory_id, found.problem, found.since) == ("CU-LAB", "unknown-test", at(3, 9))
