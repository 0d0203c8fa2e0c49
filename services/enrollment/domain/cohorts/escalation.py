"""Deciding about the escalation: slots, the committee's decisions, pauses, overrides, and how an infusion is judged."""

from collections.abc import Sequence
from typing import assert_never

from services.enrollment.domain.cohorts.commands import (
    ConfirmOverride,
    EscalationCommand,
    JudgeInfusion,
    PauseDosing,
    RecordDecision,
    ReleaseSlot,
    RequestOverride,
    ReserveSlot,
    ResumeDosing,
    RetractJudgement,
    ReviewBasis,
)
from shared.contracts.enrollment_escalation import (
    Bar,
    DosingPaused,
    DosingResumed,
    EscalationBasisChanged,
    EscalationDecided,
    EscalationEvent,
    EscalationParameters,
    InfusionJudged,
    InfusionJudgementRetracted,
    InfusionOverrideConfirmed,
    InfusionOverrideRequested,
    Permission,
    SlotRelease,
    SlotReleased,
    SlotReserved,
)
from shared.escalation.gate import Closed, closed_for, current_level, earliest, says
from shared.escalation.standing import Escalation, Facts, Person, basis_of, evolve, is_other
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound, Unacceptable
from shared.protocol.dose_limiting_status import DltStatus

OF_THE_SLOT = frozenset({Bar.NO_SLOT, Bar.WRONG_LEVEL})


class NoFreeSlot(Conflict):
    """Every slot of the open dose level is taken, or as many take part as were planned."""


class NoLevelOpen(Conflict):
    """The committee has decided that nobody is treated: there is no slot to reserve."""


class DosingPausedNow(Conflict):
    """Dosing is paused, or halted by a stopping rule: a person has to resume it first."""

    code = "dosing-paused"


class AlreadyInfused(Conflict):
    """The participant was infused: the slot is used."""


class ParticipantHasLeft(Conflict):
    """The participant failed the screening, or left the treatment or the trial: there is nobody to reserve for."""


class NoSlotReserved(NotFound):
    """The participant has no slot."""


class UnknownLevel(Unacceptable):
    """The protocol has no such dose level, or a decision to treat names none."""


class DesignSaysOtherwise(Conflict):
    """The design says something else by now than what the committee saw: read it again, then decide."""


class ReasonNeeded(Unacceptable):
    """Who decides otherwise than the design says why."""


class NothingToOverride(Conflict):
    """No gate is closed for this infusion, or it is on record already."""


class NoOverrideRequested(Conflict):
    """Nobody has asked for this override, or it is confirmed already."""


class OverrideNeedsTwo(Conflict):
    """An override takes two different people in the two roles that the protocol names."""


class InfusionNotPermitted(Conflict):
    """The gate is closed. Send `given_despite` where the infusion took place all the same: it is then a deviation."""

    def __init__(self, closed: Sequence[Closed]) -> None:
        by_itself = earliest(closed)
        when = "that needs a decision" if by_itself is None else f"permitted from {by_itself.isoformat()} on"
        super().__init__(f"forbidden by: {', '.join(each.bar for each in closed)}; {when}")
        self.places = [("/started_at", f"{each.bar}: {_until(each)}") for each in closed]


def _until(closed: Closed) -> str:
    return "that needs a decision" if closed.until is None else f"until {closed.until.isoformat()}"


def decide(  # noqa: C901, PLR0911 - one line per command
    command: EscalationCommand, state: Escalation, facts: Facts
) -> list[EscalationEvent]:
    match command:
        case ReserveSlot():
            return _reserve(command, state, facts)
        case ReleaseSlot():
            return _release(command, state, facts)
        case RecordDecision():
            return _decided(command, state, facts)
        case ReviewBasis():
            return _review(state, facts)
        case PauseDosing():
            return [] if state.is_paused else [DosingPaused(at=facts.now, reason=command.reason)]
        case ResumeDosing():
            return [DosingResumed(at=facts.now, reason=command.reason)] if state.is_paused else []
        case RequestOverride():
            return _request(command, state, facts)
        case ConfirmOverride():
            return _confirm(command, state, facts)
        case JudgeInfusion():
            return _judge(command, state, facts)
        case RetractJudgement():
            return _retract(command, state, facts)
        case _:
            assert_never(command)


