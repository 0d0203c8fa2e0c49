"""One specimen: what may be recorded of it, in which order, and what each command leads to."""

from typing import Any, TypeVar, assert_never
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.biomarkers.domain.consent_gate import refuse_uncovered
from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.specimens.custody import FOLLOWS, Custody, State, Step, StepKind, Unrecorded, evolve
from services.biomarkers.domain.specimens.custody import step_of as custody_step
from services.biomarkers.domain.specimens.rules import (
    CustodyWouldNotFollow,
    NoSuchSpecimen,
    NoSuchStep,
    NotThisStep,
    OneStepToCorrect,
    SpecimenAlreadyRecorded,
    SpecimenNeverWas,
    StepCannotBeRetracted,
    check_aliquots,
    check_planned,
    check_sequence,
    refuse_future,
)
from shared.contracts.biomarkers_specimens import (
    Absence,
    Aliquoting,
    AliquotMade,
    Collection,
    Loss,
    Receipt,
    Rejection,
    Shipment,
    SpecimenAliquoted,
    SpecimenCollected,
    SpecimenEvent,
    SpecimenLost,
    SpecimenNotCollected,
    SpecimenReceived,
    SpecimenRejected,
    SpecimenShipped,
    SpecimenStepCorrected,
    SpecimenStepRetracted,
)
from shared.contracts.terms import ParticipantId, Reason
from shared.kernel.decider import Command, Decider

_PARTICIPANT = "018f3a52-0000-7000-8000-000000000001"
EXAMPLE_COLLECTION: dict[str, JsonValue] = {
    "type": "blood",
    "purposes": ["car-t-flow"],
    "collected_at": "2026-03-09T08:30:00+07:00",
    "volume_ml": "4",
    "container": "EDTA-4",
}


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class CollectSpecimen(Command, Collection):
    """Put on record that a specimen was taken. Its custody begins."""

    model_config = _example(participant_id=_PARTICIPANT, **EXAMPLE_COLLECTION)

    specimen_id: UUID | None = None
    participant_id: ParticipantId


class RecordNotCollected(Command, Absence):
    """Put on record that a specimen that a visit of the protocol plans was not taken."""

    model_config = _example(
        participant_id=_PARTICIPANT,
        visit="D14",
        purpose="cytokines",
        noted_at="2026-03-16T10:00:00+07:00",
        because="unable-to-draw",
    )

    specimen_id: UUID | None = None
    participant_id: ParticipantId


class ShipSpecimen(Command, Shipment):
    """The specimen left for a laboratory."""

    model_config = _example(
        shipped_at="2026-03-09T11:00:00+07:00", destination="CU-CENTRAL", transport="ambient", temperature_c="21.5"
    )


class ReceiveSpecimen(Command, Receipt):
    """The specimen came to a laboratory."""

    model_config = _example(
        received_at="2026-03-09T14:20:00+07:00", laboratory="CU-CENTRAL", condition="acceptable", temperature_c="20"
    )


class AliquotSpecimen(Command, Aliquoting):
    """Divide the specimen into tubes, each with an id and a custody of its own."""

    model_config = _example(
        aliquoted_at="2026-03-09T15:00:00+07:00",
        aliquots=[{"aliquot_id": "018f3a52-0000-7000-8000-0000000000a1", "type": "plasma", "volume_ml": "0.5"}],
    )


class RejectSpecimen(Command, Rejection):
    """The specimen cannot be used, nor what was made of it. Results that it gave stay, flagged."""

    model_config = _example(rejected_at="2026-03-09T15:10:00+07:00", because="clotting")


class ReportSpecimenLost(Command, Loss):
    """Nobody knows where the specimen is."""

    model_config = _example(noted_at="2026-03-11T09:00:00+07:00", because="in-transit")


class CorrectCustodyStep(Command):
    """Put right what was recorded of one step, whole: give the step's number and the one part of its kind."""

    model_config = _example(
        step=2,
        shipment={"shipped_at": "2026-03-09T11:30:00+07:00", "destination": "CU-CENTRAL", "transport": "ambient"},
        reason="The courier's slip tells another time",
    )

    step: int = Field(strict=True, ge=1, description="The step's number, as the custody shows it")
    collection: Collection | None = None
    absence: Absence | None = None
    shipment: Shipment | None = None
    receipt: Receipt | None = None
    rejection: Rejection | None = None
    loss: Loss | None = None
    reason: Reason


