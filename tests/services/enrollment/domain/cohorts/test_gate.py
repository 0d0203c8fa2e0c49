"""Why an infusion is not permitted, at and just before each limit, and from when on it would be."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from services.enrollment.domain.cohorts.commands import (
    JudgeInfusion,
    PauseDosing,
    RecordDecision,
    RequestOverride,
    ResumeDosing,
)
from services.enrollment.domain.cohorts.escalation import InfusionNotPermitted
from shared.contracts.enrollment_escalation import Bar, Permission
from shared.escalation.designs.standing import Decision
from shared.escalation.gate import Closed, closed_for, earliest, opens, says
from shared.escalation.standing import Halt, Person, Plan, plan_of
from shared.kernel.actor import Role
from shared.protocol import load_protocol
from shared.protocol.dose_limiting_status import DltStatus
from tests.services.enrollment.domain.cohorts.story import BEGIN, DAY, PLAN, WINDOW, Story, enforcing, somebody, who

SECOND = timedelta(seconds=1)


def test_the_plan_is_the_protocol_s_and_off_until_a_version_turns_it_on() -> None:
    plan = plan_of(load_protocol())
    assert plan is not None
    assert not plan.enforced
    assert plan_of(enforcing()) == PLAN
    assert plan_of(enforcing().model_copy(update={"dosing": None})) is None
    assert plan_of(enforcing().model_copy(update={"dose_escalation": None})) is None


def test_the_first_infusion_of_a_slot_is_permitted() -> None:
    story = Story()
    story.reserve(1)
    assert story.infuse(1).permission is Permission.PERMITTED


@pytest.mark.parametrize(("infused", "days"), [(1, 14), (2, 7)])
def test_inside_a_cohort_the_next_waits(infused: int, days: int) -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    if infused == 2:
        story.now += 14 * DAY
        story.reserve(2)
        story.infuse(2)
    story.reserve(3)
    at = story.now + days * DAY
    story.now = at - SECOND
    assert closed_for(who(3), 1, story.now, story.state, story.facts()) == (Closed(Bar.STAGGER, at),)
    with pytest.raises(InfusionNotPermitted, match=f"stagger; permitted from {at:%Y-%m-%d}"):
        story.infuse(3)
    story.now = at
    assert story.bars(3) == ()


def test_who_was_given_later_and_recorded_sooner_keeps_the_distance_too() -> None:
    story = Story()
    story.reserve(1)
    story.reserve(2)
    story.infuse(1)
    assert story.infuse(2, despite="Recorded late", ago=3 * DAY).bars == (Bar.STAGGER,)
    far = Story()
    far.reserve(1)
    far.reserve(2)
    far.infuse(1)
    assert far.infuse(2, ago=14 * DAY).permission is Permission.PERMITTED


def test_without_a_slot_at_a_full_level_all_reasons_are_told() -> None:
    story = Story()
    story.cohort(1, 2, 3)
    story.people[who(4)] = Person(who(4), "CU", "DL1", DltStatus.NOT_INFUSED)
    story.tell(PauseDosing(reason="A report from another trial"))
    story.halts = (Halt("treatment-related-death", story.now),)
    assert story.bars(4) == (Bar.PAUSED, Bar.STOPPING_RULE, Bar.NO_SLOT, Bar.COHORT_CAP)
    with pytest.raises(InfusionNotPermitted, match="needs a decision"):
        story.infuse(4)


def test_a_pause_forbids_what_was_given_within_it_and_nothing_else() -> None:
    story = Story()
    story.reserve(1)
    story.tell(PauseDosing(reason="A report"))
    story.now += DAY
    story.tell(ResumeDosing(reason="The report was read"))
    facts, state = story.facts(), story.state
    bars = [closed_for(who(1), 1, BEGIN + each, state, facts) for each in (-SECOND, SECOND - SECOND, DAY - SECOND, DAY)]
    paused = (Closed(Bar.PAUSED, BEGIN + DAY),)
    assert bars == [(), paused, paused, ()]


def test_a_second_infusion_is_held_to_pause_and_halt_alone() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    assert story.infuse(1, infusion=2).permission is Permission.PERMITTED
    story.halts = (Halt("treatment-related-death", story.now),)
    assert closed_for(who(1), 2, story.now, story.state, story.facts()) == (Closed(Bar.STOPPING_RULE),)


def test_enrolled_for_another_level_than_that_of_the_slot() -> None:
    story = Story()
    story.reserve(1, dose_level="DL2")
    assert story.bars(1) == (Bar.WRONG_LEVEL,)


def test_a_level_that_nobody_knows_is_closed() -> None:
    story = Story()
    story.people[who(1)] = Person(who(1), "CU", None, DltStatus.NOT_INFUSED)
    assert story.bars(1) == (Bar.NO_SLOT, Bar.LEVEL_CLOSED)


def test_the_level_above_waits_for_the_last_window() -> None:
    story = Story()
    story.cohort(1, 2)
    story.reserve(3)
    story.infuse(3)
    ends = story.now + WINDOW
    said = says(story.state, story.facts())
    story.tell(
        RecordDecision(
            design_said=Decision(said.decision or ""),
            decision=Decision.ESCALATE,
            next_level="DL2",
            slots=3,
            reason="The committee waits for nobody",
        )
    )
    story.reserve(4)
    story.now = ends
    (closed,) = closed_for(who(4), 1, story.now, story.state, story.facts())
    assert closed.bar is Bar.DLT_WINDOW
    assert closed.until is not None
    assert ends < closed.until < ends + SECOND
    story.now = closed.until
    assert story.bars(4) == ()
    assert story.infuse(4, ago=DAY, despite="Recorded a day late").bars == (Bar.DLT_WINDOW,)


def test_two_toxicities_before_the_cohort_is_full_wait_for_the_committee() -> None:
    story = Story()
    story.cohort(1, 2)
    story.confirm_dlt(1, 2)
    story.reserve(3)
    assert story.bars(3) == (Bar.AWAITS_DECISION,)
    story.tell(
        RecordDecision(
            design_said=Decision.DE_ESCALATE,
            decision=Decision.STAY,
            next_level="DL1",
            slots=1,
            reason="Both were due to the disease",
        )
    )
    assert story.bars(3) == ()
    story.refute_dlt(2)
    assert story.bars(3) == ()


@pytest.mark.parametrize(
    ("plan", "before", "late", "waits"),
    [
        (PLAN, 3, 0, False),
        (PLAN, 3, 1, True),  # of 3: three more are treated there first
        (PLAN, 3, 2, True),
        (PLAN, 6, 1, False),  # of 6: tolerated
        (PLAN, 6, 2, True),
        (replace(PLAN, design="BOIN", target=Decimal("0.30")), 6, 1, False),
        (replace(PLAN, design="BOIN", target=Decimal("0.30")), 6, 2, True),  # stays, ruled out by none
        (replace(PLAN, design="BOIN", target=Decimal("0.30")), 3, 2, True),  # de-escalates, ruled out by none
        (replace(PLAN, design="rolling-6"), 3, 1, True),
    ],
)
def test_a_late_toxicity_below_closes_the_level_above_until_it_is_decided_anew(
    plan: Plan, before: int, late: int, *, waits: bool
) -> None:
    story = Story(plan)
    story.cohort(1, 2, 3)
    if before == 6:
        story.decide("DL1", 3)
        story.cohort(4, 5, 6)
    story.decide("DL2", 2)
    story.reserve(7)
    story.infuse(7)
    story.now += 14 * DAY
    story.reserve(8)
    assert story.bars(8) == ()
    story.confirm_dlt(*range(1, late + 1))
    assert story.bars(8) == ((Bar.AWAITS_DECISION,) if waits else ())
    story.decide("DL2", 1)
    assert story.bars(8) == ()


def test_who_no_longer_counts_below_closes_the_level_above() -> None:
    story = Story()
    story.cohort(1, 2, 3)
    story.follow_the_design()
    story.reserve(4)
    assert story.bars(4) == ()
    story.people[who(3)] = replace(story.people[who(3)], status=DltStatus.NOT_EVALUABLE)
    assert story.bars(4) == (Bar.AWAITS_DECISION,)


def test_the_planned_number_is_the_end() -> None:
    story = Story(replace(PLAN, target_number=2))
    story.cohort(1, 2)
    story.people[who(3)] = Person(who(3), "CU", "DL1", DltStatus.NOT_INFUSED)
    assert Bar.TARGET_NUMBER in story.bars(3)


def test_counts_that_the_design_does_not_know_wait_for_the_committee() -> None:
    story = Story(replace(PLAN, target_number=20))
    for number in range(1, 9):
        story.people[who(number)] = Person(who(number), "CU", "DL1", DltStatus.NOT_INFUSED)
        if number < 8:
            story.infuse(number, despite="Given all the same")
            story.now += 40 * DAY
    story.confirm_dlt(1)
    assert Bar.AWAITS_DECISION in story.bars(8)
    assert says(story.state, story.facts()).decision is None


def test_boin_gets_its_own_parameters() -> None:
    story = Story(replace(PLAN, design="BOIN", target=Decimal("0.30")))
    story.cohort(1, 2, 3)
    assert says(story.state, story.facts()).next_level == "DL2"


def test_the_earliest_instant_is_that_at_which_all_bars_have_fallen() -> None:
    until = Closed(Bar.STAGGER, BEGIN), Closed(Bar.DLT_WINDOW, BEGIN + DAY)
    assert earliest(until) == BEGIN + DAY
    assert earliest((*until, Closed(Bar.NO_SLOT))) is None
    assert earliest(()) is None


def test_two_people_in_two_roles_open_the_gate_for_these_bars_alone() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.reserve(2)
    story.override(2)
    judged = story.infuse(2)
    assert (judged.permission, judged.bars) == (Permission.OVERRIDDEN, (Bar.STAGGER,))
    story.reserve(3)
    story.override(3)
    story.tell(PauseDosing(reason="A report"))
    with pytest.raises(InfusionNotPermitted):
        story.infuse(3)


def test_what_was_asked_and_not_confirmed_opens_nothing() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.reserve(2)
    asked = RequestOverride(participant_id=who(2), reason="No other treatment is left")
    story.tell(asked, somebody(Role.SPONSOR))
    with pytest.raises(InfusionNotPermitted):
        story.infuse(2)


def test_what_was_given_all_the_same_is_a_deviation_with_its_reason() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.reserve(2)
    judged = story.infuse(2, despite="The cells would not have kept")
    assert (judged.permission, judged.reason) == (Permission.DEVIATION, "The cells would not have kept")


def test_an_infusion_recorded_after_the_next_level_was_opened_had_its_place() -> None:
    story = Story()
    for each in (1, 2, 3):
        story.reserve(each)
    story.infuse(1)
    story.now += 14 * DAY
    story.infuse(2)
    story.now += 7 * DAY
    late = 29 * DAY
    story.now += late
    story.decide("DL2", 3)
    assert story.infuse(3, ago=late).permission is Permission.PERMITTED


def test_an_infusion_recorded_after_the_committee_had_seen_the_toxicities_was_given_before_it_had() -> None:
    story = Story()
    story.cohort(1, 2)
    story.reserve(3)
    story.confirm_dlt(1, 2)
    story.now += 2 * DAY
    story.decide("DL1", 1)
    story.now += DAY
    before_the_decision = story.infuse(3, ago=2 * DAY, despite="The committee was to meet the day after")
    assert before_the_decision.bars == (Bar.AWAITS_DECISION,)
    assert story.correct(3, story.now).permission is Permission.PERMITTED
    before_it_was_known = story.correct(3, story.now - 4 * DAY)
    assert (before_it_was_known.permission, before_it_was_known.bars) == (Permission.PERMITTED, ())


@pytest.mark.parametrize(("days", "bars"), [(7, ()), (0, (Bar.COHORT_CAP,))])
def test_of_two_at_the_last_place_the_one_given_later_is_over_the_cap(days: int, bars: tuple[Bar, ...]) -> None:
    """Whichever was recorded first: here the one who has no slot, given a week after or before the other."""
    story = Story(replace(PLAN, cohort_size=2))
    story.reserve(1)
    story.infuse(1)
    story.reserve(2)
    story.people[who(3)] = Person(who(3), "CU", "DL1", DltStatus.NOT_INFUSED)
    story.now += 28 * DAY
    story.infuse(3, despite="Enrolled on paper", ago=(7 - days) * DAY)
    assert story.infuse(2, despite="There was a slot", ago=days * DAY).bars == bars


def test_what_is_on_record_without_its_time_was_always_there() -> None:
    story = Story()
    story.cohort(1, 2, 3)
    story.decide("DL2", 3)
    story.reserve(4)
    timeless = [each.model_copy(update={"at": None}) for each in story.history if hasattr(each, "at")]
    story.history = [each for each in story.history if not hasattr(each, "at")] + timeless
    story.now += DAY
    assert story.infuse(4, ago=2 * DAY).permission is Permission.PERMITTED


def test_an_override_that_was_confirmed_after_the_infusion_opened_nothing() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.reserve(2)
    story.now += DAY
    story.override(2)
    with pytest.raises(InfusionNotPermitted):
        story.infuse(2, ago=SECOND)
    assert story.infuse(2).permission is Permission.OVERRIDDEN


def test_a_correction_is_judged_anew_and_never_refused() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.now += 14 * DAY
    story.reserve(2)
    story.infuse(2)
    assert story.correct(2, story.now - DAY).permission is Permission.DEVIATION
    assert story.correct(2, story.now).permission is Permission.PERMITTED


def test_a_correction_after_the_next_level_was_opened_keeps_its_place() -> None:
    story = Story()
    story.cohort(1, 2, 3)
    story.follow_the_design()
    assert story.correct(3, story.people[who(3)].started_at or BEGIN).bars == ()
    story.reserve(4)
    story.people[who(4)] = replace(story.people[who(4)], dose_level="DL1")
    assert story.infuse(4, despite="Given all the same").bars == (Bar.WRONG_LEVEL,)
    corrected = story.correct(4, story.now - DAY)
    assert (corrected.bars, corrected.reason) == ((Bar.WRONG_LEVEL, Bar.LEVEL_CLOSED), "Given all the same")
    assert story.correct(4, story.now).bars == (Bar.WRONG_LEVEL,)


def test_what_was_never_judged_is_not_judged_by_a_correction() -> None:
    story = Story()
    story.reserve(1)
    given = JudgeInfusion(participant_id=who(1), infusion_number=1, started_at=BEGIN, corrects=True)
    assert story.tell(given) == []


def test_the_gate_opens_once_every_bar_has_fallen_by_itself() -> None:
    story = Story()
    story.reserve(1)
    story.infuse(1)
    story.reserve(2)
    facts, state = story.facts(), story.state
    assert opens(who(2), 1, BEGIN, state, facts) == BEGIN + 14 * DAY
    assert opens(who(2), 1, BEGIN + 15 * DAY, state, facts) == BEGIN + 15 * DAY
    assert opens(who(1), 2, BEGIN, state, replace(facts, halts=(Halt("a", BEGIN, BEGIN + DAY),))) == BEGIN + DAY
    halted = replace(facts, halts=(Halt("a", BEGIN, BEGIN + DAY), Halt("b", BEGIN)))
    assert opens(who(1), 2, BEGIN, state, halted) is None
