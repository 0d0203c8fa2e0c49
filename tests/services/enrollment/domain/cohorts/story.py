"""An escalation over a clock of its own: people, slots, infusions and toxicities."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from services.enrollment.domain.cohorts.commands import (
    ConfirmOverride,
    EscalationCommand,
    JudgeInfusion,
    RecordDecision,
    RequestOverride,
    ReserveSlot,
)
from services.enrollment.domain.cohorts.escalation import DECIDER
from shared.contracts.enrollment_escalation import Bar, EscalationEvent, InfusionJudged
from shared.escalation.designs.standing import Decision
from shared.escalation.gate import closed_for, says
from shared.escalation.standing import Escalation, Facts, Halt, Person, Plan
from shared.kernel.actor import Actor, Role
from shared.protocol import Protocol
from shared.protocol.dose_limiting_status import DltStatus
from tests.shared.protocol.documents import protocol_with

DAY, WINDOW = timedelta(days=1), timedelta(days=28)
BEGIN = datetime(2027, 1, 4, 3, tzinfo=UTC)
PLAN = Plan(
    ref="CMD03@1.1.0",
    enforced=True,
    design="3+3",
    levels=("DL-1", "DL1", "DL2", "DL3"),
    start_level="DL1",
    cohort_size=3,
    max_per_level=6,
    target_number=9,
    target=None,
    allow_deescalation=True,
    stagger_first=14 * DAY,
    stagger_next=7 * DAY,
    override_roles=("investigator", "sponsor"),
)


@cache
def enforcing(design: str = "3+3", target: str | None = None) -> Protocol:
    """CMD03 in a version that holds infusions to this design."""
    return protocol_with(
        version="1.1.0",
        dosing__escalation__value=design,
        dose_escalation__enforced__value=True,
        dose_escalation__target__value=target,
    )


def somebody(role: Role = Role.SPONSOR, name: str | None = None) -> Actor:
    return Actor(name or f"{role.value}-1", frozenset({role}), None, role)


def who(number: int) -> UUID:
    return UUID(int=number)


@dataclass
class Story:
    plan: Plan = PLAN
    now: datetime = BEGIN
    people: dict[UUID, Person] = field(default_factory=dict)
    history: list[EscalationEvent] = field(default_factory=list)
    halts: tuple[Halt, ...] = ()
    dlt: dict[UUID, datetime] = field(default_factory=dict)  # since when it is known

    @property
    def state(self) -> Escalation:
        return DECIDER.fold(self.history)

    def confirm_dlt(self, *numbers: int) -> None:
        self.dlt |= {who(each): self.dlt.get(who(each), self.now) for each in numbers}

    def refute_dlt(self, number: int) -> None:
        self.dlt.pop(who(number), None)

    def facts(self, by: Actor | None = None, at: datetime | None = None) -> Facts:
        """What is known now, or what was at an instant."""
        then = self.now if at is None else at
        known = {key: self._as_at(each, then) for key, each in self.people.items()}
        return Facts(then, self.plan, by or somebody(), known, self.halts)

    def _as_at(self, person: Person, at: datetime) -> Person:
        if person.window_ends is None or person.status is DltStatus.NOT_EVALUABLE:
            return person
        known_since = self.dlt.get(person.participant_id)
        if known_since is not None and known_since <= at:
            return replace(person, status=DltStatus.DLT)
        return replace(person, status=DltStatus.IN_WINDOW if at <= person.window_ends else DltStatus.EVALUABLE)

    def tell(self, command: EscalationCommand, by: Actor | None = None) -> list[EscalationEvent]:
        at = command.started_at if isinstance(command, JudgeInfusion) else None
        told = DECIDER.decide(command, self.state, self.facts(by, at))
        self.history += told
        return told

    def reserve(self, number: int, *, dose_level: str | None = None) -> list[EscalationEvent]:
        self.people.setdefault(who(number), Person(who(number), "CU", dose_level, DltStatus.NOT_INFUSED))
        return self.tell(ReserveSlot(participant_id=who(number)))

    def infuse(
        self, number: int, *, despite: str | None = None, ago: timedelta = timedelta(), infusion: int = 1
    ) -> InfusionJudged:
        at, person = self.now - ago, self.people[who(number)]
        command = JudgeInfusion(
            participant_id=who(number), infusion_number=infusion, started_at=at, given_despite=despite
        )
        (judged,) = self.tell(command)
        if infusion == 1:
            self.people[who(number)] = replace(
                person,
                dose_level=self.state.level_of(person),
                started_at=at,
                window_ends=at + WINDOW,
                status=DltStatus.IN_WINDOW,
            )
        assert isinstance(judged, InfusionJudged)
        return judged

    def correct(self, number: int, at: datetime) -> InfusionJudged:
        (judged,) = self.tell(
            JudgeInfusion(participant_id=who(number), infusion_number=1, started_at=at, corrects=True)
        )
        person = self.people[who(number)]
        self.people[who(number)] = replace(person, started_at=at, window_ends=at + WINDOW)
        assert isinstance(judged, InfusionJudged)
        return judged

    def override(self, number: int, infusion: int = 1) -> None:
        asked = {"participant_id": who(number), "infusion_number": infusion, "reason": "No other treatment is left"}
        self.tell(RequestOverride.model_validate(asked), somebody(Role.INVESTIGATOR))
        self.tell(ConfirmOverride.model_validate(asked), somebody(Role.SPONSOR))

    def follow_the_design(self, slots: int = 3) -> None:
        said = says(self.state, self.facts())
        assert said.decision is not None
        decision = Decision(said.decision)
        treats = said.next_level is not None
        self.tell(
            RecordDecision(
                design_said=decision,
                decision=decision,
                next_level=said.next_level,
                slots=slots if treats else 0,
            )
        )

    def decide(self, level: str, slots: int) -> None:
        """The committee treats so many more at a level, whatever the design says."""
        said = says(self.state, self.facts()).decision
        self.tell(
            RecordDecision(
                design_said=None if said is None else Decision(said),
                decision=Decision.STAY,
                next_level=level,
                slots=slots,
                reason="Judged by the committee",
            )
        )

    def cohort(self, *numbers: int) -> None:
        """Reserve, infuse in the right intervals, and wait for the last window to end."""
        for place, number in enumerate(numbers):
            self.reserve(number)
            self.infuse(number)
            self.now += 14 * DAY if place == 0 else 7 * DAY
        self.now += WINDOW

    def bars(self, number: int) -> tuple[Bar, ...]:
        return tuple(each.bar for each in closed_for(who(number), 1, self.now, self.state, self.facts()))
