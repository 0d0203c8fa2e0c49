"""Enrolment, infusions, toxicities, corrections, time, pauses and overrides in random order pass no closed gate.

The rules are said here a second time, in the words of the protocol and not in those of the code.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.enrollment.domain.cohorts.commands import (
    PauseDosing,
    RecordDecision,
    ReleaseSlot,
    ResumeDosing,
    ReviewBasis,
)
from shared.contracts.enrollment_escalation import (
    EscalationBasisChanged,
    EscalationDecided,
    EscalationEvent,
    InfusionJudged,
    InfusionOverrideConfirmed,
    InfusionOverrideRequested,
    Permission,
    SlotReserved,
)
from shared.escalation.designs.standing import Decision
from shared.escalation.gate import says
from shared.kernel.actor import Role
from shared.kernel.errors import TrialError
from shared.protocol.dose_limiting_status import DltStatus
from tests.services.enrollment.domain.cohorts.story import DAY, WINDOW, Story, who

CHILD = st.integers(1, 14)
ROLE = st.sampled_from([Role.INVESTIGATOR, Role.SPONSOR, Role.COORDINATOR])


class Escalating(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.given: dict[int, tuple[datetime, str | None, Permission]] = {}
        self.pauses: list[tuple[datetime, datetime | None]] = []

    @initialize(cohorts=st.integers(0, 3))
    def are_under_way(self, cohorts: int) -> None:
        """Cohorts as they should be, each with its decision: what comes then finds people at several levels."""
        for _ in range(cohorts):
            self.treat_a_cohort(14)
            self.wait_for_the_windows_and_decide()

    @rule(days=st.integers(1, 30))
    def wait(self, days: int) -> None:
        self.story.now += days * DAY

    @rule(child=CHILD)
    def reserve(self, child: int) -> None:
        self._try(lambda: self._note_slot(self.story.reserve(child)))

    @rule(days=st.sampled_from([0, 6, 7, 13, 14]))
    def treat_one_more(self, days: int) -> None:
        """What sites do all day: a slot for the next child, some days, and an infusion where the gate lets it."""
        child = len(self.given) + 1
        self.story.now += days * DAY
        self.reserve(child)
        self.infuse(child, None)

    @rule(days=st.sampled_from([14, 20]))
    def treat_a_cohort(self, days: int) -> None:
        for _ in range(3):
            self.treat_one_more(days)

    @rule()
    def wait_for_the_windows_and_decide(self) -> None:
        if self.given:
            self.story.now += 29 * DAY
            self.decide_as_the_design(3)

    @rule(child=CHILD)
    def release(self, child: int) -> None:
        if who(child) in self.story.people:
            self._try(lambda: self.story.tell(ReleaseSlot(participant_id=who(child), reason="Too ill to be treated")))

    @rule(
        child=CHILD,
        despite=st.sampled_from([None, None, None, "Given before the pause was known"]),
        late=st.sampled_from([0, 0, 1, 3, 15]),
    )
    def infuse(self, child: int, despite: str | None, late: int = 0) -> None:
        if child in self.given or who(child) not in self.story.people:
            return
        self._try(lambda: self._note(child, self.story.infuse(child, despite=despite, ago=late * DAY)))

    @rule(child=CHILD, hours=st.integers(0, 72))
    def correct(self, child: int, hours: int) -> None:
        if child in self.given:
            at = self.given[child][0] - timedelta(hours=hours)
            self._note(child, self.story.correct(child, at))

    @rule(child=CHILD)
    def has_a_dlt(self, child: int) -> None:
        if child in self.given:
            self.story.confirm_dlt(child)

    @rule(child=st.integers(1, 3))
    def treat_one_after_a_late_dlt(self, child: int) -> None:
        """In one of the first cohort, which the decisions since then did not know."""
        self.has_a_dlt(child)
        self.treat_one_more(14)

    @rule(child=CHILD)
    def dlt_is_refuted(self, child: int) -> None:
        self.story.refute_dlt(child)

    @rule(child=CHILD)
    def leaves(self, child: int) -> None:
        person = self.story.people.get(who(child))
        if person is not None:
            status = person.status if person.started_at is None else DltStatus.NOT_EVALUABLE
            self.story.people[who(child)] = replace(person, left=True, status=status)

    @rule(child=CHILD)
    def returns(self, child: int) -> None:
        person = self.story.people.get(who(child))
        if person is not None:
            status = DltStatus.NOT_INFUSED if person.started_at is None else DltStatus.IN_WINDOW
            self.story.people[who(child)] = replace(person, left=False, status=status)

    @rule()
    def pause(self) -> None:
        if self.story.tell(PauseDosing(reason="A report from another trial")):
            self.pauses.append((self.story.now, None))

    @rule()
    def resume(self) -> None:
        if self.story.tell(ResumeDosing(reason="The report was read")):
            self.pauses[-1] = (self.pauses[-1][0], self.story.now)

    @rule(slots=st.integers(1, 6))
    def decide_as_the_design(self, slots: int) -> None:
        if says(self.story.state, self.story.facts()).decision is not None:  # it knows no more than six at a level
            self._try(lambda: self.story.follow_the_design(slots))

    @rule(level=st.sampled_from([None, "DL-1", "DL1", "DL2", "DL3"]), slots=st.integers(1, 6))
    def decide_otherwise(self, level: str | None, slots: int) -> None:
        """The committee may, and says why; no gate opens by it before its time."""
        said = says(self.story.state, self.story.facts()).decision
        command = RecordDecision(
            design_said=None if said is None else Decision(said),
            decision=Decision.STOP if level is None else Decision.STAY,
            next_level=level,
            slots=0 if level is None else slots,
            reason="Judged by the committee",
        )
        self.story.tell(command)

    @rule()
    def treat_one_just_when_paused(self) -> None:
        child = len(self.given) + 1
        self.story.now += 14 * DAY
        self.reserve(child)
        self.pause()
        self.infuse(child, None)

    @rule()
    def look(self) -> None:
        told = self.story.tell(ReviewBasis())
        assert all(isinstance(each, EscalationBasisChanged) for each in told)
        assert self.story.tell(ReviewBasis()) == []

    @rule(child=CHILD)
    def override(self, child: int) -> None:
        if who(child) in self.story.people:
            self._try(lambda: self.story.override(child))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except TrialError:
            return

    def _note(self, child: int, judged: InfusionJudged) -> None:
        others = {each: told for each, told in self.given.items() if each != child}
        if judged.permission is Permission.PERMITTED:
            self._held(judged, others)
            begun = {each: told for each, told in others.items() if told[0] <= judged.started_at}
            self._had_a_place(judged, begun)
            self._waited(judged, begun)
        self.given[child] = (judged.started_at, judged.dose_level, judged.permission)

    def _note_slot(self, told: list[EscalationEvent]) -> None:
        """No slot is given twice; who no longer counted and returns may be one too many all the same."""
        state, facts = self.story.state, self.story.facts()
        for level in [each.dose_level for each in told if isinstance(each, SlotReserved)]:
            taken = [each for each in state.occupants(facts) if state.slots.get(each.participant_id) == level]
            assert len(taken) <= state.capacity(level, facts.plan) <= 6
            assert len(state.occupants(facts)) <= 9

    def _held(self, judged: InfusionJudged, others: dict[int, tuple[datetime, str | None, Permission]]) -> None:
        at, level = judged.started_at, judged.dose_level
        assert not any(since <= at and (until is None or at < until) for since, until in self.pauses)
        here = {each: told for each, told in others.items() if told[1] == level}
        assert all(abs(at - told[0]) >= 7 * DAY for told in here.values())
        assert here == {} or abs(at - min(told[0] for told in here.values())) >= 14 * DAY

    def _had_a_place(self, judged: InfusionJudged, begun: dict[int, tuple[datetime, str | None, Permission]]) -> None:
        counting = self._counting(begun)
        assert len(counting) < 9
        assert sum(begun[each][1] == judged.dose_level for each in counting) < 6

    def _waited(self, judged: InfusionJudged, begun: dict[int, tuple[datetime, str | None, Permission]]) -> None:
        """For the committee and the windows below, as both were known when the infusion began."""
        at, counting = judged.started_at, self._counting(begun)
        decided = [each for each in self.story.history if isinstance(each, EscalationDecided) and (each.at or at) <= at]
        assert judged.dose_level == (decided[-1].next_level if decided else "DL1")
        seen = {each.participant_id for each in decided[-1].basis if each.status == "dlt"} if decided else set()
        known = {key for key, since in self.story.dlt.items() if since <= at}
        for level in self.story.plan.levels[: self.story.plan.levels.index(judged.dose_level or "")]:
            there = {each for each in counting if begun[each][1] == level}
            assert all(who(each) in known or begun[each][0] + WINDOW < at for each in there)
            toxic = {who(each) for each in there} & known
            assert toxic <= seen or (len(toxic) == 1 and len(there) == 6)

    def _counting(self, others: dict[int, tuple[datetime, str | None, Permission]]) -> set[int]:
        return {each for each in others if self.story.people[who(each)].status is not DltStatus.NOT_EVALUABLE}

    @invariant()
    def an_overridden_infusion_had_two_people(self) -> None:
        history = self.story.history
        for judged in history:
            if isinstance(judged, InfusionJudged) and judged.permission is Permission.OVERRIDDEN:
                opened = [
                    each
                    for each in history
                    if isinstance(each, InfusionOverrideConfirmed) and each.participant_id == judged.participant_id
                ]
                asked = [
                    each
                    for each in history
                    if isinstance(each, InfusionOverrideRequested) and each.participant_id == judged.participant_id
                ]
                assert opened
                assert asked
                assert opened[-1].confirmed_by != opened[-1].requested_by
                assert {opened[-1].role, asked[-1].role} == {"investigator", "sponsor"}
                assert set(judged.bars) <= set(opened[-1].bars)


Escalating.TestCase.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestEscalating = Escalating.TestCase
