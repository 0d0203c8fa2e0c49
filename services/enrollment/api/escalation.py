"""The escalation of the dose: slots, the committee's decisions, pauses, overrides, and permits of infusions."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field

from services.enrollment.api.permissions import (
    DoseEscalationsDep,
    MayDecideEscalation,
    MayEnterData,
    MayOverride,
    MayPauseDosing,
    MayReadParticipants,
    MayResumeDosing,
)
from services.enrollment.domain.cohorts.commands import (
    ConfirmOverride,
    EscalationCommand,
    PauseDosing,
    RecordDecision,
    ReleaseSlot,
    RequestOverride,
    ReserveSlot,
    ResumeDosing,
)
from services.enrollment.domain.cohorts.escalation import (
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
from services.enrollment.domain.facts import NoSuchParticipant
from services.enrollment.dose_escalation import DoseEscalations, EscalationBusy, Permit
from services.enrollment.escalating import NoEscalationInProtocol
from shared.contracts.enrollment_escalation import Bar, DesignSays, DltStanding, EscalationDecided
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.contracts.terms import Code, Day, ProtocolRef, Reason
from shared.escalation.gate import Closed
from shared.escalation.standing import Escalation, Facts, is_other
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.actor import Actor
from shared.kernel.errors import NotFound, TrialError
from shared.protocol.dose_limiting_status import DltStatus

router = make_router("/v1/dose-escalation", "dose escalation")
permits = make_router("/v1/participants/{participant_id}", "dose escalation")


class Slot(BaseModel):
    """A place at a dose level that is reserved, or used by an infusion."""

    participant_id: UUID
    site_id: Code
    dose_level: Code | None = Field(description="null: infused without a slot, and enrolled without a level")
    status: DltStatus
    toxicity_undecided: bool = Field(description="Whether a toxicity is proposed, and nobody has decided about it")
    infused_at: datetime | None
    window_ends: datetime | None = Field(description="Of dose-limiting toxicity (DLT)")


class Level(BaseModel):
    """A dose level. Who is not evaluable is replaced, and fills no slot."""

    dose_level: Code
    is_open: bool
    slots: int = Field(description="So many are treated at it: a cohort at the first, and what each decision added")
    taken: int
    evaluable: int
    dlt: int
    in_window: int
    not_evaluable: int


class DecisionOnRecord(BaseModel):
    """What the committee decided; `basis` holds the participants of the caller's sites as they stood then."""

    number: int
    current_level: Code
    decision: Code
    next_level: Code | None
    slots: int
    says: DesignSays
    reason: Reason | None
    basis: tuple[DltStanding, ...]


class EscalationView(BaseModel):
    """The escalation as it stands. Participants of other sites are counted and not named."""

    protocol: ProtocolRef
    enforced: bool = Field(description="false: no infusion is held to it yet")
    design: Code
    target_number: int
    taken: int = Field(description="Slots of all levels, and infusions without a slot")
    open_level: Code | None = Field(description="null: nobody is treated")
    paused: bool
    halted_by: tuple[Code, ...] = Field(description="Stopping rules that halt dosing")
    levels: tuple[Level, ...]
    slots: tuple[Slot, ...] = Field(description="At the caller's sites")
    says: DesignSays = Field(description="What the design says now")
    basis_changed: bool = Field(description="What the latest decision rests on is not what it was: decide anew")
    decisions: tuple[DecisionOnRecord, ...]
    version: int

    @classmethod
    def of(cls, state: Escalation, facts: Facts, said: DesignSays, version: int, by: Actor) -> Self:
        plan, latest = facts.plan, state.decisions[-1] if state.decisions else None
        return cls(
            protocol=plan.ref,
            enforced=plan.enforced,
            design=plan.design,
            target_number=plan.target_number,
            taken=len(state.occupants(facts)),
            open_level=state.open_level(plan),
            paused=state.is_paused,
            halted_by=tuple(sorted({halt.rule for halt in facts.halts if halt.until is None})),
            levels=tuple(_level(name, state, facts) for name in plan.levels),
            slots=_slots(state, facts, by),
            says=said,
            basis_changed=latest is not None and is_other(latest.basis, state.basis),
            decisions=tuple(_decision(each, facts, by) for each in state.decisions),
            version=version,
        )


def _level(name: str, state: Escalation, facts: Facts) -> Level:
    infused = [each for each in facts.people.values() if each.started_at is not None and state.level_of(each) == name]
    status = [each.status for each in infused]
    return Level(
        dose_level=name,
        is_open=name == state.open_level(facts.plan),
        slots=state.capacity(name, facts.plan),
        taken=sum(state.level_of(each) == name for each in state.occupants(facts)),
        evaluable=status.count(DltStatus.EVALUABLE) + status.count(DltStatus.DLT),
        dlt=status.count(DltStatus.DLT),
        in_window=status.count(DltStatus.IN_WINDOW),
        not_evaluable=status.count(DltStatus.NOT_EVALUABLE),
    )


