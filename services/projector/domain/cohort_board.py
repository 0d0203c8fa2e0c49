"""The cohort board: where the escalation of the dose stands, who fills its slots, and what holds the next infusion.

It folds the escalation's own events and asks the same gate that enrollment asks (`shared.escalation`), so it shows what
would be decided now. It is about the whole trial; participants are named to those who may see them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

from services.projector.domain.board_lines import (
    CohortBoard,
    DecisionOnBoard,
    HeldBy,
    JudgedInfusion,
    LevelOnBoard,
    NextInfusion,
    OverrideOnBoard,
    ParticipantOnBoard,
    PauseOnBoard,
    Place,
)
from services.projector.domain.dose_limiting_table import (
    Dosed,
    DosedParticipant,
    Proposed,
    dosed_participant,
    proposed_of_each,
)
from services.projector.domain.stopping_rules import FiredRule, StoppingRuleState, stopping_rules
from shared.contracts.enrollment_escalation import (
    DltStanding,
    DosingPaused,
    DosingResumed,
    EscalationBasisChanged,
    EscalationDecided,
    EscalationEvent,
    InfusionOverrideConfirmed,
    InfusionOverrideRequested,
    Permission,
)
from shared.escalation.gate import Closed, closed_for, opens, says
from shared.escalation.standing import Escalation, Facts, Person, Plan, evolve, halts_of, plan_of
from shared.kernel.actor import system
from shared.protocol import Protocol
from shared.protocol.dose_limiting_status import DltStatus

NEXT = UUID(int=0)  # stands for whoever comes next, of whom nothing is known
BOARD = system("cohort-board")  # looks, and decides nothing
NO_PLAN = "the protocol escalates no doses"


@dataclass(frozen=True, slots=True)
class Told:
    """An event of the escalation, who recorded it, and when."""

    event: EscalationEvent
    actor: str
    role: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the board is made of. `seen`: the participants whom the asker may see."""

    told: Sequence[Told]
    people: Sequence[Dosed]
    proposed: Sequence[Proposed]
    fired: Sequence[FiredRule]
    seen: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class _Now:
    """The escalation as it stands now, with everybody as the table of toxicities knows them."""

    state: Escalation
    facts: Facts
    stands: Mapping[UUID, DosedParticipant]

    @property
    def plan(self) -> Plan:
        return self.facts.plan


def slot_holders(told: Iterable[Told]) -> frozenset[UUID]:
    """Who holds a slot."""
    return frozenset(_state(told).slots)


def cohort_board(protocol: Protocol, known: Known, now: datetime) -> CohortBoard:
    """Participants by dose level from the lowest on, then in the order in which they fill it."""
    plan = plan_of(protocol)
    rules = tuple(stopping_rules(protocol.stopping.rules, known.fired, known.seen))
    if plan is None:
        return _without_plan(rules)
    assert protocol.dosing is not None  # noqa: S101 - a plan has dose levels
    doses = {level.name: level.dose_cells_per_kg for level in protocol.dosing.levels.value}
    board = _now(protocol, plan, known, now)
    on_board = [line for line in _participants(board) if line.participant_id in known.seen]
    return CohortBoard(
        design=plan.design,
        enforced=plan.enforced,
        reason=None,
        open_level=board.state.open_level(plan),
        target_number=plan.target_number,
        cohort_size=plan.cohort_size,
        window_days=protocol.dosing.dlt_window_days.value,
        levels=tuple(_level(name, doses[name], board) for name in plan.levels),
        participants=tuple(on_board),
        last_decision=_last_decision(known),
        decisions=len(board.state.decisions),
        design_says=says(board.state, board.facts),
        is_paused=board.state.is_paused,
        pauses=tuple(_pauses(known.told)),
        stopping_rules=rules,
        overrides=tuple(each for each in _overrides(known.told, board.state) if each.participant_id in known.seen),
        next_infusion=_of_next(board),
    )


def _without_plan(rules: tuple[StoppingRuleState, ...]) -> CohortBoard:
    nothing = ("design", "open_level", "target_number", "cohort_size", "window_days", "last_decision", "design_says")
    none: dict[str, Any] = dict.fromkeys((*nothing, "next_infusion"))
    empty: dict[str, Any] = dict.fromkeys(("levels", "participants", "pauses", "overrides"), ())
    return CohortBoard(
        **none, **empty, enforced=False, reason=NO_PLAN, decisions=0, is_paused=False, stopping_rules=rules
    )


def _state(told: Iterable[Told]) -> Escalation:
    return reduce(evolve, (each.event for each in told), Escalation())