def _reserve(command: ReserveSlot, state: Escalation, facts: Facts) -> list[EscalationEvent]:
    person, plan = facts.people[command.participant_id], facts.plan
    level = state.open_level(plan)
    if state.slots.get(person.participant_id, not level) == level:
        return []
    if person.started_at is not None:
        raise AlreadyInfused("the participant was infused; a slot is for who is still to be")
    if person.left:
        raise ParticipantHasLeft("the participant has left; a slot is for who is still to be treated")
    if state.is_paused or facts.is_halted:
        raise DosingPausedNow("dosing is paused, or halted by a stopping rule; a slot is reserved once it resumes")
    if level is None:
        raise NoLevelOpen("nobody is treated by the latest decision; there is no slot to reserve")
    others = [each for each in state.occupants(facts) if each.participant_id != person.participant_id]
    if sum(state.level_of(each) == level for each in others) >= state.capacity(level, plan):
        raise NoFreeSlot("every slot of the open dose level is taken; wait for a decision, or until one is released")
    if len(others) >= plan.target_number:
        raise NoFreeSlot("as many take part as the protocol plans; there is no further slot")
    gone: list[EscalationEvent] = [_vacated(each, state) for each in _absent(state, facts)]
    reserved = SlotReserved(
        participant_id=person.participant_id, site_id=person.site_id, dose_level=level, protocol=plan.ref
    )
    return [*gone, reserved]


def _absent(state: Escalation, facts: Facts) -> list[Person]:
    """Who holds a slot and left before the infusion: their slot is given on, and does not come back with them."""
    return [facts.people[key] for key in state.slots if facts.people[key].left and facts.people[key].started_at is None]


def _vacated(person: Person, state: Escalation) -> SlotReleased:
    who = person.participant_id
    return SlotReleased(participant_id=who, dose_level=state.slots[who], release=SlotRelease.LEFT, reason=None)


def _release(command: ReleaseSlot, state: Escalation, facts: Facts) -> list[EscalationEvent]:
    who = command.participant_id
    if who not in state.slots:
        raise NoSlotReserved("the participant has no slot")
    person = facts.people[who]
    if person.started_at is not None and person.status is not DltStatus.NOT_EVALUABLE:
        raise AlreadyInfused("the participant was infused and counts; the slot is used")
    release = SlotRelease.RELEASED if person.started_at is None else SlotRelease.NOT_EVALUABLE
    return [
        SlotReleased(participant_id=who, dose_level=state.slots[who], release=release, reason=command.reason),
    ]


def _decided(command: RecordDecision, state: Escalation, facts: Facts) -> list[EscalationEvent]:
    plan, said = facts.plan, says(state, facts)
    seen = None if command.design_said is None else command.design_said.value
    if seen != said.decision:
        raise DesignSaysOtherwise("the design says something else by now: read what it says, then decide")
    level = command.next_level
    if (level is None) != (command.slots == 0) or (level is not None and level not in plan.levels):
        raise UnknownLevel(
            f"send next_level and slots together, or neither where nobody is treated: {', '.join(plan.levels)}"
        )
    if (command.decision.value, level) != (said.decision, said.next_level) and command.reason is None:
        raise ReasonNeeded("send the reason: the design says something else")
    parameters = EscalationParameters(
        design=plan.design,
        version=plan.ref,
        levels=plan.levels,
        target=plan.target,
        allow_deescalation=plan.allow_deescalation,
        cohort_size=plan.cohort_size,
        max_per_level=plan.max_per_level,
        target_number=plan.target_number,
    )
    return [
        EscalationDecided(
            number=len(state.decisions) + 1,
            at=facts.now,
            current_level=current_level(state, facts),
            parameters=parameters,
            basis=basis_of(state, facts),
            says=said,
            decision=command.decision.value,
            next_level=level,
            slots=command.slots,
            reason=command.reason,
        )
    ]


