"""Enrolment, slots, infusions, toxicities, corrections, time, pauses, halts and overrides in random order, by the real
commands over a real store: no way leads past a cap or a closed gate but through two people.

The rules are said here a second time, over what the test itself has noted, in the words of the protocol.
`ESCALATION_EXAMPLES=200` looks for longer.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.enrollment.app import SERVICE
from services.enrollment.domain.cohorts.commands import (
    ConfirmOverride,
    PauseDosing,
    RecordDecision,
    ReleaseSlot,
    RequestOverride,
    ResumeDosing,
)
from services.enrollment.domain.ending import RecordLossToFollowUp, RetractDiscontinuation
from shared.contracts.enrollment_escalation import EscalationDecided, Permission, SlotReserved
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.db import open_database
from shared.escalation.designs.standing import Decision
from shared.kernel.actor import Actor, Role
from shared.kernel.errors import TrialError
from tests.services.enrollment.clinic import DAY, OFFICER, Clinic, who
from tests.services.enrollment.conftest import a_migrated_database
from tests.services.enrollment.domain.cohorts.story import enforcing
from tests.services.enrollment.memory import MemoryRecorder

USUAL = 6
EXAMPLES = int(os.environ.get("ESCALATION_EXAMPLES", USUAL))  # noqa: TID251 - of the test run, not of the trial
CHILDREN = 14
PLANNED, AT_A_LEVEL, WINDOW = 9, 6, 28 * DAY
FIRST_GAP, NEXT_GAP = 14 * DAY, 7 * DAY
INFUSION, SITE = timedelta(minutes=4), ZoneInfo("Asia/Bangkok")
LEVELS = ("DL-1", "DL1", "DL2", "DL3")

DESIGNS = (("3+3", None), ("rolling-6", None), ("BOIN", "0.30"))
PICK = st.integers(0, CHILDREN)
ASKING = (Role.INVESTIGATOR, Role.SPONSOR, Role.SAFETY_OFFICER)  # each of the two people holds all of them
MAY = [Actor(name, frozenset(ASKING), None, role) for name in "ab" for role in ASKING]
T = TypeVar("T")


@cache
def migrated() -> Path:
    """An empty database of enrollment's, made once."""
    file = Path(tempfile.mkdtemp()) / "migrated.sqlite3"

    async def migrate() -> None:
        await (await a_migrated_database(f"sqlite+aiosqlite:///{file}")).dispose()

    asyncio.run(migrate())
    return file


@dataclass
class Given:
    """An infusion as the test saw it recorded."""

    at: datetime
    level: str | None