class RetractCustodyStep(Command):
    """Take back the last step, which never took place. Without its first step there never was the specimen."""

    model_config = _example(step=3, reason="Entered for another specimen")

    step: int = Field(strict=True, ge=1, description="The step's number, as the custody shows it")
    reason: Reason


Beginning = CollectSpecimen | RecordNotCollected
Next = ShipSpecimen | ReceiveSpecimen | AliquotSpecimen | RejectSpecimen | ReportSpecimenLost
Amendment = CorrectCustodyStep | RetractCustodyStep
SpecimenCommand = Beginning | Next | Amendment


def decide(command: SpecimenCommand, state: State, facts: Facts) -> list[SpecimenEvent]:
    match command:
        case CollectSpecimen() | RecordNotCollected():
            return _begin(command, state, facts)
        case CorrectCustodyStep():
            return _correct(command, standing(state), facts)
        case RetractCustodyStep():
            return _retract(command, standing(state))
        case ShipSpecimen() | ReceiveSpecimen() | AliquotSpecimen() | RejectSpecimen() | ReportSpecimenLost():
            return _go_on(command, standing(state), facts)
        case _:
            assert_never(command)


def standing(state: State) -> Custody:
    """A specimen that there is.

    Raises:
        NoSuchSpecimen, SpecimenNeverWas.
    """
    if isinstance(state, Unrecorded):
        raise NoSuchSpecimen("no specimen has this id, or none at your sites")
    if state.status is None:
        raise SpecimenNeverWas("this specimen was retracted: record the right one under a new id")
    return state


def _begin(command: Beginning, state: State, facts: Facts) -> list[SpecimenEvent]:
    details = _part(Collection, command) if isinstance(command, CollectSpecimen) else _part(Absence, command)
    if isinstance(state, Custody):
        if (state.participant_id, state.first) == (command.participant_id, details):
            return []
        raise SpecimenAlreadyRecorded(
            f"{state.specimen_id} is on record with another content: correct its step, or take a new id"
        )
    assert command.specimen_id is not None  # noqa: S101 - minted where the body has none
    whose = {"specimen_id": command.specimen_id, "participant_id": command.participant_id}
    refuse_future(custody_step(1, details).at, facts.now)
    if isinstance(details, Absence):
        check_planned(details, facts.protocol)
        return [SpecimenNotCollected(**whose, absence=details)]
    refuse_uncovered(facts, details.collected_at)
    return [SpecimenCollected(**whose, collection=details)]


def _go_on(command: Next, state: Custody, facts: Facts) -> list[SpecimenEvent]:
    whose = {"specimen_id": state.specimen_id, "participant_id": state.participant_id}
    event: SpecimenEvent
    match command:
        case ShipSpecimen():
            details: Any = _part(Shipment, command)
            event = SpecimenShipped(**whose, shipment=details)
        case ReceiveSpecimen():
            details = _part(Receipt, command)
            event = SpecimenReceived(**whose, receipt=details)
        case AliquotSpecimen():
            details = _part(Aliquoting, command)
            event = SpecimenAliquoted(**whose, aliquoting=details)
        case RejectSpecimen():
            details = _part(Rejection, command)
            event = SpecimenRejected(**whose, rejection=details, with_parent=False)
        case ReportSpecimenLost():
            details = _part(Loss, command)
            event = SpecimenLost(**whose, loss=details)
        case _:
            assert_never(command)
    if state.steps[-1].details == details:
        return []
    step = custody_step(state.version + 1, details)
    check_follows(state, step.kind)
    refuse_future(step.at, facts.now)
    check_sequence((*state.steps, step))
    if isinstance(details, Aliquoting):
        check_aliquots(state, details)
    return [event]


