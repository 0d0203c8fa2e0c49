"""What the escalation rests on: its plan, who is treated and how they stand, and what its stream has told.

A participant who is not evaluable for dose-limiting toxicity (DLT) is replaced and counts for no cap; neither does one
who left before the infusion. Whoever was infused without a slot counts all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, assert_never, cast
from uuid import UUID

from shared.contracts.enrollment_escalation import (
    Bar,
    DltStanding,
    DosingPaused,
    DosingResumed,
    EscalationBasisChanged,
    EscalationDecided,
    EscalationEvent,
    InfusionJudged,
    InfusionJudgementRetracted,
    InfusionOverrideConfirmed,
    InfusionOverrideRequested,
    SlotReleased,
    SlotReserved,
)
from shared.kernel.actor import Actor
from shared.protocol import Protocol
from shared.protocol.dose_limiting_status import DltStatus

EVER = datetime.min.replace(tzinfo=UTC)  # of what is on record without its time


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of the protocol that the escalation is run by. `levels`: from the lowest dose to the highest.

    `enforced` False: slots and decisions are kept, and no infusion is held to them.
    """

    ref: str
    enforced: bool
    design: str
    levels: tuple[str, ...]
    start_level: str
    cohort_size: int
    max_per_level: int
    target_number: int
    target: Decimal | None
    allow_deescalation: bool
    stagger_first: timedelta
    stagger_next: timedelta
    override_roles: tuple[str, ...]


def plan_of(protocol: Protocol) -> Plan | None:
    """None: this protocol version has no escalation."""
    dosing, escalation = protocol.dosing, protocol.dose_escalation
    if dosing is None or escalation is None:
        return None
    return Plan(
        ref=protocol.ref,
        enforced=escalation.enforced.value,
        design=dosing.escalation.value.value,
        levels=tuple(level.name for level in dosing.levels.value),
        start_level=escalation.start_level.value,
        cohort_size=escalation.cohort_size.value,
        max_per_level=escalation.max_per_level.value,
        target_number=protocol.planned_participants.value,
        target=escalation.target.value,
        allow_deescalation=escalation.allow_deescalation.value,
        stagger_first=timedelta(days=dosing.stagger_first_days.value),
        stagger_next=timedelta(days=dosing.stagger_next_days.value),
        override_roles=tuple(role.value for role in escalation.override_roles.value),
    )


@dataclass(frozen=True, slots=True)
class Person:
    """A participant as known now. `dose_level` is that of the enrolment; times are those of the first infusion."""

    participant_id: UUID
    site_id: str
    dose_level: str | None
    status: DltStatus
    undecided: bool = False
    started_at: datetime | None = None
    window_ends: datetime | None = None
    left: bool = False

    @property
    def counts(self) -> bool:
        """Whether they fill a slot. Who left after the infusion without a DLT is not evaluable: see the status."""
        return self.status is not DltStatus.NOT_EVALUABLE and (self.started_at is not None or not self.left)


