"""The stopping rules of the trial: how near each is, which has fired, and what the committee decided."""

from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from services.safety.api.permissions import MayRead
from services.safety.api.toxicity.permissions import HaltsDep, MayDecide, MayReadHalts
from services.safety.domain.dose_limiting.stopping import NoSuchHalt, ReviewHalt, posterior, stops_from
from services.safety.toxicity.halts import RuleStanding
from shared.contracts.terms import Code, Measurement, Reason
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.protocol import Counted

router: APIRouter = make_router("/v1/stopping-rules", "Stopping rules")

RulePath = Annotated[str, Path(max_length=64, description="The rule's id in the protocol")]


class Halt(BaseModel):
    """The latest time a rule fired."""

    number: int
    events: int = Field(description="Participants counted for it, as last said")
    stops_dosing: bool = Field(description="Not reviewed, or reviewed so that the trial stays stopped")
    decision: Literal["resume", "stop"] | None
    reason: Reason | None


class StoppingRule(BaseModel):
    """A rule of the protocol, and how it stands. Participants of other sites are counted and not named."""

    rule: Code
    title: str
    counts: Counted
    enabled: bool
    events: int
    evaluable: int
    participants: tuple[UUID, ...] = Field(description="Those with the event, at the caller's sites")
    stops_from: int | None = Field(description="The fewest events at which it fires among so many; null: at none")
    posterior: Measurement | None = Field(
        description="Probability that the true rate exceeds the target; null: no rate"
    )
    halt: Halt | None = Field(description="Null: it has never fired")

    @classmethod
    def of(cls, standing: RuleStanding) -> Self:
        rule, count = standing.rule, standing.count
        return cls(
            rule=rule.id,
            title=rule.title,
            counts=rule.counts,
            enabled=rule.enabled,
            events=len(count.participants),
            evaluable=count.evaluable,
            participants=standing.visible,
            stops_from=stops_from(rule, count.evaluable),
            posterior=_posterior(standing),
            halt=_halt(standing),
        )


def _posterior(standing: RuleStanding) -> Decimal | None:
    boundary, count = standing.rule.boundary, standing.count
    return None if boundary is None else posterior(len(count.participants), count.evaluable, boundary)


def _halt(standing: RuleStanding) -> Halt | None:
    halt = standing.halt
    if halt is None:
        return None
    return Halt(
        number=halt.number,
        events=len(halt.counted),
        stops_dosing=halt.stops_dosing,
        decision=halt.decision,
        reason=halt.reason,
    )


@router.get("", responses={**problems.of(), **answers.VERSIONED})
async def get_stopping_rules(halts: HaltsDep, actor: MayRead, response: Response) -> list[StoppingRule]:
    """Every rule of the protocol: who counts for it, how many more it takes, and whether it has fired."""
    standing, version = await halts.standing(by=actor)
    response.headers["ETag"] = etags.of(version)
    return [StoppingRule.of(each) for each in standing]


@router.get("/history", responses=problems.of())
async def get_stopping_history(halts: HaltsDep, actor: MayReadHalts) -> list[HistoryEntry]:
    """When which rule fired, and what was decided. Empty: none ever has. Participants of other sites are left out."""
    life, hidden = await halts.history(by=actor)
    entries = answers.history(life, missing=NoSuchHalt()) if life else []
    return [_without(entry, {str(each) for each in hidden}) for entry in entries]


def _without(entry: HistoryEntry, hidden: set[str]) -> HistoryEntry:
    told = {
        name: [each for each in value if each not in hidden] if isinstance(value, list) else value
        for name, value in entry.data.items()
    }
    return entry.model_copy(update={"data": told})


@router.get("/{rule}", responses={**problems.of(NoSuchHalt), **answers.VERSIONED})
async def get_stopping_rule(rule: RulePath, halts: HaltsDep, actor: MayRead, response: Response) -> StoppingRule:
    """One rule: who counts for it, how many more it takes, and whether it has fired."""
    standing, version = await halts.one(rule, by=actor)
    response.headers["ETag"] = etags.of(version)
    return StoppingRule.of(standing)


@router.post(
    "/{rule}/review",
    responses={
        **problems.of(NoSuchHalt, *VERSION_PROBLEMS),
        **answers.CHANGED,
    },
)
async def review_halt(
    rule: RulePath,
    command: ReviewHalt,
    halts: HaltsDep,
    actor: MayDecide,
    expected: IfMatch,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Say what the committee decided about the rule's latest halt: dosing resumes, or the trial stays stopped."""
    receipt = await halts.review(rule, command, by=actor, expected=expected, command_id=mint(None))
    return answers.changed(response, receipt, rule)