def _now(protocol: Protocol, plan: Plan, known: Known, now: datetime) -> _Now:
    state = _state(known.told)
    placed = [replace(who, dose_level=state.slots.get(who.participant_id, who.dose_level)) for who in known.people]
    enrolled_for = {who.participant_id: who.dose_level for who in known.people}
    toxicities = proposed_of_each(known.people, known.proposed)
    stands = {
        who.participant_id: dosed_participant(protocol, who, toxicities[who.participant_id], now) for who in placed
    }
    people = {
        who.participant_id: Person(
            participant_id=who.participant_id,
            site_id=who.site_id,
            dose_level=enrolled_for[who.participant_id],
            status=stands[who.participant_id].status,
            undecided=any(not each.withdrawn and each.decision is None for each in toxicities[who.participant_id]),
            started_at=who.infused_from,
            window_ends=stands[who.participant_id].window_ends,
            left=any(on is not None for on in who.endings.values()),
        )
        for who in placed
    }
    halts = halts_of(sorted(_halt_steps(known.fired), key=lambda step: step[2]))
    return _Now(state, Facts(now, plan, BOARD, people, halts), stands)


def _halt_steps(fired: Iterable[FiredRule]) -> Iterator[tuple[str, bool, datetime]]:
    for each in fired:
        yield each.rule, True, each.triggered_at
        if each.reviewed_at is not None:
            yield each.rule, each.decision != "resume", each.reviewed_at


def _fill(level: str, board: _Now) -> list[Person]:
    """Who fills slots of a level, in order: those infused by the hour, then those who wait."""
    here = [each for each in board.state.occupants(board.facts) if board.state.level_of(each) == level]
    infused = sorted((each for each in here if each.started_at is not None), key=_order)
    return [*infused, *(each for each in here if each.started_at is None)]


def _order(person: Person) -> tuple[datetime, UUID]:
    assert person.started_at is not None  # noqa: S101 - of those infused
    return person.started_at, person.participant_id


