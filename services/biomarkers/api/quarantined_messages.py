"""What waits of messages that could not be read: look at it, release it once it can be, or discard it."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from services.biomarkers.api.intake_permissions import FeedsDep, MayKeepSources
from services.biomarkers.api.permissions import MayRead
from services.biomarkers.domain.result_source import DiscardMessage, NoSuchResultSource
from services.biomarkers.intake.messages import (
    Kept,
    MessageAlreadySettled,
    MessageFormat,
    MessageState,
    MessageStillUnreadable,
    NoSuchQuarantinedMessage,
)
from services.biomarkers.intake.observations import SentObservation
from services.biomarkers.intake.readings import ReadingProblem
from services.biomarkers.intake.taking import Fate, Outcome
from shared.contracts.biomarkers_intake import SourceId
from shared.contracts.terms import Instant, SiteId
from shared.http import paging, problems
from shared.http.paging import Cursor, Limit, Page, UnreadableCursor
from shared.http.service_app import router as make_router
from shared.kernel.decider import Command
from shared.kernel.errors import StaleVersion

router: APIRouter = make_router("/v1/quarantined-messages", "Feeds")

_RESOURCES = {"cytokine": "cytokine-panels", "flow": "flow-results", "transgene": "transgene-results"}
MessagePath = Annotated[UUID, Path(description="The message's id in quarantine")]


class WaitingObservation(BaseModel):
    """One observation that waits, as far as it was read, and why."""

    observation: SentObservation
    problem: ReadingProblem
    says: str = Field(description="What to add, or to send instead")


class QuarantinedMessage(BaseModel):
    """What waits of a message, and what became of it. Of its patient only subject numbers were kept."""

    message_id: UUID
    source_id: str
    site_id: str | None = Field(description="Null: its source was not registered when it came")
    format: MessageFormat
    control_id: str | None
    waiting: tuple[WaitingObservation, ...]
    received_at: Instant
    received_by: str
    state: MessageState
    settled_at: Instant | None
    settled_by: str | None
    reason: str | None

    @classmethod
    def of(cls, kept: Kept) -> Self:
        waiting = tuple(WaitingObservation(observation=e.sent, problem=e.problem, says=e.says) for e in kept.waiting)
        given = {name: getattr(kept, name) for name in cls.model_fields if name != "waiting"}
        return cls(**given, waiting=waiting)


class ObservationAnswer(BaseModel):
    """What became of one observation, and where its result can be read."""

    place: str
    outcome: Outcome
    result: str | None = Field(description="Path of the flow result, transgene result or cytokine panel")
    problem: ReadingProblem | None
    says: str | None

    @classmethod
    def of(cls, fate: Fate) -> Self:
        return cls(
            place=fate.sent.place,
            outcome=fate.outcome,
            result=path_of(fate),
            problem=fate.problem,
            says=fate.says,
        )


class ReleasedMessage(BaseModel):
    """What became of a message, observation by observation."""

    message_id: UUID
    observations: tuple[ObservationAnswer, ...]


class ReleaseMessage(Command):
    """Read what waits again, now that a mapping or a source was added, or the participant has arrived."""


def path_of(fate: Fate) -> str | None:
    if fate.result_id is None:
        return None
    return f"/v1/{_RESOURCES[str(fate.kind)]}/{fate.result_id}"


@router.get("", responses=problems.of(UnreadableCursor))
async def list_quarantined_messages(
    feeds: FeedsDep,
    actor: MayRead,
    request: Request,
    response: Response,
    *,
    source_id: Annotated[SourceId | None, Query()] = None,
    site: Annotated[SiteId | None, Query(description="Only messages of this site's sources")] = None,
    state: MessageState | None = MessageState.WAITING,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[QuarantinedMessage]:
    """The messages of which something waits, oldest first; or those of another state."""
    after = paging.decode(cursor, (str, str))
    place = None if after is None else (paging.instant(str(after[0])), _id(str(after[1])))
    found = await feeds.listed(by=actor, source_id=source_id, site=site, state=state, after=place, limit=limit + 1)
    more = None
    if len(found) > limit:
        last = found[limit - 1]
        more = (last.received_at.isoformat(), str(last.message_id))
    return paging.page(request, response, [QuarantinedMessage.of(each) for each in found[:limit]], limit, more)


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise UnreadableCursor(paging.AS_GIVEN) from error


@router.post(
    "/{message_id}/release",
    responses=problems.of(
        NoSuchQuarantinedMessage, NoSuchResultSource, MessageAlreadySettled, MessageStillUnreadable, StaleVersion
    ),
)
async def release_quarantined_message(
    message_id: MessagePath, _command: ReleaseMessage, feeds: FeedsDep, actor: MayKeepSources
) -> ReleasedMessage:
    """Record what can be read now; the rest stays."""
    fates = await feeds.release(message_id, by=actor)
    return ReleasedMessage(message_id=message_id, observations=tuple(map(ObservationAnswer.of, fates)))


@router.post(
    "/{message_id}/discard",
    responses=problems.of(NoSuchQuarantinedMessage, MessageAlreadySettled),
)
async def discard_quarantined_message(
    message_id: MessagePath, command: DiscardMessage, feeds: FeedsDep, actor: MayKeepSources
) -> QuarantinedMessage:
    """Decide that what waits will not be read, with the reason. It stays readable here."""
    await feeds.discard(message_id, command, by=actor)
    return QuarantinedMessage.of(await feeds.message(message_id, by=actor))