def _slots(state: Escalation, facts: Facts, by: Actor) -> tuple[Slot, ...]:
    return tuple(
        Slot(
            participant_id=key,
            site_id=each.site_id,
            dose_level=state.level_of(each),
            status=each.status,
            toxicity_undecided=each.undecided,
            infused_at=each.started_at,
            window_ends=each.window_ends,
        )
        for key, each in facts.people.items()
        if by.may_see(each.site_id) and (key in state.slots or each.started_at is not None)
    )


def _decision(decided: EscalationDecided, facts: Facts, by: Actor) -> DecisionOnRecord:
    known = facts.people
    basis = [
        each
        for each in decided.basis
        if each.participant_id in known and by.may_see(known[each.participant_id].site_id)
    ]
    told = decided.model_dump(include=set(DecisionOnRecord.model_fields) - {"basis", "says"})
    return DecisionOnRecord(**told, says=decided.says, basis=tuple(basis))


class BarView(BaseModel):
    """One thing that forbids the infusion."""

    bar: Bar
    until: datetime | None = Field(description="When it falls by itself; null: that needs a decision")

    @classmethod
    def of(cls, closed: Closed) -> Self:
        return cls(bar=closed.bar, until=closed.until)


class PermitView(BaseModel):
    """Whether the participant's next infusion is permitted on a day of the site, and what forbids it."""

    participant_id: UUID
    infusion_number: int
    dose_level: Code | None = Field(description="That of the slot, or the one asked about; null: neither")
    on: date
    permitted: bool
    enforced: bool = Field(description="false: no infusion is held to it yet")
    overridden: bool = Field(description="Two people have opened the gate against all of the bars")
    status: ParticipantStatus = Field(description="An infusion is recorded for whoever is enrolled")
    bars: tuple[BarView, ...] = Field(description="All that forbids it as that day begins")
    earliest_at: datetime | None = Field(description="From this instant on nothing forbids it; null: not by itself")
    earliest_on: date | None = Field(description="That instant's day at the site")

    @classmethod
    def of(cls, permit: Permit, *, enforced: bool) -> Self:
        opens_at, zone = permit.opens_at, permit.participant.zone
        return cls(
            participant_id=permit.participant.participant_id,
            infusion_number=permit.infusion_number,
            dose_level=permit.dose_level,
            on=permit.on,
            permitted=permit.permitted,
            enforced=enforced,
            overridden=permit.overridden,
            status=permit.participant.status,
            bars=tuple(BarView.of(each) for each in permit.closed),
            earliest_at=None if opens_at is None else opens_at.astimezone(zone),
            earliest_on=None if opens_at is None else opens_at.astimezone(zone).date(),
        )


@dataclass(frozen=True, slots=True)
class Carrying:
    """Carries out one command on the escalation, and answers with what was recorded."""

    escalations: DoseEscalations
    command_id: UUID
    response: Response

    async def __call__(self, command: EscalationCommand, actor: Actor, expected: int | None = None) -> Recorded:
        receipt = await self.escalations.carry_out(command, by=actor, command_id=self.command_id, expected=expected)
        return answers.changed(self.response, receipt, self.escalations.trial)


async def _carrying(escalations: DoseEscalationsDep, mint: Mint, response: Response) -> Carrying:
    return Carrying(escalations, mint(None), response)


CarryOut = Annotated[Carrying, Depends(_carrying)]


