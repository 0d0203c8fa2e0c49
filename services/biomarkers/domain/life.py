"""The life of every laboratory result: recorded, corrected as often as need be, or cancelled.

What kinds of result have in common stands here; what each reads from its report, and its events, stand with it.
"""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar, assert_never
from uuid import UUID

from shared.contracts.biomarkers import CytokineReport, FlowReport, Ground
from shared.contracts.biomarkers_transgene import TransgeneReport
from shared.contracts.terms import ParticipantId
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


@dataclass(frozen=True, slots=True)
class Life:
    """The rules of this life, in the words and the errors of one kind of result."""

    name: str
    unknown: type[NotFound]
    already_recorded: type[AlreadyExists]
    is_cancelled: type[Conflict]

    def begins(self, state: State[Report, Reading], participant_id: ParticipantId, report: Report) -> bool:
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

    def to_correct(self, state: State[Report, Reading], report: Report) -> Standing[Report, Reading] | None:
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

    def to_cancel(self, state: State[Report, Reading], ground: Ground) -> Standing[Report, Reading] | None:
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
