"""Adverse events: report them, say how they go on, put wrong entries right, read them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from services.safety.api.permissions import FlagsDep, MayJudge, MayRead, MayReport, SafetyDep
from services.safety.api.views import AdverseEvent
from services.safety.domain.adverse_event import (
    AdverseEventAlreadyReported,
    AdverseEventAlreadyRetracted,
    Change,
    NoSuchAdverseEvent,
    ReportAdverseEvent,
)
from services.safety.domain.causality import AgentNamedTwice, UnknownAgent
from services.safety.domain.chronology import DatesContradict
from services.safety.domain.correction import CorrectAdverseEvent, RetractAdverseEvent
from services.safety.domain.ctcae import (
    GradeNotDefinedForTerm,
    SpecificationMissing,
    SpecificationNotAsked,
    UnknownTerm,
)
from services.safety.domain.death import DeathFactsDisagree
from services.safety.domain.follow_up import (
    AdverseEventAlreadyResolved,
    AssessCausality,
    GradeAlreadyOnRecord,
    NotAnEnd,
    ReassessSeriousness,
    RecordDeath,
    RegradeAdverseEvent,
    ResolveAdverseEvent,
)
from services.safety.domain.record import Retracted
from services.safety.domain.special_interest import special_interest
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.actor import Actor
from shared.kernel.errors import NoSuchParticipant, TrialError

router: APIRouter = make_router("/v1/adverse-events", "Adverse events")

AdverseEventId = Annotated[UUID, Path(description="The adverse event's id")]

_TERM: tuple[type[TrialError], ...] = (UnknownTerm, SpecificationMissing, SpecificationNotAsked)
_AGENT: tuple[type[TrialError], ...] = (UnknownAgent, AgentNamedTwice)
_RECORD: tuple[type[TrialError], ...] = (GradeNotDefinedForTerm, DeathFactsDisagree, DatesContradict)
_CHANGE: tuple[type[TrialError], ...] = (NoSuchAdverseEvent, AdverseEventAlreadyRetracted, *VERSION_PROBLEMS, *_RECORD)


def _changes(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    return {**problems.of(*_CHANGE, *errors), **answers.CHANGED}


CarryOut = Callable[[Change, Actor], Awaitable[Recorded]]


async def _carrier(
    adverse_event_id: AdverseEventId, safety: SafetyDep, expected: IfMatch, mint: Mint, response: Response
) -> CarryOut:
    async def carry_out(command: Change, actor: Actor) -> Recorded:
        receipt = await safety.change(adverse_event_id, command, by=actor, expected=expected, command_id=mint(None))
        return answers.changed(response, receipt, adverse_event_id)

    return carry_out


ChangeDep = Annotated[CarryOut, Depends(_carrier)]


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(NoSuchParticipant, AdverseEventAlreadyReported, OtherContentOnRecord, *_TERM, *_AGENT, *_RECORD),
        **answers.CREATED,
    },
)
async def report_adverse_event(
    command: ReportAdverseEvent, safety: SafetyDep, actor: MayReport, mint: Mint, request: Request, response: Response
) -> Recorded:
    """Report an adverse event. A serious one raises an alert at once. Repeating the same report changes nothing."""
    given = command.adverse_event_id if "adverse_event_id" in command.model_fields_set else None
    command = command.model_copy(update={"adverse_event_id": mint(given)})
    receipt = await safety.report(command, by=actor)
    path = f"/v1/adverse-events/{command.adverse_event_id}"
    return answers.created(request, response, receipt, command.adverse_event_id, path)


@router.post("/{adverse_event_id}/regrade", responses=_changes(GradeAlreadyOnRecord))
async def regrade_adverse_event(command: RegradeAdverseEvent, actor: MayReport, carry_out: ChangeDep) -> Recorded:
    """Say that the event got better or worse from a day on; the grades before stay as they were."""
    return await carry_out(command, actor)


@router.post("/{adverse_event_id}/reassess-seriousness", responses=_changes())
async def reassess_seriousness(command: ReassessSeriousness, actor: MayReport, carry_out: ChangeDep) -> Recorded:
    """Say which criteria of seriousness the event now meets. An upgrade raises an alert with clocks of its own."""
    return await carry_out(command, actor)


@router.post("/{adverse_event_id}/resolve", responses=_changes(AdverseEventAlreadyResolved, NotAnEnd))
async def resolve_adverse_event(command: ResolveAdverseEvent, actor: MayReport, carry_out: ChangeDep) -> Recorded:
    """Say when and how the event ended."""
    return await carry_out(command, actor)


@router.post("/{adverse_event_id}/record-death", responses=_changes(AdverseEventAlreadyResolved))
async def record_death(command: RecordDeath, actor: MayReport, carry_out: ChangeDep) -> Recorded:
    """Say that the participant died of this event: grade 5, results in death and fatal, in one."""
    return await carry_out(command, actor)


@router.post("/{adverse_event_id}/assess-causality", responses=_changes(*_AGENT))
async def assess_causality(command: AssessCausality, actor: MayJudge, carry_out: ChangeDep) -> Recorded:
    """Give an opinion on what caused the event, agent by agent."""
    return await carry_out(command, actor)


@router.post("/{adverse_event_id}/correct", responses=_changes(*_TERM, *_AGENT))
async def correct_adverse_event(command: CorrectAdverseEvent, actor: MayJudge, carry_out: ChangeDep) -> Recorded:
    """Put right what was entered wrongly, with the reason. The history keeps both."""
    return await carry_out(command, actor)


@router.post("/{adverse_event_id}/retract", responses=_changes())
async def retract_adverse_event(command: RetractAdverseEvent, actor: MayJudge, carry_out: ChangeDep) -> Recorded:
    """Take back a report that should never have been made, with the reason. Alerts it raised stay."""
    return await carry_out(command, actor)


@router.get("/{adverse_event_id}", responses={**problems.of(NoSuchAdverseEvent), **answers.VERSIONED})
async def get_adverse_event(
    adverse_event_id: AdverseEventId, safety: SafetyDep, flags: FlagsDep, actor: MayRead, response: Response
) -> AdverseEvent:
    """One adverse event as it stands, folded from its own stream. A retracted one is marked so."""
    state, version, participant = await safety.adverse_event(adverse_event_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    infused_on = safety.infused_on(participant)
    kinds = special_interest(state, safety.protocol, infused_on)
    record = state.was if isinstance(state, Retracted) else state
    gaps = await flags.on(participant, record.onset)
    shown = AdverseEvent.of(state, site_id=participant.site_id, infused_on=infused_on, special_interest=kinds)
    return shown.model_copy(update={"consent_gaps": gaps})


@router.get("/{adverse_event_id}/history", responses=problems.of(NoSuchAdverseEvent))
async def get_adverse_event_history(
    adverse_event_id: AdverseEventId, safety: SafetyDep, actor: MayRead
) -> list[HistoryEntry]:
    """Who recorded what about this event, when, and why."""
    return answers.history(await safety.history(adverse_event_id, by=actor), missing=NoSuchAdverseEvent())
