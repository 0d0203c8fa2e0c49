"""The custody of one specimen: its steps as they stand, and which step may follow which.

A step bears the number of the event that recorded it. Corrections replace what a step says, and a retraction takes the
last one away; both stay in the history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.contracts.biomarkers_specimens import (
    Absence,
    Aliquot,
    Aliquoting,
    AliquotMade,
    Collection,
    Loss,
    Receipt,
    Rejection,
    ResultRef,
    Shipment,
    SpecimenAliquoted,
    SpecimenAnalysed,
    SpecimenAnalysisWithdrawn,
    SpecimenCollected,
    SpecimenEvent,
    SpecimenLost,
    SpecimenNotCollected,
    SpecimenReceived,
    SpecimenRejected,
    SpecimenShipped,
    SpecimenStepCorrected,
    SpecimenStepRetracted,
    SpecimenType,
)
from shared.contracts.terms import ParticipantId

Part = Collection | Absence | Shipment | Receipt | Aliquoting | Rejection | Loss | ResultRef
Details = Part | Aliquot
Beginning = Collection | Absence | Aliquot


class StepKind(StrEnum):
    """The steps of a custody; the last one that stands is also where the specimen stands."""

    COLLECTED = "collected"
    NOT_COLLECTED = "not-collected"
    MADE = "made"  # of another specimen
    SHIPPED = "shipped"
    RECEIVED = "received"
    ALIQUOTED = "aliquoted"
    ANALYSED = "analysed"
    REJECTED = "rejected"
    LOST = "lost"


_ANYWHERE = frozenset({StepKind.SHIPPED, StepKind.RECEIVED, StepKind.ALIQUOTED, StepKind.REJECTED, StepKind.LOST})
_IN_A_LABORATORY = (_ANYWHERE - {StepKind.RECEIVED}) | {StepKind.ANALYSED}

# What may follow a step. A site may divide a specimen before it is shipped; one that was lost may turn up; nothing
# follows a rejection. An analysis needs a laboratory that has the specimen, see `Custody.is_at_laboratory`.
FOLLOWS: Mapping[StepKind, frozenset[StepKind]] = {
    StepKind.COLLECTED: _ANYWHERE,
    StepKind.MADE: (_ANYWHERE - {StepKind.ALIQUOTED}) | {StepKind.ANALYSED},
    StepKind.SHIPPED: frozenset({StepKind.RECEIVED, StepKind.REJECTED, StepKind.LOST}),
    StepKind.RECEIVED: _IN_A_LABORATORY,
    StepKind.ALIQUOTED: _ANYWHERE | {StepKind.ANALYSED},
    StepKind.ANALYSED: _IN_A_LABORATORY,
    StepKind.LOST: frozenset({StepKind.RECEIVED, StepKind.REJECTED}),
    StepKind.REJECTED: frozenset(),
    StepKind.NOT_COLLECTED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step that stands. `at` is when it took place; None: an analysis, which its result tells of."""

    number: int
    kind: StepKind
    at: datetime | None
    details: Details


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Nothing has happened under this id."""


@dataclass(frozen=True, slots=True)
class Custody:
    """A specimen. `first` is what it began with, by which a repeated command is known; without a step it never was."""

    specimen_id: UUID
    participant_id: ParticipantId
    first: Beginning
    steps: tuple[Step, ...]
    version: int = 1
    parent_id: UUID | None = None
    at_laboratory_when_made: bool = False

    @property
    def status(self) -> StepKind | None:
        """Where the specimen stands; None: there never was one."""
        return self.steps[-1].kind if self.steps else None

    @property
    def collection(self) -> Collection | None:
        details = self.steps[0].details if self.steps else None
        return details if isinstance(details, Collection) else None

    @property
    def type(self) -> SpecimenType | None:
        details = self.steps[0].details if self.steps else None
        return details.type if isinstance(details, Collection | Aliquot) else None

    @property
    def is_at_laboratory(self) -> bool:
        """Whether a laboratory has it, as far as is recorded."""
        there = self.at_laboratory_when_made
        for step in self.steps:
            if step.kind is StepKind.RECEIVED:
                there = True
            elif step.kind in (StepKind.SHIPPED, StepKind.LOST):
                there = False
        return there

    @property
    def results(self) -> tuple[ResultRef, ...]:
        """The results that name it and stand."""
        return tuple(step.details for step in self.steps if isinstance(step.details, ResultRef))

    @property
    def aliquots(self) -> tuple[Aliquot, ...]:
        divided = (step.details.aliquots for step in self.steps if isinstance(step.details, Aliquoting))
        return tuple(each for aliquots in divided for each in aliquots)

    @property
    def rejection(self) -> Rejection | None:
        details = self.steps[-1].details if self.steps else None
        return details if isinstance(details, Rejection) else None

    @property
    def receipt(self) -> Receipt | None:
        """The last one."""
        return next((step.details for step in reversed(self.steps) if isinstance(step.details, Receipt)), None)


State = Unrecorded | Custody


def evolve(state: State, event: SpecimenEvent) -> State:
    match event:
        case SpecimenCollected():
            return _begun(event, event.collection)
        case SpecimenNotCollected():
            return _begun(event, event.absence)
        case AliquotMade():
            step = Step(1, StepKind.MADE, event.aliquoted_at, event.aliquot)
            began = Custody(event.specimen_id, event.participant_id, event.aliquot, (step,))
            return replace(began, parent_id=event.parent_id, at_laboratory_when_made=event.at_laboratory)
        case _:
            return _went_on(state, event) if isinstance(state, Custody) else state


def _begun(event: SpecimenCollected | SpecimenNotCollected, details: Collection | Absence) -> Custody:
    return Custody(event.specimen_id, event.participant_id, details, (step_of(1, details),))


Later = (
    SpecimenShipped
    | SpecimenReceived
    | SpecimenAliquoted
    | SpecimenAnalysed
    | SpecimenAnalysisWithdrawn
    | SpecimenRejected
    | SpecimenLost
    | SpecimenStepCorrected
    | SpecimenStepRetracted
)


def _went_on(state: Custody, event: Later) -> Custody:
    number = state.version + 1
    return replace(state, version=number, steps=_steps(state.steps, event, number))


# The part of an event that tells of its step.
_PART: Mapping[type[Any], str] = {
    SpecimenShipped: "shipment",
    SpecimenReceived: "receipt",
    SpecimenAliquoted: "aliquoting",
    SpecimenAnalysed: "result",
    SpecimenRejected: "rejection",
    SpecimenLost: "loss",
}

# The step that a part tells of, and its field with the instant.
_TELLS: Mapping[type[Any], tuple[StepKind, str | None]] = {
    Collection: (StepKind.COLLECTED, "collected_at"),
    Absence: (StepKind.NOT_COLLECTED, "noted_at"),
    Shipment: (StepKind.SHIPPED, "shipped_at"),
    Receipt: (StepKind.RECEIVED, "received_at"),
    Aliquoting: (StepKind.ALIQUOTED, "aliquoted_at"),
    Rejection: (StepKind.REJECTED, "rejected_at"),
    Loss: (StepKind.LOST, "noted_at"),
    ResultRef: (StepKind.ANALYSED, None),
}


def _steps(steps: tuple[Step, ...], event: Later, number: int) -> tuple[Step, ...]:
    match event:
        case SpecimenAnalysisWithdrawn():
            return tuple(step for step in steps if step.details != event.result)
        case SpecimenStepCorrected():
            put_right = step_of(event.step, event.details)
            return tuple(put_right if step.number == event.step else step for step in steps)
        case SpecimenStepRetracted():
            return tuple(step for step in steps if step.number != event.step)
        case _:
            return (*steps, step_of(number, getattr(event, _PART[type(event)])))


def step_of(number: int, details: Part) -> Step:
    """The step that these details tell of."""
    kind, instant = _TELLS[type(details)]
    return Step(number, kind, getattr(details, instant) if instant else None, details)
