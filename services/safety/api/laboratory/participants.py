"""One participant's laboratory results as they are graded, and the candidates for adverse events that they open."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.safety.api.laboratory.permissions import LabRecordsDep
from services.safety.api.laboratory.views import CandidateOnRecord, ResultOnRecord
from services.safety.api.permissions import MayJudge, MayRead
from services.safety.domain.adverse_event import AdverseEventAlreadyReported
from services.safety.domain.causality import AgentNamedTwice, UnknownAgent
from services.safety.domain.chronology import DatesContradict
from services.safety.domain.death import DeathFactsDisagree
from services.safety.domain.lab_results.deciding import (
    AcceptCandidate,
    CandidateAlreadyDecided,
    CandidateWasWithdrawn,
    Decide,
    DismissCandidate,
    MergeCandidate,
    NoSuchCandidate,
    NotThisParticipantsEvent,
)
from shared.contracts.terms import Code
from shared.http import answers, etags, paging, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.paging import Cursor, Limit, Page, UnreadableCursor
from shared.http.service_app import router as make_router
from shared.kernel.actor import Actor
from shared.kernel.errors import NoSuchParticipant, NotFound, TrialError

router: APIRouter = make_router("/v1/participants/{participant_id}", "Laboratory results")

ParticipantPath = Annotated[UUID, Path(description="The participant's id")]
CandidateId = Annotated[UUID, Path(description="The candidate's id")]
_CHANGE: tuple[type[TrialError], ...] = (
    NoSuchCandidate,
    CandidateAlreadyDecided,
    CandidateWasWithdrawn,
    *VERSION_PROBLEMS,
)
_REPORT: tuple[type[TrialError], ...] = (
    AdverseEventAlreadyReported,
    UnknownAgent,
    AgentNamedTwice,
    DatesContradict,
    DeathFactsDisagree,
)


def _changes(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    return {**problems.of(*_CHANGE, *errors), **answers.CHANGED}


CarryOut = Callable[[Decide, Actor], Awaitable[Recorded]]


async def _carrier(
    participant_id: ParticipantPath,
    candidate_id: CandidateId,
    records: LabRecordsDep,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> CarryOut:
    async def carry_out(command: Decide, actor: Actor) -> Recorded:
        receipt = await records.decide(
            participant_id, candidate_id, command, by=actor, expected=expected, command_id=mint(None)
        )
        return answers.changed(response, receipt, candidate_id)

    return carry_out


DecideDep = Annotated[CarryOut, Depends(_carrier)]


@router.get("/lab-results", responses=problems.of(NoSuchParticipant, UnreadableCursor))
async def list_laboratory_results(
    participant_id: ParticipantPath,
    records: LabRecordsDep,
    actor: MayRead,
    request: Request,
    response: Response,
    analyte: Annotated[Code | None, Query(description="Only this analyte, by its key such as ALT")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ResultOnRecord]:
    """The results in order of time, each grade with its explanation. Cancelled ones are marked so."""
    state, _ = await records.results(participant_id, by=actor)
    after = paging.decode(cursor, (str, str))
    start = None if after is None else _place(str(after[0]), str(after[1]))
    known = sorted(state.by_id.values(), key=lambda each: each.place)
    found = [each for each in known if analyte in {None, each.result.analyte} and (start is None or each.place > start)]
    more = None
    if len(found) > limit:
        at, result_id = found[limit - 1].place
        more = (at.isoformat(), str(result_id))
    gaps = await records.consent_gaps(participant_id, by=actor)
    items = [ResultOnRecord.of(each, records.policy, gaps(each.result.collected_at)) for each in found[:limit]]
    return paging.page(request, response, items, limit, more)


def _place(at: str, result_id: str) -> tuple[datetime, UUID]:
    try:
        return paging.instant(at), UUID(result_id)
    except ValueError as error:
        raise UnreadableCursor(paging.AS_GIVEN) from error


@router.get("/lab-results/history", responses=problems.of(NoSuchParticipant))
async def get_laboratory_results_history(
    participant_id: ParticipantPath, records: LabRecordsDep, actor: MayRead
) -> list[HistoryEntry]:
    """Every event of the participant's results and candidates: who recorded what, when, and why. Empty: no result."""
    life = await records.history(participant_id, by=actor)
    return answers.history(life, missing=NotFound()) if life else []


@router.get("/candidates", responses=problems.of(NoSuchParticipant))
async def list_adverse_event_candidates(
    participant_id: ParticipantPath,
    records: LabRecordsDep,
    actor: MayRead,
    wants_a_look: Annotated[bool | None, Query(description="Only those that do, or that do not")] = None,
) -> list[CandidateOnRecord]:
    """The candidates for adverse events that laboratory values opened, in the order in which they did."""
    state, _ = await records.results(participant_id, by=actor)
    shown = (each for each in state.candidates.values() if wants_a_look in {None, each.wants_a_look})
    return [CandidateOnRecord.of(each, participant_id) for each in shown]


@router.get("/candidates/{candidate_id}", responses={**problems.of(NoSuchCandidate), **answers.VERSIONED})
async def get_adverse_event_candidate(
    participant_id: ParticipantPath,
    candidate_id: CandidateId,
    records: LabRecordsDep,
    actor: MayRead,
    response: Response,
) -> CandidateOnRecord:
    """One candidate. Its version is that of all the participant's results: a decision rests on what was seen."""
    known, version = await records.candidate(participant_id, candidate_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return CandidateOnRecord.of(known, participant_id)


@router.post("/candidates/{candidate_id}/accept", responses=_changes(*_REPORT))
async def accept_adverse_event_candidate(command: AcceptCandidate, actor: MayJudge, carry_out: DecideDep) -> Recorded:
    """Say that the values are an adverse event: it is reported in the same instant, with what the values tell."""
    return await carry_out(command, actor)


@router.post("/candidates/{candidate_id}/merge", responses=_changes(NotThisParticipantsEvent))
async def merge_adverse_event_candidate(command: MergeCandidate, actor: MayJudge, carry_out: DecideDep) -> Recorded:
    """Say that an adverse event on record tells of these values already. It stays as it is."""
    return await carry_out(command, actor)


@router.post("/candidates/{candidate_id}/dismiss", responses=_changes())
async def dismiss_adverse_event_candidate(command: DismissCandidate, actor: MayJudge, carry_out: DecideDep) -> Recorded:
    """Say that the values are no adverse event, with the reason. Later values may ask for another look."""
    return await carry_out(command, actor)