def _review(state: Escalation, facts: Facts) -> list[EscalationEvent]:
    basis = basis_of(state, facts)
    if not state.decisions or not is_other(state.basis, basis):
        return []
    number = len(state.decisions)
    return [EscalationBasisChanged(number=number, basis=basis, says=says(state, facts), protocol=facts.plan.ref)]


def _request(command: RequestOverride, state: Escalation, facts: Facts) -> list[EscalationEvent]:
    who, number = command.participant_id, command.infusion_number
    _refuse_other_roles(facts)
    bars = tuple(each.bar for each in closed_for(who, number, facts.now, state, facts))
    if not bars or (who, number) in state.judged:
        raise NothingToOverride("nothing forbids this infusion, or it is on record already")
    asked = InfusionOverrideRequested(
        participant_id=who,
        infusion_number=number,
        bars=bars,
        requested_by=facts.by.id,
        role=facts.by.role.value,
        reason=command.reason,
    )
    return [asked]


def _confirm(command: ConfirmOverride, state: Escalation, facts: Facts) -> list[EscalationEvent]:
    who, number = command.participant_id, command.infusion_number
    asked = state.overrides.get((who, number))
    if asked is None or asked.confirmed:
        raise NoOverrideRequested("nobody has asked for this override, or it is confirmed already")
    _refuse_other_roles(facts)
    if facts.by.id == asked.requested_by or facts.by.role.value == asked.role:
        raise OverrideNeedsTwo("whoever confirms is another person than who asked, and in the other role")
    return [
        InfusionOverrideConfirmed(
            participant_id=who,
            infusion_number=number,
            at=facts.now,
            bars=tuple(sorted(asked.bars)),
            requested_by=asked.requested_by,
            confirmed_by=facts.by.id,
            role=facts.by.role.value,
            reason=command.reason,
        )
    ]


def _refuse_other_roles(facts: Facts) -> None:
    if facts.by.role.value not in facts.plan.override_roles:
        raise OverrideNeedsTwo(f"an override takes two people in the roles {', '.join(facts.plan.override_roles)}")


def _judge(command: JudgeInfusion, state: Escalation, facts: Facts) -> list[EscalationEvent]:
    """What was given is never lost: a correction is judged anew and not refused, nor is what names its reason."""
    key = (command.participant_id, command.infusion_number)
    person, before = facts.people[command.participant_id], state.judged.get(key) if command.corrects else None
    if command.corrects and before is None:
        return []  # given before infusions were held to anything
    closed = closed_for(*key, command.started_at, state, facts)
    bars = tuple(each.bar for each in closed) if before is None else _corrected(before, closed)
    override = state.overrides.get(key)
    if not bars:
        permission = Permission.PERMITTED
    elif override is not None and override.opens(bars, command.started_at):
        permission = Permission.OVERRIDDEN
    elif command.corrects or command.given_despite is not None:
        permission = Permission.DEVIATION
    else:
        raise InfusionNotPermitted(closed)
    return [
        InfusionJudged(
            participant_id=command.participant_id,
            site_id=person.site_id,
            infusion_number=command.infusion_number,
            dose_level=state.level_of(person) if before is None else before.dose_level,
            started_at=command.started_at,
            permission=permission,
            bars=bars,
            reason=command.given_despite or (None if before is None else before.reason),
            protocol=facts.plan.ref,
        )
    ]


def _corrected(before: InfusionJudged, closed: Sequence[Closed]) -> tuple[Bar, ...]:
    """Another instant changes all but the slot, which was there when the infusion was recorded, or was not."""
    slot = (bar for bar in before.bars if bar in OF_THE_SLOT)
    return (*slot, *(each.bar for each in closed if each.bar not in OF_THE_SLOT))


def _retract(command: RetractJudgement, state: Escalation, facts: Facts) -> list[EscalationEvent]:
    who, number = command.participant_id, command.infusion_number
    if (who, number) not in state.judged:
        return []
    return [InfusionJudgementRetracted(participant_id=who, infusion_number=number, protocol=facts.plan.ref)]


DECIDER: Decider[EscalationCommand, Escalation, Facts, EscalationEvent] = Decider(
    "escalation", Escalation(), evolve, decide
)
