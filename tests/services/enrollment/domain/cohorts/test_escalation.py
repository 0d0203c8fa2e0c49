"""Slots, decisions, pauses and overrides: what each leads to, and what is refused."""

from dataclasses import replace

import pytest

from services.enrollment.domain.cohorts.commands import (
    ConfirmOverride,
    PauseDosing,
    RecordDecision,
    ReleaseSlot,
    RequestOverride,
    ResumeDosing,
    RetractJudgement,
    ReviewBasis,
)
from services.enrollment.domain.cohorts.escalation import (
    DECIDER,
    AlreadyInfused,
    DesignSaysOtherwise,
    DosingPausedNow,
    NoFreeSlot,
    NoLevelOpen,
    NoOverrideRequested,
    NoSlotReserved,
    NothingToOverride,
    OverrideNeedsTwo,
    ParticipantHasLeft,
    ReasonNeeded,
    UnknownLevel,
)
from shared.contracts.enrollment_escalation import (
    DosingPaused,
    DosingResumed,
    EscalationBasisChanged,
    EscalationDecided,
    InfusionJudgementRetracted,
    SlotRelease,
    SlotReleased,
    SlotReserved,
)
from shared.escalation.designs import DESIGNS
from shared.escalation.designs.standing import Decision
from shared.escalation.standing import Escalation, Halt, Person
from shared.kernel.actor import Actor, Role
from shared.protocol.dose_limiting_status import DltStatus
from shared.protocol.safety import Escalation as Design
from tests.services.enrollment.domain.cohorts.story import DAY, PLAN, Story, somebody, who

REASON = "Decided in the meeting"


def full() -> Story:
    story = Story()
    for number in (1, 2, 3):
        story.reserve(number)
    return story


def release(number: int) -> ReleaseSlot:
    return ReleaseSlot(participant_id=who(number), reason=REASON)


def test_a_slot_is_at_the_open_level_and_reserved_once() -> None:
    story = Story()
    (reserved,) = story.reserve(1)
    assert isinstance(reserved, SlotReserved)
    assert reserved.dose_level == "DL1"
    assert story.reserve(1) == []


def test_a_cohort_has_no_fourth_slot_until_one_is_released() -> None:
    story = full()
    with pytest.raises(NoFreeSlot):
        story.reserve(4)
    story.tell(release(2))
    assert len(story.reserve(4)) == 1


def test_who_left_before_the_infusion_gives_the_slot_on_and_does_not_come_back_to_it() -> None:
    story = full()
    story.people[who(2)] = replace(story.people[who(2)], left=True)
    gone, reserved = story.reserve(4)
    assert isinstance(gone, SlotReleased)
    assert (gone.participant_id, gone.release) == (who(2), SlotRelease.LEFT)
    assert isinstance(reserved, SlotReserved)
    story.people[who(2)] = replace(story.people[who(2)], left=False)
    with pytest.raises(NoFreeSlot):
        story.reserve(2)


def test_who_has_left_gets_no_slot() -> None:
    story = Story()
    story.people[who(1)] = Person(who(1), "CU", None, DltStatus.NOT_INFUSED, left=True)
    with pytest.raises(ParticipantHasLeft):
        story.reserve(1)


def test_who_is_not_evaluable_is_replaced() -> None:
    story = full()
    story.infuse(1)
    with pytest.raises(AlreadyInfused):
        story.tell(release(1))
    story.people[who(1)] = replace(story.people[who(1)], status=DltStatus.NOT_EVALUABLE)
    assert len(story.reserve(4)) == 1
    (released,) = story.tell(release(1))
    assert isinstance(released, SlotReleased)
    assert released.release is SlotRelease.NOT_EVALUABLE


def test_what_nobody_holds_is_not_released() -> None:
    with pytest.raises(NoSlotReserved):
        Story().tell(release(1))


def test_who_was_infused_reserves_nothing() -> None:
    story = Story()
    story.people[who(1)] = Person(who(1), "CU", "DL1", DltStatus.NOT_INFUSED)
    story.infuse(1, despite="Given all the same")
    with pytest.raises(AlreadyInfused):
        story.reserve(1)


def test_no_slot_while_dosing_is_paused_or_halted() -> None:
    story = Story()
    (paused,) = story.tell(PauseDosing(reason=REASON))
    assert isinstance(paused, DosingPaused)
    assert story.tell(PauseDosing(reason=REASON)) == []
    with pytest.raises(DosingPausedNow):
        story.reserve(1)
    (resumed,) = story.tell(ResumeDosing(reason=REASON))
    assert isinstance(resumed, DosingResumed)
    assert story.tell(ResumeDosing(reason=REASON)) == []
    story.halts = (Halt("treatment-related-death", story.now),)
    with pytest.raises(DosingPausedNow):
        story.reserve(1)


def test_the_planned_number_ends_the_slots() -> None:
    story = Story(replace(PLAN, target_number=2))
    story.reserve(1)
    story.reserve(2)
    with pytest.raises(NoFreeSlot, match="plans"):
        story.reserve(3)


