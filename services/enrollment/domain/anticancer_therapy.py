"""New anticancer therapy: recorded, corrected, entered in error. Each therapy has the id that its recorder made.

What was given before the first infusion is no new therapy: bridging and lymphodepletion belong to the trial's own
treatment. A date as far as it is known is taken in all that it can mean: `2026-03` may lie after an infusion of the
16th. Whoever left the trial is still recorded, if late: the endpoints ask for everybody.
"""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from services.enrollment.domain.facts import Facts, NotAtThisPoint, OutOfOrder, refuse_future_day
from services.enrollment.domain.life import AnticancerTherapy, Participant, part_of
from shared.contracts.enrollment import ParticipantEvent
from shared.contracts.enrollment_anticancer_therapy import (
    AnticancerTherapyCorrected,
    AnticancerTherapyRecorded,
    AnticancerTherapyRetracted,
    TherapyKind,
)
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.contracts.terms import PartialDate, Reason, earliest, latest
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, NotFound

_EXAMPLE: dict[str, Any] = {
    "therapy_id": "018f2b3c-5b1e-7c3a-8a55-0a1b2c3d4e5f",
    "kind": "radiotherapy",
    "started_on": "2026-07",
}


class RecordAnticancerTherapy(Command):
    """Record a new anticancer therapy that was begun. The caller makes the id, so a retry is harmless."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    therapy_id: UUID
    kind: TherapyKind
    started_on: PartialDate


class CorrectAnticancerTherapy(Command):
    """Correct the record of an anticancer therapy: send all of it, as it should have been."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "reason": "The letter tells the month"}]})

    therapy_id: UUID
    kind: TherapyKind
    started_on: PartialDate
    reason: Reason


class RetractAnticancerTherapy(Command):
    """Take back an anticancer therapy that was entered in error."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"therapy_id": _EXAMPLE["therapy_id"], "reason": "Entered for the wrong participant"}]
        }
    )

    therapy_id: UUID
    reason: Reason


class TherapyBeforeInfusion(Conflict):
    """The therapy would have begun before the first infusion, and be no new one: correct the one that is wrong."""


class AnticancerTherapyAlreadyRecorded(Conflict):
    """Another therapy is, or was, on record under this id: correct that one, or send this with its own id."""


class NoSuchAnticancerTherapy(NotFound):
    """No anticancer therapy is on record under this id."""


def record(command: RecordAnticancerTherapy, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    key = command.therapy_id
    if key in participant.anticancer_therapies or key in participant.retracted_therapies:
        raise AnticancerTherapyAlreadyRecorded("another therapy is, or was, on record under this id")
    _check(command.started_on, participant, facts)
    told = {"participant_id": participant.participant_id, "protocol": facts.protocol.ref}
    return [AnticancerTherapyRecorded(site_id=participant.site_id, **command.model_dump(), **told)]


def correct(command: CorrectAnticancerTherapy, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    if _on_record(command.therapy_id, participant) == part_of(AnticancerTherapy, command):
        return []
    _check(command.started_on, participant, facts)
    told = {"participant_id": participant.participant_id, "protocol": facts.protocol.ref}
    return [AnticancerTherapyCorrected(**command.model_dump(), **told)]


def retract(command: RetractAnticancerTherapy, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    if command.therapy_id in participant.retracted_therapies:
        return []
    _on_record(command.therapy_id, participant)
    told = {"participant_id": participant.participant_id, "protocol": facts.protocol.ref}
    return [AnticancerTherapyRetracted(**command.model_dump(), **told)]


def _on_record(key: UUID, participant: Participant) -> AnticancerTherapy:
    known = participant.anticancer_therapies.get(key)
    if known is None:
        raise NoSuchAnticancerTherapy("there is no anticancer therapy on record under this id")
    return known


def _check(started_on: str, participant: Participant, facts: Facts) -> None:
    refuse_future_day(started_on, facts, participant.zone)
    if not participant.infusions:
        raise NotAtThisPoint("a new anticancer therapy is one after an infusion, and none is on record")
    if latest(started_on) < participant.day_of(participant.infusions[0].started_at):
        raise TherapyBeforeInfusion("the therapy would have begun before the first infusion")
    died = [ending.on for ending in participant.endings if ending.status is ParticipantStatus.DIED]
    if any(earliest(started_on) > latest(on) for on in died):
        raise OutOfOrder("the therapy would begin after the death on record")
