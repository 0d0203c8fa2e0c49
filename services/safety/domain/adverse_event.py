"""An adverse event's life: reported, regraded, reassessed, resolved, and put right where an entry was wrong.

Every command proposes events; what the record then amounts to is checked as a whole, whichever way it came about;
and where it has become more urgent than it was, an alert is raised with the same append.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import reduce
from typing import Annotated, assert_never
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field

from services.safety.domain import causality, chronology, correction, ctcae, death, follow_up
from services.safety.domain.correction import CorrectAdverseEvent, RetractAdverseEvent
from services.safety.domain.follow_up import (
    AssessCausality,
    ReassessSeriousness,
    RecordDeath,
    RegradeAdverseEvent,
    ResolveAdverseEvent,
)
from services.safety.domain.record import OnRecord, Retracted, State, Unreported, evolve
from services.safety.domain.urgency import cause_of_alert, notices, urgency_of
from shared.contracts.safety import (
    ActionTaken,
    AdverseEventEvent,
    AdverseEventReported,
    AgentCausality,
    Grade,
    GradeBasis,
    Outcome,
    SeriousAdverseEventIdentified,
    Seriousness,
)
from shared.contracts.terms import Instant, PartialDate, ParticipantId, ShortText
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, Conflict, NotFound
from shared.protocol import Protocol

Opinions = Annotated[tuple[AgentCausality, ...], Field(max_length=50, description="One opinion per agent")]


class ReportAdverseEvent(Command):
    """Report an adverse event. Whoever sends it may make the id, so that sending it again is harmless."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "participant_id": "018f2b6e-0000-7000-8000-000000000001",
                    "term": "Cytokine release syndrome",
                    "grade": 3,
                    "onset": "2026-03-15",
                    "became_aware_at": "2026-03-16T09:00:00+07:00",
                    "seriousness": ["hospitalisation"],
                    "causality": [{"agent": "car-t-product", "attribution": "probable"}],
                    "outcome": "not-recovered",
                }
            ]
        }
    )

    adverse_event_id: UUID = Field(default_factory=uuid4)
    participant_id: ParticipantId
    term: ShortText = Field(
        description="MedDRA code or exact name of a CTCAE term", examples=["Cytokine release syndrome"]
    )
    specification: ShortText | None = Field(None, description="What was seen, for an 'Other, specify' term")
    grade: Grade
    grade_basis: GradeBasis = GradeBasis()
    onset: PartialDate
    became_aware_at: Instant = Field(description="When the site learned of the event; clocks run from here")
    ended_on: PartialDate | None = None
    seriousness: frozenset[Seriousness] = Field(frozenset(), description="ICH E2A criteria met; none: not serious")
    causality: Opinions = ()
    action_taken: ActionTaken = ActionTaken.UNKNOWN
    outcome: Outcome = Outcome.UNKNOWN


Change = (
    RegradeAdverseEvent
    | ReassessSeriousness
    | AssessCausality
    | ResolveAdverseEvent
    | RecordDeath
    | CorrectAdverseEvent
    | RetractAdverseEvent
)
AdverseEventCommand = ReportAdverseEvent | Change


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision needs beside the command and the record. `zone` is the site's."""

    now: datetime
    site_id: str
    zone: tzinfo
    protocol: Protocol

    @property
    def agents(self) -> tuple[str, ...]:
        return self.protocol.causality.agents.value


class NoSuchAdverseEvent(NotFound):
    """No adverse event has this id, or none at the caller's sites."""


class AdverseEventAlreadyReported(AlreadyExists):
    """Another content is on record under this id."""


class AdverseEventAlreadyRetracted(Conflict):
    """The event was retracted: nothing more can be said about it."""


def decide(command: AdverseEventCommand, state: State, facts: Facts) -> list[AdverseEventEvent]:
    proposed = _propose(command, state, facts)
    after = reduce(evolve, proposed, state)
    if not proposed or not isinstance(after, OnRecord):
        return proposed
    learned_at = _learned_at(command, after)
    _check(after, learned_at, facts)
    return [*proposed, *_alerts(state, after, learned_at, facts)]


