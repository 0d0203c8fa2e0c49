"""When dosing halts in the whole trial: a boundary on a rate, or a single event, until somebody has reviewed.

One stream for the trial. The rules look at all participants again after each change; a rule fires anew only when
somebody is counted who was not counted before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, assert_never
from uuid import UUID

from pydantic import ConfigDict

from services.safety.domain.dose_limiting.toxicity import Toxicity, spells
from shared.contracts.safety_dose_limiting import (
    StoppingBasisChanged,
    StoppingEvent,
    StoppingReviewed,
    StoppingRuleTriggered,
)
from shared.contracts.terms import ProtocolRef, Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import NotFound
from shared.protocol import BetaBinomial, Stopping, StoppingRule
from shared.protocol.dose_limiting_status import DltWindow

_SHOWN = Decimal("0.000001")


def posterior(events: int, participants: int, boundary: BetaBinomial) -> Decimal:
    """The probability that the true rate exceeds the target, after `events` among `participants`.

    Beta-binomial: the posterior is Beta(a + m, b + n - m), and this its upper tail from the target on.
    Source: beta-binomial monitoring of toxicity; scipy.special.betaincc is the complement of the regularised
    incomplete beta function.
    """
    from scipy.special import betaincc  # noqa: PLC0415 - a slow import that this alone needs

    a = float(boundary.prior_a) + events
    b = float(boundary.prior_b) + participants - events
    return Decimal(repr(float(betaincc(a, b, float(boundary.target))))).quantize(_SHOWN)


def fires(rule: StoppingRule, events: int, participants: int) -> bool:
    """Whether a rule stops the trial at so many events among so many participants it looks at."""
    if rule.boundary is None:
        return events > 0
    if participants < rule.boundary.minimum:
        return False
    return posterior(events, participants, rule.boundary) > rule.boundary.certainty


def stops_from(rule: StoppingRule, participants: int) -> int | None:
    """The fewest events among so many participants at which a rule fires; None: it cannot."""
    return next((events for events in range(participants + 1) if fires(rule, events, participants)), None)


def counts_for(rule: StoppingRule, toxicity: Toxicity, window: DltWindow) -> bool:
    """Whether a toxicity makes a stopping rule count its participant: one of the events that the rule names.

    A grade that may have been there after the infusion began counts; an agent nobody has judged counts as related.
    """
    event = rule.event
    if (
        event is None
        or toxicity.soc is None
        or toxicity.meddra_code is None
        or event.related_to in toxicity.unrelated_to
    ):
        return False
    named = event.terms is None or event.terms.name(toxicity.soc, toxicity.meddra_code)
    return named and any(spell.begins.to > window.begins for spell in spells(toxicity, event.grade_at_least))


@dataclass(frozen=True, slots=True)
class Count:
    """Who counts for one rule: those with the event, and how many it looks at, those included."""

    participants: tuple[UUID, ...]
    evaluable: int


class ReviewStopping(Command):
    """Look at the rules again. Said by the watch itself, never by people."""


class ReviewHalt(Command):
    """Say what the safety committee decided about a halt: dosing resumes, or the trial stays stopped."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"decision": "resume", "reason": "Committee of 20 March: dose level lowered"}]}
    )

    decision: Literal["resume", "stop"]
    reason: Reason


StoppingCommand = ReviewStopping | ReviewHalt


@dataclass(frozen=True, slots=True)
class Facts:
    """The rules, and who counts for each. `rule`: the one whose halt is reviewed."""

    stopping: Stopping
    protocol: ProtocolRef
    counts: Mapping[str, Count] = field(default_factory=dict)
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """One firing of a rule. `counted`: who has the event, as last said; `decision` None: not reviewed yet."""

    rule: str
    number: int
    counted: tuple[UUID, ...]
    ever_counted: frozenset[UUID]
    decision: Literal["resume", "stop"] | None = None
    reason: str | None = None

    @property
    def stops_dosing(self) -> bool:
        return self.decision != "resume"


@dataclass(frozen=True, slots=True)
class Halts:
    """The latest firing of every rule that has fired."""

    latest: Mapping[str, Halt] = field(default_factory=dict)


class NoSuchHalt(NotFound):
    """The protocol has no such rule, or it has never fired."""


def evolve(state: Halts, event: StoppingEvent) -> Halts:
    known = state.latest.get(event.rule)
    if isinstance(event, StoppingRuleTriggered):
        before = known.ever_counted if known else frozenset()
        after = Halt(event.rule, event.number, event.participants, before | frozenset(event.participants))
    elif known is not None:
        after = _next(known, event)
    else:
        return state
    return Halts({**state.latest, event.rule: after})


def _next(known: Halt, event: StoppingBasisChanged | StoppingReviewed) -> Halt:
    match event:
        case StoppingBasisChanged():
            return replace(known, counted=event.now, ever_counted=known.ever_counted | frozenset(event.now))
        case StoppingReviewed():
            return replace(known, decision=event.decision, reason=event.reason)
        case _:
            assert_never(event)


def decide(command: StoppingCommand, state: Halts, facts: Facts) -> list[StoppingEvent]:
    match command:
        case ReviewStopping():
            return [event for rule in facts.stopping.rules for event in _looked_at(rule, state, facts)]
        case ReviewHalt():
            return _reviewed(command, state, facts)
        case _:
            assert_never(command)


def _looked_at(rule: StoppingRule, state: Halts, facts: Facts) -> Iterator[StoppingEvent]:
    known, count = state.latest.get(rule.id), facts.counts[rule.id]
    holds = rule.enabled and fires(rule, len(count.participants), count.evaluable)
    if holds and (known is None or set(count.participants) - known.ever_counted):
        yield StoppingRuleTriggered(
            rule=rule.id,
            number=known.number + 1 if known else 1,
            participants=count.participants,
            evaluable=count.evaluable,
            posterior=posterior(len(count.participants), count.evaluable, rule.boundary) if rule.boundary else None,
            protocol=facts.protocol,
        )
    elif known is not None and known.counted != count.participants:
        yield StoppingBasisChanged(
            rule=rule.id,
            number=known.number,
            was=known.counted,
            now=count.participants,
            holds=holds,
            protocol=facts.protocol,
        )


def _reviewed(command: ReviewHalt, state: Halts, facts: Facts) -> list[StoppingEvent]:
    known = state.latest.get(facts.rule or "")
    if known is None:
        raise NoSuchHalt("the protocol has no such stopping rule, or it has never fired")
    if (known.decision, known.reason) == (command.decision, command.reason):
        return []
    return [StoppingReviewed(rule=known.rule, number=known.number, decision=command.decision, reason=command.reason)]


DECIDER: Decider[StoppingCommand, Halts, Facts, StoppingEvent] = Decider(
    category="stopping-rules", initial=Halts(), evolve=evolve, decide=decide
)