def check_follows(state: Custody, kind: StepKind) -> None:
    """Raises: CustodyWouldNotFollow."""
    last = state.steps[-1].kind
    if kind not in FOLLOWS[last]:
        able = ", ".join(sorted(FOLLOWS[last])) or "nothing: retract that step if it never took place"
        raise CustodyWouldNotFollow(f"the specimen is {last}, after which it cannot be {kind}; may follow: {able}")


def _correct(command: CorrectCustodyStep, state: Custody, facts: Facts) -> list[SpecimenEvent]:
    parts = (
        command.collection,
        command.absence,
        command.shipment,
        command.receipt,
        command.rejection,
        command.loss,
    )
    given = [part for part in parts if part is not None]
    if len(given) != 1:
        raise OneStepToCorrect("send one of collection, absence, shipment, receipt, rejection and loss, whole")
    step, put_right = _numbered(state, command.step), custody_step(command.step, given[0])
    if step.kind is not put_right.kind:
        raise NotThisStep(f"step {step.number} is {step.kind}: send the part of that kind, or another step's number")
    if step.details == put_right.details:
        return []
    refuse_future(put_right.at, facts.now)
    if isinstance(given[0], Absence):
        check_planned(given[0], facts.protocol)
    if isinstance(given[0], Collection) and isinstance(step.details, Collection):
        refuse_uncovered(facts, given[0].collected_at, step.details.collected_at)
    check_sequence(tuple(put_right if each is step else each for each in state.steps))
    return [
        SpecimenStepCorrected(
            specimen_id=state.specimen_id,
            participant_id=state.participant_id,
            step=command.step,
            details=given[0],
            reason=command.reason,
        )
    ]


def _retract(command: RetractCustodyStep, state: Custody) -> list[SpecimenEvent]:
    step = _numbered(state, command.step)
    if step is not state.steps[-1]:
        raise StepCannotBeRetracted(f"step {state.steps[-1].number} came later: retract the last step first")
    if step.kind is StepKind.ANALYSED:
        raise StepCannotBeRetracted("an analysis is taken back with its result: cancel that")
    if step.kind is StepKind.ALIQUOTED:
        raise StepCannotBeRetracted("tubes were made of it: retract each aliquot that never was; this step stays")
    return [
        SpecimenStepRetracted(
            specimen_id=state.specimen_id, participant_id=state.participant_id, step=step.number, reason=command.reason
        )
    ]


def _numbered(state: Custody, number: int) -> Step:
    for step in state.steps:
        if step.number == number:
            return step
    raise NoSuchStep("the custody has no step of this number, or it was taken back; see its numbers in the custody")


def aliquots_of(state: Custody, decided: list[SpecimenEvent]) -> list[AliquotMade]:
    """The first event of each tube, where a decision divides its specimen."""
    return [
        AliquotMade(
            specimen_id=aliquot.aliquot_id,
            participant_id=state.participant_id,
            parent_id=state.specimen_id,
            aliquot=aliquot,
            aliquoted_at=event.aliquoting.aliquoted_at,
            at_laboratory=state.is_at_laboratory,
        )
        for event in decided
        if isinstance(event, SpecimenAliquoted)
        for aliquot in event.aliquoting.aliquots
    ]


def rejected_with_parent(child: State, decided: list[SpecimenEvent]) -> list[SpecimenEvent]:
    """A tube cannot be used where what it was made of cannot. One that was rejected before, or never was, stays."""
    rejections = [event.rejection for event in decided if isinstance(event, SpecimenRejected)]
    if not rejections or not isinstance(child, Custody) or child.status in (None, StepKind.REJECTED):
        return []
    whose = {"specimen_id": child.specimen_id, "participant_id": child.participant_id}
    return [SpecimenRejected(**whose, rejection=rejections[0], with_parent=True)]


P = TypeVar("P", bound=BaseModel)


def _part(model: type[P], command: Command) -> P:
    """The part of a command that goes on record."""
    return model.model_construct(**{name: getattr(command, name) for name in model.model_fields})


DECIDER: Decider[SpecimenCommand, State, Facts, SpecimenEvent] = Decider("specimen", Unrecorded(), evolve, decide)