def _level(name: str, dose: Any, board: _Now) -> LevelOnBoard:
    fill = _fill(name, board)
    used = sum(each.started_at is not None for each in fill)
    status = [
        each.status
        for each in board.facts.people.values()
        if each.started_at is not None and board.state.level_of(each) == name
    ]
    return LevelOnBoard(
        dose_level=name,
        dose_cells_per_kg=dose,
        is_open=name == board.state.open_level(board.plan),
        slots=board.state.capacity(name, board.plan),
        free=_free(name, board),
        reserved=len(fill) - used,
        used=used,
        cohorts=-(-len(fill) // board.plan.cohort_size),
        in_window=status.count(DltStatus.IN_WINDOW),
        evaluable_without_dlt=status.count(DltStatus.EVALUABLE),
        with_dlt=status.count(DltStatus.DLT),
        not_evaluable=status.count(DltStatus.NOT_EVALUABLE),
    )


def _free(level: str, board: _Now) -> int:
    """Of the open level alone. While dosing is paused or halted none of them is given out."""
    state, plan = board.state, board.plan
    if level != state.open_level(plan):
        return 0
    occupants = state.occupants(board.facts)
    taken = sum(state.level_of(each) == level for each in occupants)
    return max(min(state.capacity(level, plan) - taken, plan.target_number - len(occupants)), 0)


def _participants(board: _Now) -> Iterator[ParticipantOnBoard]:
    place = {name: number for number, name in enumerate(board.plan.levels)}
    filling = {
        person.participant_id: number // board.plan.cohort_size + 1
        for name in board.plan.levels
        for number, person in enumerate(_fill(name, board))
    }
    lines = [_participant(who, filling.get(key), board) for key, who in board.stands.items()]

    def order(line: ParticipantOnBoard) -> tuple[Any, ...]:
        level = place.get(line.dose_level or "", len(place))
        return level, line.infused_at is None, line.infused_at or board.facts.now, line.subject_number

    yield from sorted(lines, key=order)


def _participant(who: DosedParticipant, cohort: int | None, board: _Now) -> ParticipantOnBoard:
    person = board.facts.people[who.participant_id]
    judged = board.state.judged.get((who.participant_id, 1))
    waits = person.started_at is None and not person.left
    return ParticipantOnBoard(
        participant_id=who.participant_id,
        subject_number=who.subject_number,
        site_id=who.site_id,
        dose_level=who.dose_level,
        cohort=cohort,
        place=_place(person, board),
        infused_at=person.started_at,
        status=who.status,
        not_evaluable=who.not_evaluable,
        window_ends=who.window_ends,
        undecided=sum(each.wants_a_look for each in who.toxicities),
        infusion=None
        if judged is None
        else JudgedInfusion(permission=judged.permission, bars=judged.bars, reason=judged.reason),
        next_infusion=_held(who.participant_id, board.state, board.facts) if waits else None,
    )


def _place(person: Person, board: _Now) -> Place:
    if person.started_at is not None:
        return Place.USED if person.counts else Place.REPLACED
    return Place.RESERVED if person.counts and person.participant_id in board.state.slots else Place.NONE


def _held(who: UUID, state: Escalation, facts: Facts) -> NextInfusion:
    closed: tuple[Closed, ...] = closed_for(who, 1, facts.now, state, facts)
    return NextInfusion(
        permitted_from=opens(who, 1, facts.now, state, facts),
        held_by=tuple(HeldBy(bar=each.bar, until=each.until) for each in closed),
    )


def _of_next(board: _Now) -> NextInfusion:
    """Of somebody who takes a free slot; where none is free, the missing slot is among what holds it."""
    level = board.state.open_level(board.plan)
    newcomer = Person(NEXT, "", level, DltStatus.NOT_INFUSED)
    facts = replace(board.facts, people={**board.facts.people, NEXT: newcomer})
    state = board.state
    if level is not None and _free(level, board) > 0:
        state = replace(state, slots={**state.slots, NEXT: level})
    return _held(NEXT, state, facts)


def _last_decision(known: Known) -> DecisionOnBoard | None:
    """A basis that changed belongs to the decision before it: the next one begins anew."""
    found: DecisionOnBoard | None = None
    for told in known.told:
        match told.event:
            case EscalationDecided():
                found = _decision(told, told.event, known.seen)
            case EscalationBasisChanged(basis=basis, says=now) if found is not None:
                changed = {"basis_changed_at": told.recorded_at, "basis_now": _seen(basis, known.seen), "says_now": now}
                found = found.model_copy(update=changed)
            case _:
                pass
    return found


def _decision(told: Told, event: EscalationDecided, seen: frozenset[UUID]) -> DecisionOnBoard:
    as_told = ("number", "current_level", "parameters", "says", "decision", "next_level", "slots", "reason")
    return DecisionOnBoard(
        **{name: getattr(event, name) for name in as_told},
        decided_at=told.recorded_at,
        decided_by=told.actor,
        basis=_seen(event.basis, seen),
        basis_size=len(event.basis),
        basis_changed_at=None,
        basis_now=None,
        says_now=None,
    )


def _seen(basis: Iterable[DltStanding], seen: frozenset[UUID]) -> tuple[DltStanding, ...]:
    return tuple(each for each in basis if each.participant_id in seen)


def _pauses(told: Iterable[Told]) -> list[PauseOnBoard]:
    pauses: list[PauseOnBoard] = []
    for each in told:
        match each.event:
            case DosingPaused(at=at, reason=reason):
                begun = PauseOnBoard(
                    since=at, paused_by=each.actor, reason=reason, until=None, resumed_by=None, resumed_because=None
                )
                pauses.append(begun)
            case DosingResumed(at=at, reason=reason):
                ended = {"until": at, "resumed_by": each.actor, "resumed_because": reason}
                pauses[-1] = pauses[-1].model_copy(update=ended)
            case _:
                pass
    return pauses


def _overrides(told: Iterable[Told], state: Escalation) -> list[OverrideOnBoard]:
    """The latest of each infusion, in the order in which they were first asked for."""
    found: dict[tuple[UUID, int], OverrideOnBoard] = {}
    for each in told:
        match each.event:
            case InfusionOverrideRequested() as asked:
                key = (asked.participant_id, asked.infusion_number)
                judged = state.judged.get(key)
                found[key] = OverrideOnBoard(
                    participant_id=asked.participant_id,
                    infusion_number=asked.infusion_number,
                    bars=asked.bars,
                    requested_by=asked.requested_by,
                    requested_as=asked.role,
                    requested_because=asked.reason,
                    confirmed_by=None,
                    confirmed_as=None,
                    confirmed_because=None,
                    used=judged is not None and judged.permission is Permission.OVERRIDDEN,
                )
            case InfusionOverrideConfirmed() as opened:
                key = (opened.participant_id, opened.infusion_number)
                by = {"confirmed_by": opened.confirmed_by, "confirmed_as": opened.role}
                found[key] = found[key].model_copy(update={**by, "confirmed_because": opened.reason})
            case _:
                pass
    return list(found.values())