def _propose(command: AdverseEventCommand, state: State, facts: Facts) -> list[AdverseEventEvent]:
    match state:
        case Unreported():
            if isinstance(command, ReportAdverseEvent):
                return [_reported(command, facts)]
            raise NoSuchAdverseEvent("no adverse event has this id")
        case OnRecord():
            if isinstance(command, ReportAdverseEvent):
                return _again(command, state, facts)
            return [*_change(command, state, facts)]
        case Retracted():
            return _after_retraction(command, state, facts)
        case _:
            assert_never(state)


def _reported(command: ReportAdverseEvent, facts: Facts) -> AdverseEventReported:
    return AdverseEventReported(
        adverse_event_id=command.adverse_event_id,
        participant_id=command.participant_id,
        term=ctcae.as_reported(command.term, command.specification),
        grade=command.grade,
        grade_basis=command.grade_basis,
        onset=command.onset,
        became_aware_at=command.became_aware_at,
        ended_on=command.ended_on,
        seriousness=tuple(sorted(command.seriousness)),
        causality=causality.opinions(command.causality, facts.agents),
        action_taken=command.action_taken,
        outcome=command.outcome,
        protocol=facts.protocol.ref,
    )


def _again(command: ReportAdverseEvent, record: OnRecord, facts: Facts) -> list[AdverseEventEvent]:
    same_protocol = {"protocol": record.reported.protocol}
    if _reported(command, facts).model_copy(update=same_protocol) == record.reported:
        return []
    raise AdverseEventAlreadyReported("this id is on record with another report; correct that one, or take a new id")


def _after_retraction(command: AdverseEventCommand, state: Retracted, facts: Facts) -> list[AdverseEventEvent]:
    match command:
        case RetractAdverseEvent():
            return []
        case ReportAdverseEvent():
            return _again(command, state.was, facts)
        case _:
            raise AdverseEventAlreadyRetracted("this adverse event was retracted; if it did happen, report it anew")


def _change(command: Change, record: OnRecord, facts: Facts) -> Sequence[AdverseEventEvent]:
    events: Sequence[AdverseEventEvent]
    match command:
        case RegradeAdverseEvent():
            events = follow_up.regraded(command, record)
        case ReassessSeriousness():
            events = follow_up.reassessed(command, record)
        case AssessCausality():
            events = follow_up.assessed(command, record, facts.agents)
        case ResolveAdverseEvent():
            events = follow_up.resolved(command, record)
        case RecordDeath():
            events = follow_up.died(command, record)
        case CorrectAdverseEvent():
            events = correction.corrected(command, record, facts.agents)
        case RetractAdverseEvent():
            events = correction.retracted(command, record)
        case _:
            assert_never(command)
    return events


def _learned_at(command: AdverseEventCommand, after: OnRecord) -> datetime:
    """When the site learned of what it tells. A correction says what was true all along."""
    match command:
        case ReassessSeriousness() | RecordDeath():
            return command.became_aware_at
        case _:
            return after.became_aware_at


def _check(record: OnRecord, learned_at: datetime, facts: Facts) -> None:
    """The rules of the record as a whole, whichever command led to it."""
    for entry in record.grades:
        ctcae.by_code(record.term.meddra_code).require(entry.grade)
    death.check(record)
    chronology.check(record, learned_at, now=facts.now, zone=facts.zone)


def _alerts(
    state: State, after: OnRecord, learned_at: datetime, facts: Facts
) -> Sequence[SeriousAdverseEventIdentified]:
    cause = cause_of_alert(state if isinstance(state, OnRecord) else None, after)
    if cause is None:
        return []
    number = len(after.alerts) + 1
    return [
        SeriousAdverseEventIdentified(
            alert_id=f"{after.adverse_event_id}-{number}",
            adverse_event_id=after.adverse_event_id,
            participant_id=after.participant_id,
            site_id=facts.site_id,
            number=number,
            because=cause,
            seriousness=after.seriousness,
            grade=after.grade,
            became_aware_at=learned_at,
            notices=tuple(notices(facts.protocol, urgency_of(after.seriousness), learned_at, facts.zone)),
            protocol=facts.protocol.ref,
        )
    ]


DECIDER: Decider[AdverseEventCommand, State, Facts, AdverseEventEvent] = Decider(
    category="adverse-event", initial=Unreported(), evolve=evolve, decide=decide
)