class Escalating(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        file = shutil.copy(migrated(), Path(self.folder.name) / "enrollment.sqlite3")
        self.runner = asyncio.Runner()
        self.db = open_database(f"sqlite+aiosqlite:///{file}", SERVICE.name)
        self.slots: dict[int, str] = {}
        self.given: dict[int, Given] = {}
        self.dlt: set[int] = set()
        self.left: dict[int, datetime] = {}
        self.closed: list[tuple[datetime, datetime | None]] = []  # pauses and halts
        self.halts, self.halting = 0, False
        self.enrolled: set[int] = set()
        self.opened: list[tuple[str | None, int]] = [("DL1", 3)]
        self.asked: dict[int, Actor] = {}
        self.overridden: set[int] = set()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def tries(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Whether it was carried out. What is refused changes nothing, and is no failure."""
        try:
            self.run(work)
        except TrialError:
            return False
        return True

    def one_of(self, children: Iterable[int], pick: int) -> int | None:
        known = sorted(children)
        return known[pick % len(known)] if known else None

    def teardown(self) -> None:
        self.run(self.db.dispose())
        self.runner.close()
        self.folder.cleanup()

    @initialize(design=st.sampled_from(DESIGNS), cohorts=st.integers(0, 2))
    def are_under_way(self, design: tuple[str, str | None], cohorts: int) -> None:
        self.clinic = Clinic(self.db, enforcing(*design), recorder=MemoryRecorder())
        self.run(self.clinic.screened(*range(1, CHILDREN + 1)))
        for _ in range(cohorts):
            self.treat_a_cohort()
            self.wait_for_the_windows_and_decide()

    # What sites do.

    @rule(pick=PICK, enrolling=st.booleans())
    def take_a_place(self, pick: int, enrolling: bool) -> None:
        self.take(self.one_of(self.waiting | self.left.keys(), pick), enrolling=enrolling)

    def take(self, child: int | None, *, enrolling: bool = True) -> None:
        if child is None:
            return
        before = self.run(self.clinic.state()).slots
        if not self.tries(self.clinic.enrol(child) if enrolling else self.clinic.reserve(child)):
            return
        self.enrolled |= {child} if enrolling else set()
        after = self.run(self.clinic.state()).slots
        self.slots = {number: after[who(number)] for number in range(1, CHILDREN + 1) if who(number) in after}
        assert child in self.slots, "enrolled without a slot"
        if before != after:
            assert self.slots[child] == self.opened[-1][0], "the slot is not at the level that is open"
            assert self.closed == [] or self.closed[-1][1] is not None, "a slot was given while dosing is paused"
            assert child not in self.left, "a slot was given to somebody who has left"

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        child = self.one_of(self.slots, pick)
        command = ReleaseSlot(participant_id=who(child or 0), reason="Too ill to be treated")
        if child is not None and self.tries(self.clinic.carry_out(command)):
            assert child not in self.given or not self._counts(child), "the slot of somebody who counts was released"
            del self.slots[child]

    @rule(pick=PICK, days=st.sampled_from([0, 6, 7, 13, 14]), despite=st.sampled_from([None, None, "Was not told"]))
    def infuse_somebody(self, pick: int, days: int, despite: str | None) -> None:
        self.clinic.now += days * DAY
        self.infuse(self.one_of(self.enrolled - self.given.keys(), pick), despite)

    def infuse(self, child: int | None, despite: str | None = None) -> None:
        if child is not None and self.tries(self.clinic.infuse(child, despite=despite)):
            self._note(child, excused=despite is not None)

    @rule(pick=PICK, hours=st.integers(1, 72))
    def correct(self, pick: int, hours: int) -> None:
        child = self.one_of(self.given, pick)
        if child is not None and self.tries(self.clinic.correct(child, self.given[child].at - timedelta(hours=hours))):
            self._note(child, excused=True, corrects=True)

    @rule(pick=PICK)
    def retract(self, pick: int) -> None:
        child = self.one_of(self.given, pick)
        if child is not None:
            self.run(self.clinic.retract(child))
            del self.given[child]
            assert (who(child), 1) not in self.run(self.clinic.state()).judged

    @rule(days=st.sampled_from([0, 6, 7, 13, 14]), pausing=st.booleans())
    def treat_one_more(self, days: int, pausing: bool = False) -> None:
        child = self.one_of(self.waiting, 0)
        self.clinic.now += days * DAY
        self.take(child)
        if pausing:
            self.close(halting=False)
        self.infuse(child if child in self.enrolled else None)

    @rule()
    def treat_a_cohort(self) -> None:
        for _ in range(3):
            self.treat_one_more(14)

    @rule(pick=PICK)
    def leave_or_come_back(self, pick: int) -> None:
        child = self.one_of(self.enrolled, pick)
        lost = RecordLossToFollowUp(last_contact_on=self.clinic.now.date().isoformat())
        found = RetractDiscontinuation(status=ParticipantStatus.LOST_TO_FOLLOW_UP, reason="Reached by telephone")
        if child is None:
            return
        if child in self.left:
            if self.tries(self.clinic.tell(child, found)):
                del self.left[child]
        elif self.tries(self.clinic.tell(child, lost)):
            self.left[child] = self.clinic.now

    # What safety and the committee decide.

    @rule(pick=PICK, days=st.integers(0, 29))
    def decide_about_a_toxicity(self, pick: int, days: int) -> None:
        child = self.one_of(self.given, pick)
        self.clinic.now += days * DAY
        if child is None:
            return
        if child in self.dlt:
            self.run(self.clinic.refuted(child))
        else:
            self.run(self.clinic.has_a_dlt(child))
        self.dlt ^= {child}

    @rule(halting=st.booleans())
    def close(self, halting: bool) -> None:
        """A stopping rule fires, or a person pauses."""
        if self.closed and self.closed[-1][1] is None:
            return
        self.halting = halting
        self.halts += halting
        paused = PauseDosing(reason="A report from another trial")
        self.run(self.clinic.halted(self.halts) if halting else self.clinic.carry_out(paused))
        self.closed.append((self.clinic.now, None))

    @rule(days=st.integers(0, 9))
    def open(self, days: int) -> None:
        self.clinic.now += days * DAY
        if self.closed and self.closed[-1][1] is None:
            resumed = ResumeDosing(reason="The report was read")
            self.run(self.clinic.reviewed(self.halts) if self.halting else self.clinic.carry_out(resumed))
            self.closed[-1] = (self.closed[-1][0], self.clinic.now)

    @rule()
    def wait_for_the_windows_and_decide(self) -> None:
        if self.given:
            self.clinic.now += 29 * DAY
            self.decide_as_the_design(3)

    @rule(slots=st.integers(1, 6))
    def decide_as_the_design(self, slots: int) -> None:
        _, said = self.run(self.clinic.standing())
        if said.decision is not None:  # it knows no more than six at a level, as where somebody comes back
            self.tries(self.clinic.follow_the_design(slots))
        self._learn()

    @rule(level=st.sampled_from(["DL1", "DL2", None, "DL-1", "DL3"]), slots=st.integers(1, 6))
    def decide_otherwise(self, level: str | None, slots: int) -> None:
        """The committee may, and says why; no gate opens by it before its time."""
        _, said = self.run(self.clinic.standing())
        command = RecordDecision(
            design_said=None if said.decision is None else Decision(said.decision),
            decision=Decision.STOP if level is None else Decision.STAY,
            next_level=level,
            slots=0 if level is None else slots,
            reason="Judged by the committee",
        )
        self.run(self.clinic.carry_out(command, OFFICER))
        self._learn()

    @rule(pick=PICK, first=st.sampled_from(MAY), second=st.sampled_from(MAY), confirming=st.booleans())
    def override(self, pick: int, first: Actor, second: Actor, confirming: bool) -> None:
        child = self.one_of(self.enrolled - self.given.keys(), pick)
        if child is None:
            return
        told: dict[str, Any] = {"participant_id": who(child), "reason": "No other treatment is left"}
        if self.tries(self.clinic.carry_out(RequestOverride(**told), first)):
            self.asked[child] = first
            self.overridden.discard(child)
        if confirming and self.tries(self.clinic.carry_out(ConfirmOverride(**told), second)):
            asked = self.asked.pop(child)
            assert asked.id != second.id
            assert {asked.role, second.role} == {Role.INVESTIGATOR, Role.SPONSOR}
            self.overridden.add(child)
        self.infuse(child)

    # What must hold.

    @invariant()
    def no_slot_is_one_too_many(self) -> None:
        history = self.run(self.clinic.history())
        if history and isinstance(history[-1], SlotReserved):
            level = history[-1].dose_level
            filled = [child for child in {*self.slots, *self.given} if self._fills(child)]
            here = [child for child in filled if self._level(child) == level]
            assert len(here) <= min(AT_A_LEVEL, sum(slots for opened, slots in self.opened if opened == level))
            assert len(filled) <= PLANNED

    def _note(self, child: int, *, excused: bool, corrects: bool = False) -> None:
        """What the gate said of an infusion that is on record now: it never says nothing."""
        judged = self.run(self.clinic.state()).judged[who(child), 1]
        match judged.permission:
            case Permission.PERMITTED:
                self._held_its_time(child, judged.started_at, judged.dose_level or "")
                if not corrects:  # by the time of a correction another level may be open
                    self._had_a_place(child, judged.dose_level)
            case Permission.OVERRIDDEN:
                assert child in self.overridden, "no two people opened the gate"
            case Permission.DEVIATION:
                assert excused, "it was taken for given, and nobody said that it was"
        self.given[child] = Given(judged.started_at, judged.dose_level)

    def _others(self, child: int) -> dict[int, Given]:
        return {each: told for each, told in self.given.items() if each != child}

    def _held_its_time(self, child: int, at: datetime, level: str) -> None:
        assert not any(since <= at and (until is None or at < until) for since, until in self.closed)
        others = self._others(child)
        here = [told.at for told in others.values() if told.level == level]
        assert all(abs(at - other) >= NEXT_GAP for other in here)
        assert here == [] or abs(at - min(here)) >= FIRST_GAP
        below = LEVELS[: LEVELS.index(level)]
        before = {each: told for each, told in others.items() if told.at <= at}
        watched = [each for each, told in before.items() if told.level in below and self._counts(each)]
        assert all(each in self.dlt or others[each].at + WINDOW < at for each in watched)

    def _had_a_place(self, child: int, level: str | None) -> None:
        assert self.slots.get(child) == level == self.opened[-1][0]
        counting = [told for each, told in self._others(child).items() if self._counts(each)]
        assert len(counting) < PLANNED
        assert sum(told.level == level for told in counting) < AT_A_LEVEL

    def _counts(self, child: int) -> bool:
        """Infused, and not to be replaced: had a DLT, or was there on the day at the site on which the window ends."""
        ends = (self.given[child].at + INFUSION + WINDOW).astimezone(SITE).date()
        return child in self.dlt or child not in self.left or self.left[child].astimezone(SITE).date() >= ends

    def _fills(self, child: int) -> bool:
        return self._counts(child) if child in self.given else child not in self.left

    def _level(self, child: int) -> str | None:
        return self.slots.get(child, self.given[child].level if child in self.given else None)

    def _learn(self) -> None:
        decided = [each for each in self.run(self.clinic.history()) if isinstance(each, EscalationDecided)]
        self.opened = [("DL1", 3), *((each.next_level, each.slots) for each in decided)]

    @property
    def waiting(self) -> set[int]:
        return set(range(1, CHILDREN + 1)) - self.enrolled


LONG = EXAMPLES > USUAL
Escalating.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50 if LONG else 15,
    phases=[Phase.generate, Phase.shrink] if LONG else [Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestEscalating = Escalating.TestCase
