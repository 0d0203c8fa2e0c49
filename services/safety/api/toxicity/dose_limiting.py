"""Dose-limiting toxicity of one participant: what the rules propose, what an officer decides, where they stand."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from services.safety.api.permissions import MayRead
from services.safety.api.toxicity.permissions import DoseLimitingDep, MayDecide
from services.safety.domain.dose_limiting.life import (
    DecideDoseLimitingToxicity,
    DeclareDoseLimitingToxicity,
    Dlt,
    DoseLimitingToxicityWasWithdrawn,
    NoSuchDoseLimitingToxicity,
)
from services.safety.toxicity.dose_limiting import NoSuchToxicity, Standing
from shared.contracts.safety_dose_limiting import DltBasis, DltId, ToxicitySource
from shared.contracts.terms import ParticipantId, Reason, SiteId
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.errors import NoSuchParticipant
from shared.protocol.dose_limiting_status import DltStatus, NotEvaluable

router: APIRouter = make_router("/v1/participants/{participant_id}/dose-limiting-toxicities", "Dose-limiting toxicity")

ParticipantPath = Annotated[UUID, Path(description="The participant's id")]


class DltWindow(BaseModel):
    """The time in which a toxicity can limit the dose, both ends included."""

    begins: datetime
    ends: datetime


class DoseLimitingToxicity(BaseModel):
    """One toxicity that a rule proposed, or an officer named."""

    dlt_id: DltId
    source: ToxicitySource
    basis: DltBasis = Field(description="What the rules find now")
    withdrawn: bool = Field(description="No rule holds any more, and nobody had decided")
    decision: Literal["confirmed", "refuted"] | None
    reason: Reason | None
    wants_a_look: bool = Field(
        description="Undecided; confirmed on a rule that holds no more; or refuted, and worse since"
    )

    @classmethod
    def of(cls, known: Dlt) -> Self:
        return cls(
            dlt_id=known.dlt_id,
            source=known.source,
            basis=known.basis,
            withdrawn=not known.proposed,
            decision=known.decision,
            reason=known.reason,
            wants_a_look=known.wants_a_look,
        )


class ParticipantToxicities(BaseModel):
    """Where a participant stands for the dose."""

    participant_id: ParticipantId
    site_id: SiteId
    window: DltWindow | None = Field(description="Null: not infused, or the trial counts no doses")
    status: DltStatus
    not_evaluable: tuple[NotEvaluable, ...] = Field(description="Why the participant does not count")
    toxicities: tuple[DoseLimitingToxicity, ...]

    @classmethod
    def of(cls, standing: Standing) -> Self:
        window = standing.watched.window
        return cls(
            participant_id=standing.watched.participant_id,
            site_id=standing.watched.site_id,
            window=None if window is None else DltWindow(begins=window.begins, ends=window.ends),
            status=standing.evaluability.status,
            not_evaluable=standing.evaluability.why,
            toxicities=tuple(DoseLimitingToxicity.of(each) for each in standing.toxicities.by_id.values()),
        )


@router.get("", responses={**problems.of(NoSuchParticipant), **answers.VERSIONED})
async def get_dose_limiting_toxicities(
    participant_id: ParticipantPath, toxicities: DoseLimitingDep, actor: MayRead, response: Response
) -> ParticipantToxicities:
    """In window, evaluable, limited or not evaluable and why; and every toxicity that was proposed."""
    standing = await toxicities.standing(participant_id, by=actor)
    response.headers["ETag"] = etags.of(standing.version)
    return ParticipantToxicities.of(standing)


@router.post(
    "/declare",
    responses={**problems.of(NoSuchParticipant, NoSuchToxicity, OtherContentOnRecord), **answers.CHANGED},
)
async def declare_dose_limiting_toxicity(
    participant_id: ParticipantPath,
    command: DeclareDoseLimitingToxicity,
    toxicities: DoseLimitingDep,
    actor: MayDecide,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Name a toxicity that no rule found, and confirm that it limits the dose. Needs no `If-Match`."""
    receipt = await toxicities.declare(participant_id, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, participant_id)


@router.get("/history", responses=problems.of(NoSuchParticipant))
async def get_dose_limiting_history(
    participant_id: ParticipantPath, toxicities: DoseLimitingDep, actor: MayRead
) -> list[HistoryEntry]:
    """Who proposed and decided what, when, and why. Empty: nothing was ever proposed."""
    life = await toxicities.history(participant_id, by=actor)
    return answers.history(life, missing=NoSuchDoseLimitingToxicity()) if life else []


@router.get("/{dlt_id}", responses={**problems.of(NoSuchDoseLimitingToxicity), **answers.VERSIONED})
async def get_dose_limiting_toxicity(
    participant_id: ParticipantPath, dlt_id: UUID, toxicities: DoseLimitingDep, actor: MayRead, response: Response
) -> DoseLimitingToxicity:
    """One toxicity that was proposed or named. Its version is that of all the participant's."""
    known, version = await toxicities.one(participant_id, dlt_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return DoseLimitingToxicity.of(known)


@router.post(
    "/{dlt_id}/decide",
    responses={
        **problems.of(
            NoSuchDoseLimitingToxicity,
            DoseLimitingToxicityWasWithdrawn,
            *VERSION_PROBLEMS,
        ),
        **answers.CHANGED,
    },
)
async def decide_dose_limiting_toxicity(
    participant_id: ParticipantPath,
    dlt_id: UUID,
    command: DecideDoseLimitingToxicity,
    toxicities: DoseLimitingDep,
    actor: MayDecide,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Confirm that a proposed toxicity limits the dose, or refute it, with the reason."""
    receipt = await toxicities.decide(
        participant_id, dlt_id, command, by=actor, expected=expected, command_id=mint(None)
    )
    return answers.changed(response, receipt, dlt_id)
