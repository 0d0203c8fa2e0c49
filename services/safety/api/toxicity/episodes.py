"""Episodes of CRS, ICANS and IEC-HS: open them, observe, record what was given, put wrong entries right, end them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from services.safety.api.permissions import FlagsDep, MayJudge, MayRead, MayReport
from services.safety.api.toxicity.permissions import EpisodesDep
from services.safety.api.toxicity.views import Episode
from services.safety.domain.causality import AgentNamedTwice, UnknownAgent
from services.safety.domain.chronology import DatesContradict
from services.safety.domain.ctcae import GradeNotDefinedForTerm
from services.safety.domain.death import DeathFactsDisagree
from services.safety.domain.episodes.commands import (
    Change,
    CorrectObservation,
    EndEpisode,
    OpenEpisode,
    RecordObservation,
    RecordTreatment,
    ReopenEpisode,
    RetractEpisode,
    RetractObservation,
    RetractTreatment,
)
from services.safety.domain.episodes.episode import (
    EpisodeAlreadyEnded,
    EpisodeAlreadyOpened,
    EpisodeAlreadyRetracted,
    NoSuchEntry,
    NoSuchEpisode,
    NotAnEndOfAnEpisode,
    NothingToOpen,
    OfAnotherKind,
    OxygenOnRoomAir,
    TimesContradict,
)
from services.safety.domain.episodes.record import RetractedCourse
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.actor import Actor
from shared.kernel.errors import NoSuchParticipant, TrialError

router: APIRouter = make_router("/v1/toxicity-episodes", "Toxicity episodes")

EpisodeId = Annotated[UUID, Path(description="The episode's id")]

_OPENING: tuple[type[TrialError], ...] = (
    NoSuchParticipant,
    EpisodeAlreadyOpened,
    EpisodeAlreadyRetracted,
    OtherContentOnRecord,
    NothingToOpen,
    OxygenOnRoomAir,
    TimesContradict,
    UnknownAgent,
    AgentNamedTwice,
    DatesContradict,
    DeathFactsDisagree,
    GradeNotDefinedForTerm,
)
_CHANGE: tuple[type[TrialError], ...] = (
    NoSuchEpisode,
    EpisodeAlreadyRetracted,
    *VERSION_PROBLEMS,
)
_TIMES: tuple[type[TrialError], ...] = (TimesContradict, OfAnotherKind, OxygenOnRoomAir, EpisodeAlreadyEnded)


def _changes(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    return {**problems.of(*_CHANGE, *errors), **answers.CHANGED}


CarryOut = Callable[[Change, Actor], Awaitable[Recorded]]


async def _carrier(
    episode_id: EpisodeId, episodes: EpisodesDep, expected: IfMatch, mint: Mint, response: Response
) -> CarryOut:
    async def carry_out(command: Change, actor: Actor) -> Recorded:
        receipt = await episodes.change(episode_id, command, by=actor, expected=expected, command_id=mint(None))
        return answers.changed(response, receipt, episode_id)

    return carry_out


ChangeDep = Annotated[CarryOut, Depends(_carrier)]


@router.post("", status_code=201, responses={**problems.of(*_OPENING), **answers.CREATED})
async def open_toxicity_episode(
    command: OpenEpisode, episodes: EpisodesDep, actor: MayReport, mint: Mint, request: Request, response: Response
) -> Recorded:
    """Open an episode with its first observation. Its adverse event is reported with it, in the same instant."""
    given = command.episode_id if "episode_id" in command.model_fields_set else None
    command = command.model_copy(update={"episode_id": mint(given)})
    receipt = await episodes.open(command, by=actor)
    return answers.created(
        request, response, receipt, command.episode_id, f"/v1/toxicity-episodes/{command.episode_id}"
    )


@router.post("/{episode_id}/record-observation", responses=_changes(*_TIMES))
async def record_toxicity_observation(command: RecordObservation, actor: MayReport, carry_out: ChangeDep) -> Recorded:
    """Record what was seen at one instant; both grades follow from it. A new maximum regrades the adverse event."""
    return await carry_out(command, actor)


@router.post("/{episode_id}/correct-observation", responses=_changes(*_TIMES, NoSuchEntry))
async def correct_toxicity_observation(command: CorrectObservation, actor: MayJudge, carry_out: ChangeDep) -> Recorded:
    """Put right an observation that was entered wrongly, with the reason. What depends on it is graded anew."""
    return await carry_out(command, actor)


@router.post("/{episode_id}/retract-observation", responses=_changes(NoSuchEntry))
async def retract_toxicity_observation(command: RetractObservation, actor: MayJudge, carry_out: ChangeDep) -> Recorded:
    """Take back an observation that should never have been entered, with the reason."""
    return await carry_out(command, actor)


@router.post("/{episode_id}/record-treatment", responses=_changes(TimesContradict))
async def record_toxicity_treatment(command: RecordTreatment, actor: MayReport, carry_out: ChangeDep) -> Recorded:
    """Record what was given for the toxicity. After an antipyretic or anticytokine drug, CRS needs no fever."""
    return await carry_out(command, actor)


@router.post("/{episode_id}/retract-treatment", responses=_changes(NoSuchEntry))
async def retract_toxicity_treatment(command: RetractTreatment, actor: MayJudge, carry_out: ChangeDep) -> Recorded:
    """Take back a treatment that was not given, with the reason."""
    return await carry_out(command, actor)


@router.post("/{episode_id}/end", responses=_changes(TimesContradict, EpisodeAlreadyEnded, NotAnEndOfAnEpisode))
async def end_toxicity_episode(command: EndEpisode, actor: MayReport, carry_out: ChangeDep) -> Recorded:
    """Say when and how the toxicity was over; its adverse event is resolved. A death is an observation."""
    return await carry_out(command, actor)


@router.post("/{episode_id}/reopen", responses=_changes(EpisodeAlreadyEnded))
async def reopen_toxicity_episode(command: ReopenEpisode, actor: MayJudge, carry_out: ChangeDep) -> Recorded:
    """Take back an end that was recorded in error, with the reason."""
    return await carry_out(command, actor)


@router.post("/{episode_id}/retract", responses=_changes())
async def retract_toxicity_episode(command: RetractEpisode, actor: MayJudge, carry_out: ChangeDep) -> Recorded:
    """Take back an episode that should never have been opened, and its adverse event with it. Alerts stay."""
    return await carry_out(command, actor)


@router.get("/{episode_id}", responses={**problems.of(NoSuchEpisode), **answers.VERSIONED})
async def get_toxicity_episode(
    episode_id: EpisodeId, episodes: EpisodesDep, flags: FlagsDep, actor: MayRead, response: Response
) -> Episode:
    """One episode as it stands: its series with both grades, its maxima, and the adverse event that follows it."""
    state, followed, version, participant = await episodes.episode(episode_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    opened = state.was.opened if isinstance(state, RetractedCourse) else state.opened
    gaps = (await flags.at(participant))(opened.onset)
    return Episode.of(state, followed, site_id=participant.site_id, consent_gaps=gaps)


@router.get("/{episode_id}/history", responses=problems.of(NoSuchEpisode))
async def get_toxicity_episode_history(
    episode_id: EpisodeId, episodes: EpisodesDep, actor: MayRead
) -> list[HistoryEntry]:
    """Who recorded what about this episode, when, and why."""
    return answers.history(await episodes.history(episode_id, by=actor), missing=NoSuchEpisode())
