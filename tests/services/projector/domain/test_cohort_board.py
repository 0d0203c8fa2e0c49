"""The cohort board shows what enrollment would decide, of an escalation that enrollment's own rules have written."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.enrollment.domain.cohorts.commands import (
    EscalationCommand,
    PauseDosing,
    ReleaseSlot,
    RequestOverride,
    ResumeDosing,
    ReviewBasis,
)
from services.projector.domain.board_lines import (
    CohortBoard,
    LevelOnBoard,
    ParticipantOnBoard,
)
from services.projector.domain.cohort_board import (
    NO_PLAN,
    Known,
    Told,
    cohort_board,
    slot_holders,
)
from services.projector.domain.dose_limiting_table import Dosed, Proposed
from services.projector.domain.stopping_rules import FiredRule
from services.projector.exports.cohort_sheets import participants
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.contracts.safety_dose_limiting import ToxicityKind, ToxicitySource
from shared.kernel.actor import Role
from shared.kernel.errors import TrialError
from shared.protocol import Protocol, load_protocol
from tests.services.enrollment.domain.cohorts.story import BEGIN, DAY, WINDOW, Story, enforcing, somebody, who
from tests.services.projector.dose_limiting_story import GRADE_4, basis

DOSES = {"DL-1": 250000, "DL1": 500000, "DL2": 1000000, "DL3": 2000000}
BANGKOK = ZoneInfo("Asia/Bangkok")


def dosed(story: Story, number: int, **changed: Any) -> Dosed:
    """A participant as the read models have them: all of the dose of their level was given."""
    person = story.people[who(number)]
    level = story.state.level_of(person)
    told = {
        "participant_id": person.participant_id,
        "subject_number": f"CU-{number:03}",
        "site_id": person.site_id,
        "dose_level": person.dose_level,
        "zone": BANGKOK,
        "infused_from": person.started_at,
        "infused_to": person.started_at,
        "cells_per_kg": None if person.started_at is None else Decimal(DOSES[level or "DL1"]),
        "endings": {},
    }
    return Dosed(**{**told, **changed})


def toxicity(number: int, *, confirmed: bool = True) -> Proposed:
    return Proposed(
        dlt_id=who(100 + number),
        participant_id=who(number),
        source=ToxicitySource(kind=ToxicityKind.ADVERSE_EVENT, id=who(200)),
        adverse_event_id=who(200),
        term="Sepsis",
        basis=basis(GRADE_4),
        withdrawn=False,
        proposed_at=BEGIN,
        decision="confirmed" if confirmed else None,
        reason=None,
        decided_on=basis(GRADE_4) if confirmed else None,
        decided_at=None,
        decided_by=None,
    )


def known(story: Story, *, fired: Any = (), seen: Any = None, **people: Any) -> Known:
    told = [Told(event, "dr-mali", "investigator", BEGIN + place * DAY) for place, event in enumerate(story.history)]
    dosed_people = people.get("people") or [dosed(story, each.int) for each in story.people]
    everybody = frozenset(story.people) if seen is None else frozenset(map(who, seen))
    return Known(told, dosed_people, [toxicity(each.int) for each in sorted(story.dlt)], fired, everybody)


def board_of(story: Story, protocol: Protocol | None = None, **more: Any) -> CohortBoard:
    return cohort_board(protocol or enforcing(), known(story, **more), story.now)


def level(board: CohortBoard, name: str) -> LevelOnBoard:
    return next(each for each in board.levels if each.dose_level == name)


def slots(board: CohortBoard, name: str) -> tuple[int, int, int, int]:
    at = level(board, name)
    return at.slots, at.free, at.reserved, at.used


def line(board: CohortBoard, number: int) -> ParticipantOnBoard:
    return next(each for each in board.participants if each.participant_id == who(number))


def held(board: CohortBoard, number: int | None = None) -> list[str]:
    infusion = board.next_infusion if number is None else line(board, number).next_infusion
    assert infusion is not None
    return [each.bar.value for each in infusion.held_by]


def test_an_empty_trial_has_a_cohort_of_free_slots_and_a_next_infusion_now() -> None:
    board = board_of(Story())
    assert (board.design, board.enforced, board.open_level) == ("3+3", True, "DL1")
    assert [slots(board, name) for name in DOSES] == [(0, 0, 0, 0), (3, 3, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)]
    assert board.next_infusion is not None
    assert (board.next_infusion.permitted_from, board.next_infusion.held_by) == (BEGIN, ())
    assert (board.last_decision, board.participants, board.pauses) == (None, (), ())


def test_whoever_has_a_slot_is_told_when_the_stagger_ends() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.now += DAY
    story.reserve(2)
    board = board_of(story)
    assert slots(board, "DL1") == (3, 1, 1, 1)
    first, second = line(board, 1), line(board, 2)
    assert (first.place, first.cohort, first.status.value) == ("used", 1, "in-window")
    assert (first.window_ends, first.next_infusion) == (BEGIN + WINDOW, None)
    assert first.infusion is not None
    assert first.infusion.permission.value == "permitted"
    assert (second.place, second.cohort) == ("reserved", 1)
    assert second.next_infusion is not None
    assert second.next_infusion.permitted_from == BEGIN + 14 * DAY
    assert [(each.bar.value, each.until) for each in second.next_infusion.held_by] == [("stagger", BEGIN + 14 * DAY)]
    assert held(board) == ["stagger"]


def test_a_full_cohort_leaves_the_next_without_a_slot_and_needs_a_decision() -> None:
    story = Story()
    story.cohort(1, 2, 3)
    board = board_of(story)
    assert slots(board, "DL1") == (3, 0, 0, 3)
    assert held(board) == ["no-slot", "cohort-cap"]
    assert board.next_infusion is not None
    assert board.next_infusion.permitted_from is None
    assert board.design_says is not None
    assert (board.design_says.decision, board.design_says.next_level) == ("escalate", "DL2")


def test_the_last_decision_with_its_basis_and_whether_that_changed() -> None:
    story = Story()
    story.cohort(1, 2, 3)
    story.follow_the_design()
    decided = board_of(story).last_decision
    assert decided is not None
    assert (decided.number, decided.decision, decided.next_level, decided.slots) == (1, "escalate", "DL2", 3)
    assert (decided.parameters.design, decided.basis_size, decided.basis_changed_at) == ("3+3", 3, None)
    story.confirm_dlt(1, 2)
    story.tell(ReviewBasis())
    board = board_of(story, seen=[2])
    changed = board.last_decision
    assert changed is not None
    assert changed.basis_changed_at is not None
    assert [(each.participant_id, each.status) for each in changed.basis] == [(who(2), "evaluable-without-dlt")]
    assert changed.basis_now is not None
    assert [(each.participant_id, each.status) for each in changed.basis_now] == [(who(2), "dlt")]
    assert changed.says_now == board.design_says
    assert (level(board, "DL1").with_dlt, [each.participant_id for each in board.participants]) == (2, [who(2)])


def test_a_pause_holds_everybody_until_somebody_resumes() -> None:
    story = Story()
    story.tell(PauseDosing(reason="A fire in the pharmacy"))
    story.now += DAY
    board = board_of(story)
    assert (board.is_paused, held(board), slots(board, "DL1")) == (
        True,
        ["paused"],
        (3, 3, 0, 0),
    )
    story.tell(ResumeDosing(reason="It is out"))
    board = board_of(story)
    (pause,) = board.pauses
    assert (board.is_paused, pause.until, pause.resumed_because) == (False, BEGIN + DAY, "It is out")
    assert held(board) == []


@pytest.mark.parametrize(
    ("decision", "reviewed", "expected"),
    [(None, None, ["stopping-rule"]), ("stop", BEGIN, ["stopping-rule"]), ("resume", BEGIN, [])],
)
def test_a_stopping_rule_holds_until_a_person_resumes(decision: Any, reviewed: Any, expected: list[str]) -> None:
    fired = FiredRule(
        *("treatment-related-death", 1, (who(1),), 1, None, BEGIN - DAY, True),
        *(decision, None if decision is None else "The committee has met", reviewed, None),
    )
    board = board_of(Story(), fired=[fired])
    assert held(board) == expected


def test_an_override_shows_both_people_and_whether_it_was_used() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.reserve(2)
    asked = {"participant_id": who(2), "infusion_number": 1, "reason": "No other treatment is left"}
    story.tell(RequestOverride.model_validate(asked), somebody(Role.INVESTIGATOR))
    (waiting,) = board_of(story).overrides
    assert (waiting.requested_as, waiting.confirmed_by, waiting.used) == ("investigator", None, False)
    story.override(2)
    story.infuse(2)
    (opened,) = board_of(story).overrides
    assert (opened.confirmed_as, opened.bars, opened.used) == ("sponsor", ("stagger",), True)
    assert board_of(story, seen=[1]).overrides == ()


def test_who_is_replaced_and_who_left_fill_no_slot() -> None:
    story = Story()
    for number in (1, 2):
        story.reserve(number)
    story.infuse(1)
    people = [
        dosed(story, 1, cells_per_kg=Decimal(1000)),
        dosed(story, 2, endings={ParticipantStatus.WITHDRAWN: "2027-01-04"}),
    ]
    board = board_of(story, people=people)
    assert slots(board, "DL1") == (3, 3, 0, 0)
    assert [(each.place.value, each.cohort, each.next_infusion) for each in board.participants] == [
        ("replaced", None, None),
        ("none", None, None),
    ]


def test_without_slots_and_without_enforcement_levels_and_windows_are_shown_all_the_same() -> None:
    """As CMD03 is: nobody took a slot, and infusions are held to nothing."""
    story = Story()
    story.people = {who(1): story.people.get(who(1)) or _enrolled(1)}
    people = [dosed(story, 1, infused_from=BEGIN, infused_to=BEGIN, cells_per_kg=Decimal(1000000))]
    board = board_of(story, load_protocol(), people=people)
    assert (board.enforced, slots(board, "DL2")) == (False, (0, 0, 0, 1))
    assert (line(board, 1).infusion, line(board, 1).status.value) == (None, "in-window")
    assert line(board, 1).window_ends == BEGIN + timedelta(days=28)


def _enrolled(number: int) -> Any:
    story = Story()
    story.reserve(number, dose_level="DL2")
    return story.people[who(number)]


def test_a_protocol_that_escalates_no_doses_has_an_empty_board() -> None:
    plain = load_protocol().model_copy(update={"dose_escalation": None})
    board = board_of(Story(), plain)
    assert (board.reason, board.levels, board.next_infusion) == (NO_PLAN, (), None)
    assert [each.rule for each in board.stopping_rules] == [each.id for each in plain.stopping.rules]
    assert list(participants(board).rows) == []


COMMANDS: dict[str, EscalationCommand] = {
    "pause": PauseDosing(reason="A fire"),
    "resume": ResumeDosing(reason="It is out"),
    "review": ReviewBasis(),
}
ACTIONS = st.sampled_from(["reserve", "infuse", "release", "wait", "dlt", "decide", "pause", "resume", "review"])


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTIONS, max_size=30))
def test_the_board_shows_what_enrollment_would_decide(actions: list[str]) -> None:
    story = Story()
    for action in actions:
        _act(story, action)
    board = board_of(story)
    for number in (each.int for each in story.people):
        if story.people[who(number)].started_at is None:
            assert held(board, number) == [bar.value for bar in story.bars(number)]
    open_level = board.open_level
    free = 0 if open_level is None else level(board, open_level).free
    assert slot_holders(known(story).told) == frozenset(story.state.slots)
    assert sum(each.used + each.reserved for each in board.levels) == len(story.state.occupants(story.facts()))
    assert (free > 0 and not board.is_paused) == _would_give_a_slot(story)


def _act(story: Story, action: str) -> None:
    waiting = [each.int for each in story.people if story.people[each].started_at is None]
    infused = [each for each in story.people if story.people[each].started_at is not None]
    with suppress(TrialError, AssertionError):
        if action in COMMANDS:
            story.tell(COMMANDS[action])
        elif action == "reserve":
            story.reserve(len(story.people) + 1, dose_level=story.state.open_level(story.plan) or "DL1")
        elif action == "infuse" and waiting:
            story.infuse(waiting[0], despite="It was given")
        elif action == "release" and waiting:
            story.tell(ReleaseSlot(participant_id=who(waiting[0]), reason="The family moved"))
        elif action == "dlt" and infused:
            story.confirm_dlt(infused[-1].int)
        elif action == "decide":
            story.follow_the_design()
        else:
            story.now += 10 * DAY


def _would_give_a_slot(story: Story) -> bool:
    try:
        story.reserve(999)
    except TrialError:
        return False
    return True
