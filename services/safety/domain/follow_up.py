"""What becomes known of an adverse event after its report: how it went on, how it ended, what caused it.

Each function takes a command and the record, and gives the events that follow: none where nothing is new.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field

from services.safety.domain import causality
from services.safety.domain.record import OnRecord
from shared.contracts.safety import (
    ENDS,
    AdverseEventEvent,
    AdverseEventRegraded,
    AdverseEventResolved,
    AgentCausality,
    CausalityAssessed,
    Grade,
    GradeBasis,
    GradeSince,
    Outcome,
    Seriousness,
    SeriousnessReassessed,
)
from shared.contracts.terms import Instant, PartialDate
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, Unacceptable


class RegradeAdverseEvent(Command):
    """The event got better or worse from a day on. A grade that was wrong from the start is corrected instead."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grade": 2, "since": "2026-03-18"}]})

    grade: Grade
    grade_basis: GradeBasis = GradeBasis()
    since: PartialDate


class ReassessSeriousness(Command):
    """New information changed which criteria of seriousness are met; the set replaces the one on record."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"seriousness": ["hospitalisation", "life-threatening"], "became_aware_at": "2026-03-17T08:30:00+07:00"}
            ]
        }
    )

    seriousness: frozenset[Seriousness] = Field(description="Every criterion now met; none: no longer held serious")
    became_aware_at: Instant = Field(description="When the site learned of it; a new alert's clocks run from here")


class AssessCausality(Command):
    """An investigator's opinion about one agent or several. Opinions about other agents stand."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"causality": [{"agent": "lymphodepletion", "attribution": "possible"}]}]}
    )

    causality: Annotated[tuple[AgentCausality, ...], Field(min_length=1, max_length=50)]


class ResolveAdverseEvent(Command):
    """The event ended, with or without sequelae. A death is recorded with record-death."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ended_on": "2026-03-24", "outcome": "recovered"}]})

    ended_on: PartialDate
    outcome: Outcome


class RecordDeath(Command):
    """The participant died of this event: grade 5, results in death, fatal. All three follow from this one fact."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"died_on": "2026-03-24", "became_aware_at": "2026-03-24T22:10:00+07:00"}]}
    )

    died_on: PartialDate
    became_aware_at: Instant = Field(
        description="When the site learned of the death; the new alert's clocks run from here"
    )


class AdverseEventAlreadyResolved(Conflict):
    """The event has ended on record; if that is wrong, correct it."""


class GradeAlreadyOnRecord(Conflict):
    """The event has this grade already, from another day on; if that day is wrong, correct it."""


class NotAnEnd(Unacceptable):
    """An event is resolved when the participant recovered, with or without sequelae."""


def regraded(command: RegradeAdverseEvent, record: OnRecord) -> Sequence[AdverseEventEvent]:
    entry = GradeSince(grade=command.grade, since=command.since, basis=command.grade_basis)
    if entry == record.grades[-1]:
        return []
    if entry.grade == record.grade:
        raise GradeAlreadyOnRecord(
            f"the event has grade {record.grade} since {record.grades[-1].since}; correct that date if it is wrong"
        )
    return [_graded(record, entry)]


def _graded(record: OnRecord, entry: GradeSince) -> AdverseEventRegraded:
    return AdverseEventRegraded(
        adverse_event_id=record.adverse_event_id,
        participant_id=record.participant_id,
        previous_grade=record.grade,
        grade=entry.grade,
        grade_basis=entry.basis,
        since=entry.since,
    )


def reassessed(command: ReassessSeriousness, record: OnRecord) -> Sequence[AdverseEventEvent]:
    seriousness = tuple(sorted(command.seriousness))
    if seriousness == record.seriousness:
        return []
    return [
        SeriousnessReassessed(
            adverse_event_id=record.adverse_event_id,
            participant_id=record.participant_id,
            previous=record.seriousness,
            seriousness=seriousness,
            became_aware_at=command.became_aware_at,
        )
    ]


def assessed(command: AssessCausality, record: OnRecord, agents: tuple[str, ...]) -> Sequence[AdverseEventEvent]:
    given = causality.opinions(command.causality, agents)
    newer = tuple(opinion for opinion in given if opinion not in record.causality)
    if not newer:
        return []
    return [
        CausalityAssessed(
            adverse_event_id=record.adverse_event_id, participant_id=record.participant_id, causality=newer
        )
    ]


def resolved(command: ResolveAdverseEvent, record: OnRecord) -> Sequence[AdverseEventEvent]:
    if command.outcome not in ENDS:
        raise NotAnEnd(f"resolve takes the outcomes {', '.join(sorted(ENDS))}; until then correct the outcome")
    if (record.ended_on, record.outcome) == (command.ended_on, command.outcome):
        return []
    _refuse_second_end(record)
    return [_ended(record, command.ended_on, command.outcome)]


def _refuse_second_end(record: OnRecord) -> None:
    if record.is_resolved:
        raise AdverseEventAlreadyResolved(f"the event is on record as {record.outcome}; correct that if it is wrong")


def _ended(record: OnRecord, ended_on: str, outcome: Outcome) -> AdverseEventResolved:
    return AdverseEventResolved(
        adverse_event_id=record.adverse_event_id,
        participant_id=record.participant_id,
        ended_on=ended_on,
        outcome=outcome,
    )


def died(command: RecordDeath, record: OnRecord) -> Sequence[AdverseEventEvent]:
    if (record.outcome, record.ended_on) == (Outcome.FATAL, command.died_on):
        return []
    _refuse_second_end(record)
    fatal = ReassessSeriousness(
        seriousness=frozenset({*record.seriousness, Seriousness.DEATH}), became_aware_at=command.became_aware_at
    )
    grade = GradeSince(grade=5, since=command.died_on)
    return [
        *([] if record.grade == 5 else [_graded(record, grade)]),
        *reassessed(fatal, record),
        _ended(record, command.died_on, Outcome.FATAL),
    ]
