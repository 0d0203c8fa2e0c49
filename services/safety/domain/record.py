"""One adverse event as it stands on record: what its events, folded, amount to."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from shared.contracts.safety import (
    ENDS,
    ActionTaken,
    AdverseEventCorrected,
    AdverseEventEvent,
    AdverseEventRegraded,
    AdverseEventReported,
    AdverseEventResolved,
    AdverseEventRetracted,
    AdverseEventTerm,
    AgentCausality,
    CausalityAssessed,
    GradeSince,
    Outcome,
    SeriousAdverseEventIdentified,
    Seriousness,
    SeriousnessReassessed,
)
from shared.kernel.decider import changed


@dataclass(frozen=True, slots=True)
class Unreported:
    """Nothing has been said under this id."""


@dataclass(frozen=True)
class OnRecord:
    """An adverse event with its facts as they are now.

    `grades` is the history of its grades in order of time; the last is the grade now.
    """

    adverse_event_id: UUID
    participant_id: UUID
    term: AdverseEventTerm
    grades: tuple[GradeSince, ...]
    onset: str
    became_aware_at: datetime
    ended_on: str | None
    seriousness: tuple[Seriousness, ...]
    causality: tuple[AgentCausality, ...]
    action_taken: ActionTaken
    outcome: Outcome
    reported: AdverseEventReported
    alerts: tuple[SeriousAdverseEventIdentified, ...] = ()

    @property
    def grade(self) -> int:
        return self.grades[-1].grade

    @property
    def worst_grade(self) -> int:
        return max(entry.grade for entry in self.grades)

    @property
    def is_resolved(self) -> bool:
        return self.outcome in ENDS and self.ended_on is not None


@dataclass(frozen=True, slots=True)
class Retracted:
    """An adverse event that should never have been reported, as it stood when it was retracted, and why it was."""

    was: OnRecord
    reason: str


State = Unreported | OnRecord | Retracted


def evolve(state: State, event: AdverseEventEvent) -> State:
    if isinstance(event, AdverseEventReported):
        return _first(event)
    match state:
        case OnRecord():
            return _next(state, event)
        case Unreported() | Retracted():
            return state
        case _:
            assert_never(state)


def _first(event: AdverseEventReported) -> OnRecord:
    return OnRecord(
        adverse_event_id=event.adverse_event_id,
        participant_id=event.participant_id,
        term=event.term,
        grades=(GradeSince(grade=event.grade, since=event.onset, basis=event.grade_basis),),
        onset=event.onset,
        became_aware_at=event.became_aware_at,
        ended_on=event.ended_on,
        seriousness=event.seriousness,
        causality=event.causality,
        action_taken=event.action_taken,
        outcome=event.outcome,
        reported=event,
    )


_Later = (
    AdverseEventRegraded
    | AdverseEventResolved
    | SeriousnessReassessed
    | CausalityAssessed
    | AdverseEventCorrected
    | AdverseEventRetracted
    | SeriousAdverseEventIdentified
)


def _next(record: OnRecord, event: _Later) -> OnRecord | Retracted:
    after: OnRecord | Retracted
    match event:
        case AdverseEventRegraded():
            entry = GradeSince(grade=event.grade, since=event.since, basis=event.grade_basis)
            after = changed(record, grades=(*record.grades, entry))
        case AdverseEventResolved():
            after = changed(record, ended_on=event.ended_on, outcome=event.outcome)
        case SeriousnessReassessed():
            after = changed(record, seriousness=event.seriousness)
        case CausalityAssessed():
            after = changed(record, causality=merged(record.causality, event.causality))
        case AdverseEventCorrected():
            after = _corrected(record, event)
        case SeriousAdverseEventIdentified():
            after = changed(record, alerts=(*record.alerts, event))
        case AdverseEventRetracted():
            after = Retracted(record, event.reason)
        case _:
            assert_never(event)
    return after


def merged(known: tuple[AgentCausality, ...], newer: tuple[AgentCausality, ...]) -> tuple[AgentCausality, ...]:
    """The opinions by agent, in the agents' order; the newer replaces the one about the same agent."""
    by_agent = {opinion.agent: opinion for opinion in (*known, *newer)}
    return tuple(by_agent[agent] for agent in sorted(by_agent))


CORRECTABLE = tuple(
    name for name in AdverseEventCorrected.model_fields if name not in {"adverse_event_id", "participant_id", "reason"}
)


def _corrected(record: OnRecord, event: AdverseEventCorrected) -> OnRecord:
    entries = {name: getattr(event, name) for name in CORRECTABLE}
    return changed(record, **{name: entry.now for name, entry in entries.items() if entry is not None})
