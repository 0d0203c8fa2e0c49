"""A specimen as people read it: where it stands, and its custody with who and when."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.biomarkers.domain.specimens.custody import Custody, State, StepKind
from services.biomarkers.references import Participant
from shared.contracts.biomarkers_specimens import (
    Absence,
    Aliquot,
    Aliquoting,
    Collection,
    Loss,
    Purpose,
    Receipt,
    Rejection,
    ResultRef,
    Shipment,
    SpecimenStepCorrected,
    SpecimenType,
)
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.protocol.schedule import visit_dates
from shared.protocol.specimen_plan import SAMPLED, Drawn, specimens_by_visit

Details = Collection | Absence | Aliquot | Shipment | Receipt | Aliquoting | Rejection | Loss | ResultRef


class Recorded(BaseModel):
    """Who put something on record, and when."""

    by: str
    role: str
    recorded_at: datetime


class StepCorrection(Recorded):
    """A step was put right; what stood before is in the history."""

    reason: str


class CustodyStep(Recorded):
    """One step that stands, as it was last put right."""

    number: int = Field(description="For a correction or a retraction")
    step: StepKind
    at: datetime | None = Field(description="When it took place; null for an analysis, which its result tells of")
    details: Details
    corrections: list[StepCorrection]


class SpecimenSummary(BaseModel):
    """A specimen and where it stands."""

    specimen_id: UUID
    participant_id: UUID
    status: StepKind | None = Field(description="Its last step; null: retracted, there never was one")
    type: SpecimenType | None = Field(description="Null for one that was not collected")
    purposes: list[Purpose]
    collected_at: datetime | None
    parent_id: UUID | None = Field(description="What this tube was made of")
    aliquots: list[UUID]
    results: list[ResultRef] = Field(description="The results that name it and stand")


class Specimen(SpecimenSummary):
    """A specimen with its whole custody."""

    custody: list[CustodyStep]


class PlanState(StrEnum):
    """How a planned specimen stands."""

    PLANNED = "planned"
    COLLECTED = "collected"
    MISSING = "missing"  # somebody recorded that it was not taken


class PlannedSpecimen(BaseModel):
    """A specimen that a visit of the protocol asks for. Dates are in the trial's time zone; null before the infusion.

    Whether it is overdue rests on how long the participant is followed: `/trial/v1/specimens` tells.
    """

    visit: str
    label: str
    purpose: Purpose
    opens_on: date | None
    nominal_on: date | None
    closes_on: date | None
    state: PlanState
    specimen_id: UUID | None = Field(description="The specimen that serves it, or the record that none was taken")


class ParticipantSpecimens(BaseModel):
    """What is planned, and what is on record: derived now, from the visits and all that stands."""

    participant_id: UUID
    protocol: str
    planned: list[PlannedSpecimen]
    specimens: list[SpecimenSummary]


def specimen(state: Custody, origin: State, history: Sequence[Envelope]) -> Specimen:
    return Specimen(**_summary(state, origin), custody=[_step(step, history) for step in state.steps])


def _summary(state: Custody, origin: State) -> dict[str, Any]:
    collection = origin.collection if isinstance(origin, Custody) else None
    return {
        "specimen_id": state.specimen_id,
        "participant_id": state.participant_id,
        "status": state.status,
        "type": state.type,
        "purposes": [] if collection is None else list(collection.purposes),
        "collected_at": None if collection is None else collection.collected_at,
        "parent_id": state.parent_id,
        "aliquots": [each.aliquot_id for each in state.aliquots],
        "results": list(state.results),
    }


def _step(step: Any, history: Sequence[Envelope]) -> CustodyStep:
    told = [(envelope, envelope.event()) for envelope in history]
    corrections = [
        StepCorrection(**_who(envelope), reason=event.reason)
        for envelope, event in told
        if isinstance(event, SpecimenStepCorrected) and event.step == step.number
    ]
    return CustodyStep(
        **_who(history[step.number - 1]),
        number=step.number,
        step=step.kind,
        at=step.at,
        details=step.details,
        corrections=corrections,
    )


def _who(envelope: Envelope) -> dict[str, Any]:
    return {"by": envelope.actor, "role": envelope.role, "recorded_at": envelope.recorded_at}


def of_participant(participant: Participant, specimens: Sequence[Custody], protocol: Protocol) -> ParticipantSpecimens:
    origins = {each.specimen_id: each for each in specimens}
    return ParticipantSpecimens(
        participant_id=participant.participant_id,
        protocol=protocol.ref,
        planned=_planned(participant, specimens, protocol),
        specimens=[
            SpecimenSummary(**_summary(each, origins.get(each.parent_id or each.specimen_id, each)))
            for each in specimens
        ],
    )


def _planned(participant: Participant, specimens: Sequence[Custody], protocol: Protocol) -> list[PlannedSpecimen]:
    absences = {
        (details.visit, details.purpose): each.specimen_id
        for each in specimens
        if isinstance(details := each.steps[0].details, Absence)
    }
    found = []
    for assessment in SAMPLED:
        purpose = Purpose(assessment.value)
        drawn = [each for each in map(_drawn(purpose), specimens) if each is not None]
        day_zero = participant.day_zero
        for visit, specimen_id in specimens_by_visit(protocol, assessment, day_zero, drawn):
            dates = None if day_zero is None else visit_dates(protocol, visit, day_zero)
            absent = absences.get((visit.code, purpose))
            state = PlanState.MISSING if absent else PlanState.PLANNED
            found.append(
                PlannedSpecimen(
                    visit=visit.code,
                    label=visit.label,
                    purpose=purpose,
                    opens_on=dates and dates.opens,
                    nominal_on=dates and dates.nominal,
                    closes_on=dates and dates.closes,
                    state=PlanState.COLLECTED if specimen_id else state,
                    specimen_id=specimen_id or absent,
                )
            )
    return found


def _drawn(purpose: Purpose) -> Any:
    def read(state: Custody) -> Drawn | None:
        collection = state.collection
        if collection is None or purpose not in collection.purposes:
            return None
        usable = state.status not in (StepKind.REJECTED, StepKind.LOST)
        return Drawn(state.specimen_id, collection.collected_at, usable)

    return read
