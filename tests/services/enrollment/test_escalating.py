"""Enrolment, slots, infusions, toxicities, corrections, time, pauses, halts and overrides in random order, by the real
commands over a real store: no way leads past a cap or a closed gate but through two people.

The rules are said here a second time, over what the test itself has noted, in the words of the protocol.
`ESCALATION_EXAMPLES=200` looks for longer.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
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
from shared.escalation.designs.standing import Decision
from shared.contracts.enrollment_escalation import EscalationDecided, InfusionJudged, Permission, SlotReserved
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.db import open_database
from shared.kernel.actor import Actor, Role
from shared.kernel.errors import TrialError
from tests.services.enrollment.clinic import DAY, OFFICER, Clinic, who
from tests.services.enrollment.conftest import a_migrated_database
from tests.services.enrollment.domain.cohorts.story import enforcing
from tests.services.enrollment.memory import MemoryRecorder

EXAMPLES = int(os.environ.get("ESCALATION_EXAMPLES", "5"))  # noqa: TID251 - of the test run, not of the trial
CHILDREN = 14
PLANNED, AT_A_LEVEL, WINDOW = 9, 6, 28 * DAY
FIRST_GAP, NEXT_GAP = 14 * DAY, 7 * DAY
INFUSION, SITE = timedelta(minutes=4), ZoneInfo("Asia/Bangkok")
LEVELS = ("DL-1", "DL1", "DL2", "DL3")

DESIGNS = (("3+3", None), ("rolling-6", None), ("BOIN", "0.30"))
CHILD = st.integers(1, CHILDREN)
PEOPLE = [Actor(f"{role.value}-{name}", frozenset({role}), None, role) for role in Role for name in "ab"]
MAY = [each for each in PEOPLE if each.role in {Role.INVESTIGATOR, Role.SPONSOR, Role.SAFETY_OFFICER}]
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
        self.halts, self.halted = 0, False
        self.opened: list[tuple[str | None, int]] = [("DL1", 3)]
        self.asked: dict[int, Actor] = {}
        self.overridden: set[int] = set()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def tries(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Whatever is refused changes nothing, and is no failure."""
        try:
            return self.run(work)
        except TrialError:
            return None

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

    @rule(days=st.integers(1, 30))
    def wait(self, days: int) -> None:
        self.clinic.now += days * DAY

    @rule(child=CHILD)
    def enrol(self, child: int) -> None:
        if self.tries(self.clinic.enrol(child)) is not None:
            self._takes(child)

    @rule(child=CHILD)
    def reserve(self, child: int) -> None:
        before = len(self.run(self.clinic.history()))
        if self.tries(self.clinic.reserve(child)) is not None and len(self.run(self.clinic.history())) > before:
            self._takes(child)

    @rule(child=CHILD)
    def release(self, child: int) -> None:
        command = ReleaseSlot(participant_id=who(child), reason="Too ill to be treated")
        if self.tries(self.clinic.carry_out(command)) is not None:
            assert child not in self.given or not self._counts(child), "the slot of somebody who counts was released"
            self.slots.pop(child, None)

    @rule(child=CHILD, despite=st.sampled_from([None, None, None, "Given before the pause was known"]))
    def infuse(self, child: int, despite: str | None) -> None:
        if child not in self.given:
            self._note(child, self.tries(self.clinic.infuse(child, despite=despite)), excused=despite is not None)

    @rule(child=CHILD, hours=st.integers(1, 72))
    def correct(self, child: int, hours: int) -> None:
        if child in self.given:
            at = self.given[child].at - timedelta(hours=hours)
            self._note(child, self.tries(self.clinic.correct(child, at)), excused=True, corrects=True)

    @rule(child=CHILD)
    def retract(self, child: int) -> None:
        if child in self.given:
            self.run(self.clinic.retract(child))
            del self.given[child]

    @rule(days=st.sampled_from([0, 6, 7, 13, 14]))
    def treat_one_more(self, days: int) -> None:
        child = len(self.given) + len(self.left - self.given.keys()) + 1
        self.clinic.now += days * DAY
        if child <= CHILDREN:
            self.enrol(child)
            self.infuse(child, None)

    @rule()
    def treat_a_cohort(self) -> None:
        for _ in range(3):
            self.treat_one_more(14)

    @rule(child=CHILD)
    def leaves(self, child: int) -> None:
        lost = RecordLossToFollowUp(last_contact_on=self.clinic.now.date().isoformat())
        if child not in self.left and self.tries(self.clinic.tell(child, lost)) is not None:
            self.left[child] = self.clinic.now

    @rule(child=CHILD)
    def is_found_again(self, child: int) -> None:
        found = RetractDiscontinuation(status=ParticipantStatus.LOST_TO_FOLLOW_UP, reason="Reached by telephone")
        if child in self.left and self.tries(self.clinic.tell(child, found)) is not None:
            del self.left[child]

    # What safety and the committee decide.

    @rule(child=CHILD)
    def has_a_dlt(self, child: int) -> None:
        if child in self.given and child not in self.dlt:
            self.run(self.clinic.has_a_dlt(child))
            self.dlt.add(child)

    @rule(child=CHILD)
    def dlt_is_refuted(self, child: int) -> None:
        if child in self.dlt:
            self.run(self.clinic.refuted(child))
            self.dlt.discard(child)

    @rule()
    def a_rule_fires(self) -> None:
        if not self._is_closed():
            self.halts += 1
            self.halted = True
            self.run(self.clinic.halted(self.halts))
            self.closed.append((self.clinic.now, None))

    @rule()
    def the_halt_is_reviewed(self) -> None:
        if self._is_closed() and self.halted:
            self.halted = False
            self.run(self.clinic.reviewed(self.halts))
            self._opens()

    @rule()
    def pause(self) -> None:
        if not self._is_closed():
            self.run(self.clinic.carry_out(PauseDosing(reason="A report from another trial")))
            self.closed.append((self.clinic.now, None))

    @rule()
    def resume(self) -> None:
        if self._is_closed() and not self.halted:
            self.run(self.clinic.carry_out(ResumeDosing(reason="The report was read")))
            self._opens()

    @rule()
    def treat_one_just_when_paused(self) -> None:
        self.clinic.now += 14 * DAY
        self.enrol(len(self.given) + 1)
        self.pause()
        self.infuse(len(self.given) + 1, None)

    @rule()
    def wait_for_the_windows_and_decide(self) -> None:
        if self.given:
            self.clinic.now += 29 * DAY
            self.decide_as_the_design(3)

    @rule(slots=st.integers(1, 6))
    def decide_as_the_design(self, slots: int) -> None:
        self.tries(self.clinic.follow_the_design(slots))
        self._learn()

    @rule(level=st.sampled_from([None, *LEVELS]), slots=st.integers(1, 6))
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

    @rule(child=CHILD, by=st.sampled_from(MAY))
    def asks_for_an_override(self, child: int, by: Actor) -> None:
        command = RequestOverride(participant_id=who(child), reason="No other treatment is left")
        if self.tries(self.clinic.carry_out(command, by)) is not None:
            self.asked[child] = by
            self.overridden.discard(child)

    @rule(child=CHILD, by=st.sampled_from(MAY))
    def confirms_an_override(self, child: int, by: Actor) -> None:
        command = ConfirmOverride(participant_id=who(child), reason="The sponsor agrees")
        if self.tries(self.clinic.carry_out(command, by)) is not None:
            first = self.asked.pop(child)
            assert first.id != by.id
            assert {first.role, by.role} == {Role.INVESTIGATOR, Role.SPONSOR}
            self.overridden.add(child)

    @rule(child=CHILD, first=st.sampled_from(MAY[:2]), second=st.sampled_from(MAY))
    def two_people_override(self, child: int, first: Actor, second: Actor) -> None:
        self.asks_for_an_override(child, first)
        self.confirms_an_override(child, second)
        self.infuse(child, None)

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

    def _takes(self, child: int) -> None:
        state = self.run(self.clinic.state())
        self.slots = {number: state.slots[who(number)] for number in (*self.slots, child) if who(number) in state.slots}
        assert self.slots[child] == self.opened[-1][0], "the slot is not at the level that is open"
        assert not self._is_closed(), "a slot was given while dosing is paused or halted"

    def _note(self, child: int, permission: Permission | None, *, excused: bool, corrects: bool = False) -> None:
        if permission is None:
            return
        judged = self.run(self.clinic.state()).judged[who(child), 1]
        assert isinstance(judged, InfusionJudged)
        match permission:
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
        watched = [each for each, told in others.items() if told.level in below and self._counts(each)]
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

    def _is_closed(self) -> bool:
        return bool(self.closed) and self.closed[-1][1] is None

    def _opens(self) -> None:
        self.closed[-1] = (self.closed[-1][0], self.clinic.now)


Escalating.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestEscalating = Escalating.TestCase
