"""Putting wrong entries right: what was entered, and what is true, stay side by side."""

from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from services.safety.domain import causality, ctcae
from services.safety.domain.record import CORRECTABLE, OnRecord
from shared.contracts.safety import (
    ActionTaken,
    AdverseEventCorrected,
    AdverseEventRetracted,
    AgentCausality,
    Grade,
    GradeBasis,
    GradeSince,
    Outcome,
    Replaced,
    Seriousness,
)
from shared.contracts.terms import Instant, PartialDate, Reason, ShortText
from shared.kernel.decider import Command


class CorrectAdverseEvent(Command):
    """Put right what was entered wrongly. What is left out stays as it is.

    A correction says what was true all along: if it makes the event serious, the clocks run from the awareness on
    record, and may be over. What has newly become known is told by regrade, reassess-seriousness and the others.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "Transcription error: the chart says 14 March", "onset": "2026-03-14"}]
        }
    )

    reason: Reason
    term: ShortText | None = Field(None, description="MedDRA code or exact name of the right term")
    specification: ShortText | None = Field(None, description="For an 'Other, specify' term")
    grade: Grade | None = Field(None, description="The right grade in place of the one the event has now")
    grade_basis: GradeBasis | None = None
    grades: Annotated[tuple[GradeSince, ...], Field(min_length=1, max_length=100)] | None = Field(
        None, description="The right history of grades, where an earlier one is wrong too; the first is of the onset"
    )
    onset: PartialDate | None = None
    became_aware_at: Instant | None = None
    ended_on: PartialDate | None = None
    ongoing: bool = Field(False, description="true: the event has not ended; takes away an end that was entered")
    seriousness: frozenset[Seriousness] | None = None
    causality: Annotated[tuple[AgentCausality, ...], Field(max_length=50)] | None = Field(
        None, description="All opinions as they should read"
    )
    action_taken: ActionTaken | None = None
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.grades is not None and (self.grade is not None or self.grade_basis is not None):
            raise ValueError("send either grade, for the one the event has now, or grades, for the whole history")
        if self.ongoing and self.ended_on is not None:
            raise ValueError("send either ended_on or ongoing")
        return self


class RetractAdverseEvent(Command):
    """The report should never have been made: another participant's, a duplicate, no event at all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Entered for another participant"}]})

    reason: Reason


def corrected(command: CorrectAdverseEvent, record: OnRecord, agents: tuple[str, ...]) -> list[AdverseEventCorrected]:
    """The correction as an event, or nothing where everything reads so already."""
    right = _as_it_should_read(command, record, agents)
    pairs = {name: (getattr(record, name), getattr(right, name)) for name in CORRECTABLE}
    changed: dict[str, Any] = {name: Replaced(was=was, now=now) for name, (was, now) in pairs.items() if was != now}
    if not changed:
        return []
    return [
        AdverseEventCorrected(
            adverse_event_id=record.adverse_event_id,
            participant_id=record.participant_id,
            reason=command.reason,
            **changed,
        )
    ]


def _as_it_should_read(command: CorrectAdverseEvent, record: OnRecord, agents: tuple[str, ...]) -> OnRecord:
    given = command.model_dump(include={"onset", "became_aware_at", "ended_on", "action_taken", "outcome"})
    facts: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if command.ongoing:
        facts["ended_on"] = None
    if command.seriousness is not None:
        facts["seriousness"] = tuple(sorted(command.seriousness))
    if command.causality is not None:
        facts["causality"] = causality.opinions(command.causality, agents)
    if command.term is not None or command.specification is not None:
        facts["term"] = ctcae.as_reported(command.term or record.term.meddra_code, command.specification)
    return replace(record, **facts, grades=_grades(command, record))


def _grades(command: CorrectAdverseEvent, record: OnRecord) -> tuple[GradeSince, ...]:
    if command.grades is not None:
        return command.grades
    *earlier, last = record.grades
    last = GradeSince(grade=command.grade or last.grade, since=last.since, basis=command.grade_basis or last.basis)
    first, *later = *earlier, last
    return (first.model_copy(update={"since": command.onset or record.onset}), *later)


def retracted(command: RetractAdverseEvent, record: OnRecord) -> list[AdverseEventRetracted]:
    return [
        AdverseEventRetracted(
            adverse_event_id=record.adverse_event_id, participant_id=record.participant_id, reason=command.reason
        )
    ]