def _answers(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    return {**problems.of(NoEscalationInProtocol, OtherContentOnRecord, EscalationBusy, *errors), **answers.CHANGED}


def _changes(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    return {**problems.of(NoEscalationInProtocol, *VERSION_PROBLEMS, *errors), **answers.CHANGED}


@router.get(
    "",
    summary="Levels, slots and decisions of the escalation",
    responses={**problems.of(NoEscalationInProtocol), **answers.VERSIONED},
)
async def get_dose_escalation(
    escalations: DoseEscalationsDep, actor: MayReadParticipants, response: Response
) -> EscalationView:
    """The open level, who has a slot, how they stand, what the committee decided and what the design says now."""
    gathered, said = await escalations.standing(by=actor)
    response.headers["ETag"] = etags.of(gathered.version)
    return EscalationView.of(gathered.state, gathered.facts, said, gathered.version, actor)


@router.get(
    "/history",
    summary="Who reserved, decided, paused and overrode what, when and why",
    responses=problems.of(NoEscalationInProtocol),
)
async def get_escalation_history(escalations: DoseEscalationsDep, actor: MayReadParticipants) -> list[HistoryEntry]:
    """Every event, oldest first; empty: nothing has happened yet. What concerns participants elsewhere is left out."""
    life, shown = await escalations.history(by=actor)
    entries = answers.history(life, missing=NotFound()) if life else []
    return [_visible(each, {str(who) for who in shown}) for each in entries if _may_see(each, shown, actor)]


def _may_see(entry: HistoryEntry, shown: frozenset[UUID], by: Actor) -> bool:
    who = entry.data.get("participant_id")
    return who is None or by.sites is None or UUID(who) in shown


def _visible(entry: HistoryEntry, shown: set[str]) -> HistoryEntry:
    if "basis" not in entry.data:
        return entry
    basis = [each for each in entry.data["basis"] if each["participant_id"] in shown]
    return entry.model_copy(update={"data": {**entry.data, "basis": basis}})


@router.post(
    "/reserve-slot",
    summary="Reserve a place at the dose level that is open",
    responses=_answers(
        *(NoSuchParticipant, NoFreeSlot, NoLevelOpen, DosingPausedNow, AlreadyInfused, ParticipantHasLeft)
    ),
)
async def reserve_slot(command: ReserveSlot, actor: MayEnterData, carry_out: CarryOut) -> Recorded:
    """Reserve a slot for a participant. Of many who ask for the last one at once, one has it."""
    return await carry_out(command, actor)


@router.post(
    "/release-slot",
    summary="Give a reserved place back",
    responses=_changes(NoSuchParticipant, NoSlotReserved, AlreadyInfused),
)
async def release_slot(command: ReleaseSlot, actor: MayEnterData, carry_out: CarryOut, expected: IfMatch) -> Recorded:
    """Release a participant's slot before the infusion, or afterwards that of somebody who is not evaluable."""
    return await carry_out(command, actor, expected)


@router.post(
    "/record-decision",
    summary="Record what the committee decided",
    responses=_changes(DesignSaysOtherwise, UnknownLevel, ReasonNeeded),
)
async def record_decision(
    command: RecordDecision, actor: MayDecideEscalation, carry_out: CarryOut, expected: IfMatch
) -> Recorded:
    """Record a decision with the design, its parameters, and every participant as they stand at this instant.

    It is never edited: where a toxicity is decided otherwise later, an event says so, and the committee decides anew.
    """
    return await carry_out(command, actor, expected)


@router.post("/pause", summary="Pause dosing in the whole trial", responses=_answers())
async def pause_dosing(command: PauseDosing, actor: MayPauseDosing, carry_out: CarryOut) -> Recorded:
    """Pause dosing: no slot is reserved, and where the escalation is enforced no infusion permitted."""
    return await carry_out(command, actor)


@router.post("/resume", summary="End a pause", responses=_changes())
async def resume_dosing(
    command: ResumeDosing, actor: MayResumeDosing, carry_out: CarryOut, expected: IfMatch
) -> Recorded:
    """Resume dosing after a person's pause. A stopping rule's halt is reviewed at `/safety/v1/stopping-rules`."""
    return await carry_out(command, actor, expected)


@router.post(
    "/request-override",
    summary="Ask, as the first of two people, to open a closed gate",
    responses=_answers(NoSuchParticipant, NothingToOverride, OverrideNeedsTwo),
)
async def request_override(command: RequestOverride, actor: MayOverride, carry_out: CarryOut) -> Recorded:
    """Ask to open the gate for one infusion, against what forbids it now. Opens nothing by itself."""
    return await carry_out(command, actor)


@router.post(
    "/confirm-override",
    summary="Open a closed gate, as the second of two people",
    responses=_changes(NoSuchParticipant, NoOverrideRequested, OverrideNeedsTwo),
)
async def confirm_override(
    command: ConfirmOverride, actor: MayOverride, carry_out: CarryOut, expected: IfMatch
) -> Recorded:
    """Open the gate for one infusion, against the bars that were named when it was asked for, and no others."""
    return await carry_out(command, actor, expected)


@permits.get(
    "/infusion-permit",
    summary="May this participant be infused on this day?",
    responses=problems.of(NoSuchParticipant, NoEscalationInProtocol),
)
async def get_infusion_permit(
    participant_id: UUID,
    on: Annotated[Day, Query(description="A day of the participant's site")],
    escalations: DoseEscalationsDep,
    actor: MayReadParticipants,
    dose_level: Annotated[Code | None, Query(description="Left out: that of the slot, or of the enrolment")] = None,
) -> PermitView:
    """Everything that forbids the next infusion on that day, until when each bar holds, and the earliest day."""
    permit = await escalations.permit(participant_id, dose_level, on, by=actor)
    return PermitView.of(permit, enforced=escalations.is_enforced)
