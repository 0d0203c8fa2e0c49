"""Stopping rules as they stand: fired, reviewed. They look at the whole trial, whoever asks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Exact, Figure
from shared.protocol import Counted, StoppingRule


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A stopping rule fired. `holds`: whether it would on what is known now."""

    rule: str
    number: int
    participants: tuple[UUID, ...]
    evaluable: int
    posterior: Decimal | None
    triggered_at: datetime
    holds: bool
    decision: str | None
    reason: str | None
    reviewed_at: datetime | None
    reviewed_by: str | None


class HaltState(StrEnum):
    NOT_FIRED = "not-fired"
    HALTED = "halted"  # fired, and not reviewed
    RESUMED = "resumed"
    STOPPED = "stopped"


class Firing(Figure):
    """One time that a rule fired. `participants` are those whom the asker may see, of `events` in all."""

    number: int
    triggered_at: datetime
    events: int
    evaluable: int
    participants: tuple[UUID, ...]
    posterior: Exact | None = Field(description="That the true rate exceeds the target; null: fires at one event")
    holds: bool = Field(description="Whether it would fire on what is known now")
    decision: str | None
    reason: str | None
    reviewed_at: datetime | None
    reviewed_by: str | None


class StoppingRuleState(Figure):
    """A stopping rule of the protocol, over the whole trial."""

    rule: str
    title: str
    counts: Counted
    enabled: bool
    state: HaltState
    firings: tuple[Firing, ...]


def stopping_rules(
    rules: Iterable[StoppingRule], fired: Sequence[FiredRule], seen: frozenset[UUID]
) -> Iterator[StoppingRuleState]:
    """Every rule of the protocol with its firings. `seen` are those whom the asker may see."""
    for rule in rules:
        firings = [each for each in fired if each.rule == rule.id]
        yield StoppingRuleState(
            rule=rule.id,
            title=rule.title,
            counts=rule.counts,
            enabled=rule.enabled,
            state=_state(firings),
            firings=tuple(_firing(each, seen) for each in firings),
        )


def _state(firings: Sequence[FiredRule]) -> HaltState:
    """The latest firing tells."""
    if not firings:
        return HaltState.NOT_FIRED
    states = {None: HaltState.HALTED, "resume": HaltState.RESUMED, "stop": HaltState.STOPPED}
    return states[max(firings, key=lambda each: each.number).decision]


def _firing(halt: FiredRule, seen: frozenset[UUID]) -> Firing:
    return Firing(
        number=halt.number,
        triggered_at=halt.triggered_at,
        events=len(halt.participants),
        evaluable=halt.evaluable,
        participants=tuple(each for each in halt.participants if each in seen),
        posterior=halt.posterior,
        holds=halt.holds,
        decision=halt.decision,
        reason=halt.reason,
        reviewed_at=halt.reviewed_at,
        reviewed_by=halt.reviewed_by,
    )