def test_three_clean_ones_open_the_next_level_and_its_slots() -> None:
    story = full()
    story.cohort(1, 2, 3)
    story.follow_the_design()
    decided = story.history[-1]
    assert isinstance(decided, EscalationDecided)
    assert (decided.number, decided.current_level, decided.next_level) == (1, "DL1", "DL2")
    assert [each.status for each in decided.basis] == ["evaluable-without-dlt"] * 3
    assert decided.parameters.version == "CMD03@1.1.0"
    (reserved,) = story.reserve(4)
    assert isinstance(reserved, SlotReserved)
    assert reserved.dose_level == "DL2"


def test_a_decision_that_nobody_is_treated_leaves_no_slot() -> None:
    story = Story()
    story.tell(RecordDecision(design_said=Decision.STAY, decision=Decision.STOP, reason=REASON))
    with pytest.raises(NoLevelOpen):
        story.reserve(1)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"design_said": Decision.WAIT}, DesignSaysOtherwise),
        ({"design_said": None}, DesignSaysOtherwise),
        ({"next_level": "DL9"}, UnknownLevel),
        ({"slots": 0}, UnknownLevel),
        ({"next_level": None}, UnknownLevel),
        ({"next_level": "DL2"}, ReasonNeeded),
        ({"decision": Decision.ESCALATE}, ReasonNeeded),
    ],
)
def test_a_decision_is_about_what_the_design_says_now(changed: dict[str, object], refused: type[Exception]) -> None:
    usual = {"design_said": Decision.STAY, "decision": Decision.STAY, "next_level": "DL1", "slots": 3}
    with pytest.raises(refused):
        Story().tell(RecordDecision.model_validate(usual | changed))


def test_a_toxicity_known_later_is_said_once_and_edits_nothing() -> None:
    story = Story()
    assert story.tell(ReviewBasis()) == []
    story.cohort(1, 2, 3)
    story.follow_the_design()
    decided = story.history[-1]
    assert story.tell(ReviewBasis()) == []
    story.confirm_dlt(2)
    (changed,) = story.tell(ReviewBasis())
    assert isinstance(changed, EscalationBasisChanged)
    assert (changed.number, [each.status for each in changed.basis].count("dlt")) == (1, 1)
    assert story.tell(ReviewBasis()) == []
    assert story.state.decisions == (decided,)


def test_a_window_that_ends_as_hoped_and_who_comes_later_change_no_basis() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.tell(
        RecordDecision(design_said=Decision.STAY, decision=Decision.STAY, next_level="DL1", slots=1, reason=REASON)
    )
    story.now += 40 * DAY
    story.reserve(2)
    story.infuse(2)
    assert story.tell(ReviewBasis()) == []
    story.people[who(2)] = replace(story.people[who(2)], undecided=True)
    assert len(story.tell(ReviewBasis())) == 1


def asked() -> tuple[RequestOverride, ConfirmOverride]:
    told = {"participant_id": who(2), "reason": REASON}
    return RequestOverride.model_validate(told), ConfirmOverride.model_validate(told)


def closed() -> Story:
    story = full()
    story.infuse(1)
    return story


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (somebody(Role.SPONSOR, "a"), somebody(Role.SPONSOR, "b")),
        (somebody(Role.SPONSOR, "a"), somebody(Role.INVESTIGATOR, "a")),
        (somebody(Role.SPONSOR, "a"), somebody(Role.MONITOR, "b")),
    ],
)
def test_the_second_is_another_person_in_the_other_role(first: Actor, second: Actor) -> None:
    story, (request, confirm) = closed(), asked()
    story.tell(request, first)
    with pytest.raises(OverrideNeedsTwo):
        story.tell(confirm, second)


def test_the_first_is_in_one_of_the_two_roles() -> None:
    with pytest.raises(OverrideNeedsTwo):
        closed().tell(asked()[0], somebody(Role.MONITOR))


def test_an_override_is_confirmed_once_and_only_where_asked() -> None:
    story, (_, confirm) = closed(), asked()
    with pytest.raises(NoOverrideRequested):
        story.tell(confirm, somebody(Role.SPONSOR))
    story.override(2)
    with pytest.raises(NoOverrideRequested):
        story.tell(confirm, somebody(Role.SPONSOR))


def test_an_open_gate_and_an_infusion_on_record_need_no_override() -> None:
    story, (request, _) = full(), asked()
    with pytest.raises(NothingToOverride):
        story.tell(request, somebody())
    story.infuse(1)
    story.infuse(2, despite="Given all the same")
    with pytest.raises(NothingToOverride):
        story.tell(request, somebody())


def test_the_judgement_of_an_infusion_that_never_was_is_taken_back_once() -> None:
    story = full()
    story.infuse(1)
    retract = RetractJudgement(participant_id=who(1), infusion_number=1)
    (gone,) = story.tell(retract)
    assert isinstance(gone, InfusionJudgementRetracted)
    assert story.state.judged == {}
    assert story.tell(retract) == []


def test_the_protocol_and_the_designs_speak_of_the_same() -> None:
    assert {each.value for each in Design} == set(DESIGNS)


def test_the_stream_of_the_trial_begins_with_nothing() -> None:
    assert DECIDER.stream("CMD03") == "escalation:CMD03"
    assert DECIDER.fold([]) == Escalation()