@dataclass(frozen=True, slots=True)
class Halt:
    """The time during which a stopping rule halted dosing. `until` None: it does, until a person lets dosing resume."""

    rule: str
    since: datetime
    until: datetime | None = None

    def held(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at `now`, when `by` acts.

    `halts`: of dosing, by stopping rules. `people`: all who were infused or have a slot, and those infused later too.
    """

    now: datetime
    plan: Plan
    by: Actor
    people: Mapping[UUID, Person]
    halts: tuple[Halt, ...] = ()

    @property
    def is_halted(self) -> bool:
        return any(halt.until is None for halt in self.halts)


@dataclass(frozen=True, slots=True)
class Override:
    """An opening of the gate for one infusion, asked for by one person, and perhaps confirmed by another."""

    bars: frozenset[Bar]
    requested_by: str
    role: str
    confirmed_at: datetime | None = None

    @property
    def confirmed(self) -> bool:
        return self.confirmed_at is not None

    def opens(self, bars: Iterable[Bar], at: datetime) -> bool:
        """Whether two people had by then opened the gate against all of these bars, of which there are some."""
        named = set(bars)
        return self.confirmed_at is not None and self.confirmed_at <= at and bool(named) and self.bars >= named


Infusion = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Escalation:
    """All that the stream has told. `basis`: what was last said of what the latest decision rests on."""

    slots: Mapping[UUID, str] = field(default_factory=lambda: MappingProxyType({}))
    decisions: tuple[EscalationDecided, ...] = ()
    basis: tuple[DltStanding, ...] = ()
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()
    overrides: Mapping[Infusion, Override] = field(default_factory=lambda: MappingProxyType({}))
    judged: Mapping[Infusion, InfusionJudged] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1][1] is None

    def pauses_of(self, at: datetime) -> list[datetime | None]:
        """When each pause ended that there was at this instant; None: not yet."""
        return [until for since, until in self.pauses if since <= at and (until is None or at < until)]

    def as_of(self, at: datetime) -> "Escalation":
        """As the committee had decided by an instant. A slot counts whenever it was reserved."""
        return replace(self, decisions=tuple(each for each in self.decisions if (each.at or EVER) <= at))

    def open_level(self, plan: Plan) -> str | None:
        """Where participants are treated now; None: nowhere."""
        return self.decisions[-1].next_level if self.decisions else plan.start_level

    def capacity(self, level: str, plan: Plan) -> int:
        """How many are treated at a level: a cohort at the first one, and what each decision added."""
        first = plan.cohort_size if level == plan.start_level else 0
        added = sum(each.slots for each in self.decisions if each.next_level == level)
        return min(first + added, plan.max_per_level)

    def level_of(self, person: Person) -> str | None:
        return self.slots.get(person.participant_id, person.dose_level)

    def occupants(self, facts: Facts) -> list[Person]:
        """Who fills a slot, of whichever level: who holds one, and whoever was infused without."""
        held = [each for key, each in facts.people.items() if key in self.slots or each.started_at is not None]
        return [each for each in held if each.counts]


def evolve(state: Escalation, event: EscalationEvent) -> Escalation:  # noqa: PLR0911 - one line per event
    match event:
        case SlotReserved(participant_id=who):
            return replace(state, slots={**state.slots, who: event.dose_level})
        case SlotReleased(participant_id=who):
            return replace(state, slots={each: level for each, level in state.slots.items() if each != who})
        case EscalationDecided():
            return replace(state, decisions=(*state.decisions, event), basis=event.basis)
        case EscalationBasisChanged():
            return replace(state, basis=event.basis)
        case DosingPaused():
            return replace(state, pauses=(*state.pauses, (event.at, None)))
        case DosingResumed():
            since, _ = state.pauses[-1]
            return replace(state, pauses=(*state.pauses[:-1], (since, event.at)))
        case InfusionOverrideRequested() | InfusionOverrideConfirmed():
            confirmed_at = (event.at or EVER) if isinstance(event, InfusionOverrideConfirmed) else None
            opening = Override(frozenset(event.bars), event.requested_by, event.role, confirmed_at)
            return replace(state, overrides={**state.overrides, (event.participant_id, event.infusion_number): opening})
        case InfusionJudged():
            return replace(state, judged={**state.judged, (event.participant_id, event.infusion_number): event})
        case InfusionJudgementRetracted():
            gone = (event.participant_id, event.infusion_number)
            return replace(state, judged={key: each for key, each in state.judged.items() if key != gone})
        case _:
            assert_never(event)


def basis_of(state: Escalation, facts: Facts) -> tuple[DltStanding, ...]:
    """Everybody who was infused, in the order in which they were."""
    infused = sorted(
        ((each.started_at, key, each) for key, each in facts.people.items() if each.started_at is not None),
        key=lambda told: told[:2],
    )
    return tuple(
        DltStanding(
            participant_id=key,
            dose_level=state.level_of(each),
            status=cast(
                'Literal["in-window", "evaluable-without-dlt", "dlt", "not-evaluable"]',
                each.status.value,
            ),
            undecided=each.undecided,
        )
        for _, key, each in infused
    )


def is_other(was: tuple[DltStanding, ...], now: tuple[DltStanding, ...]) -> bool:
    """Whether what a decision rests on has changed: not by a window that ended as hoped, nor by who came later."""
    return bool(levels_changed(was, now))


def levels_changed(was: tuple[DltStanding, ...], now: tuple[DltStanding, ...]) -> frozenset[str | None]:
    """The dose levels at which what a decision rests on has changed."""
    before = {each.participant_id: _weight(each) for each in was}
    after = {
        each.participant_id: _weight(each)
        for each in now
        if each.participant_id in before or each.status == "dlt" or each.undecided
    }
    others = {key for key in before | after if before.get(key) != after.get(key)}
    return frozenset(weights[key][0] for key in others for weights in (before, after) if key in weights)


def _weight(each: DltStanding) -> tuple[str | None, str, bool]:
    """The dose level and what somebody counts for there."""
    status = "without" if each.status in ("in-window", "evaluable-without-dlt") else each.status
    return each.dose_level, status, each.undecided


def halts_of(steps: Iterable[tuple[str, bool, datetime]]) -> tuple[Halt, ...]:
    """The times of halts, from when each rule began (True) and ceased to halt dosing, in order of time."""
    ended: list[Halt] = []
    running: dict[str, datetime] = {}
    for rule, halts, at in steps:
        if halts:
            running.setdefault(rule, at)
        elif rule in running:
            ended.append(Halt(rule, running.pop(rule), at))
    return (*ended, *(Halt(rule, since) for rule, since in running.items()))
