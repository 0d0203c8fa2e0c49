"""The life of every laboratory result: recorded, corrected as often as need be, or cancelled.

What kinds of result have in common stands here; what each reads from its report, and its events, stand with it. The
decisions answer the content of the event to make, in a list, which is empty where there is nothing to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, assert_never
from uuid import UUID

from services.biomarkers.domain.consent_gate import refuse_uncovered
from services.biomarkers.domain.facts import Facts
from shared.contracts.biomarkers import CytokineReport, FlowReport, Ground
from shared.contracts.biomarkers_transgene import TransgeneReport
from shared.contracts.terms import ParticipantId
from shared.kernel.decider import Command
from shared.kernel.errors import AlreadyExists, Conflict, NotFound

Report = TypeVar("Report", FlowReport, CytokineReport, TransgeneReport)
Reading = TypeVar("Reading")


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Nothing has happened under this id."""


@dataclass(frozen=True, slots=True)
class Standing(Generic[Report, Reading]):
    """A result that counts. `first` is the report it began with, by which a repeated command is known; `reading` is
    what was read from the report that counts."""

    result_id: UUID
    participant_id: ParticipantId
    first: Report
    report: Report
    reading: Reading


@dataclass(frozen=True, slots=True)
class Cancelled(Generic[Report, Reading]):
    """A result that no longer counts."""

    last: Standing[Report, Reading]
    ground: Ground


State = Unrecorded | Standing[Report, Reading] | Cancelled[Report, Reading]


def recorded(
    result_id: UUID, participant_id: ParticipantId, report: Report, reading: Reading
) -> State[Report, Reading]:
    return Standing(result_id, participant_id, report, report, reading)


def corrected(state: State[Report, Reading], report: Report, reading: Reading) -> State[Report, Reading]:
    return replace(state, report=report, reading=reading) if isinstance(state, Standing) else state


def cancelled(state: State[Report, Reading], ground: Ground) -> State[Report, Reading]:
    return Cancelled(state, ground) if isinstance(state, Standing) else state


class Cancelling(Protocol):
    """A command that cancels a result."""

    @property
    def ground(self) -> Ground: ...

    @property
    def reason(self) -> str: ...


Content = dict[str, Any]  # of an event


@dataclass(frozen=True, slots=True)
class Life(Generic[Report]):
    """The rules of this life, in the words and the errors of one kind of result.

    `id_name` is what commands and events call its id. `read` checks a report and gives the fields of an event that
    say what was read from it; it raises where the report cannot be a laboratory's.
    """

    name: str
    id_name: str
    report: type[Report]
    read: Callable[[Report, Facts], Mapping[str, Any]]
    unknown: type[NotFound]
    already_recorded: type[AlreadyExists]
    is_cancelled: type[Conflict]

    def record(
        self, command: Command, participant_id: ParticipantId, state: State[Report, Any], facts: Facts
    ) -> list[Content]:
        report = self._report_in(command)
        if not self._begins(state, participant_id, report):
            return []
        refuse_uncovered(facts, report.specimen.collected_at)
        return [self._content(getattr(command, self.id_name), participant_id, report, facts)]

    def correct(self, command: Command, state: State[Report, Any], facts: Facts) -> list[Content]:
        report = self._report_in(command)
        standing = self._to_correct(state, report)
        if standing is None:
            return []
        refuse_uncovered(facts, report.specimen.collected_at, standing.report.specimen.collected_at)
        content = self._content(standing.result_id, standing.participant_id, report, facts)
        return [{**content, "reason": command.stated_reason}]

    def cancel(self, command: Cancelling, state: State[Report, Any]) -> list[Content]:
        standing = self._to_cancel(state, command.ground)
        if standing is None:
            return []
        whose = {self.id_name: standing.result_id, "participant_id": standing.participant_id}
        return [{**whose, "ground": command.ground, "reason": command.reason}]

    def _content(self, result_id: UUID, participant_id: ParticipantId, report: Report, facts: Facts) -> Content:
        whose = {self.id_name: result_id, "participant_id": participant_id}
        return {**whose, "report": report, **self.read(report, facts), "protocol": facts.protocol.ref}

    def _report_in(self, command: Command) -> Report:
        """The laboratory's part of a command."""
        return self.report.model_construct(**{name: getattr(command, name) for name in self.report.model_fields})

    def _begins(self, state: State[Report, Any], participant_id: ParticipantId, report: Report) -> bool:
        """Whether to record a report; False where this very one was recorded first under this id.

        Raises:
            AlreadyExists: another one was.
        """
        match state:
            case Unrecorded():
                return True
            case Standing() | Cancelled():
                result = state.last if isinstance(state, Cancelled) else state
                if (result.participant_id, result.first) == (participant_id, report):
                    return False
                raise self.already_recorded(
                    f"{result.result_id} is on record with another report: correct it, or record under a new id"
                )
            case _:
                assert_never(state)

    def _to_correct(self, state: State[Report, Any], report: Report) -> Standing[Report, Any] | None:
        """The result that a report supersedes; None where it stands so already.

        Raises:
            NotFound: nothing is on record.
            Conflict: the result was cancelled.
        """
        match state:
            case Unrecorded():
                raise self.unknown(f"there is no such {self.name}")
            case Standing():
                return None if state.report == report else state
            case Cancelled():
                raise self.is_cancelled(f"this {self.name} was cancelled: record the right one under a new id")
            case _:
                assert_never(state)

    def _to_cancel(self, state: State[Report, Any], ground: Ground) -> Standing[Report, Any] | None:
        """The result to cancel; None where it was cancelled on this ground.

        Raises:
            NotFound: nothing is on record.
            Conflict: the result was cancelled on another ground.
        """
        match state:
            case Unrecorded():
                raise self.unknown(f"there is no such {self.name}")
            case Standing():
                return state
            case Cancelled() if state.ground is ground:
                return None
            case Cancelled():
                raise self.is_cancelled(f"this {self.name} was cancelled on another ground")
            case _:
                assert_never(state)
