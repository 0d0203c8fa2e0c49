"""Contacts of long-term follow-up: recorded, or entered in error. Each has the id that its recorder made.

A contact is with somebody alive: a death has its own command. Whoever completed the visits of the study is followed on;
who withdrew from follow-up, or never consented to it, is not, where the protocol has closed that gate.
"""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from services.enrollment.domain.consent import consent_of
from services.enrollment.domain.facts import Facts, NotAtThisPoint, OutOfOrder, refuse_future_day
from services.enrollment.domain.life import Participant
from shared.contracts.enrollment import ParticipantEvent
from shared.contracts.enrollment_follow_up import (
    ContactWay,
    FollowUpContactRecorded,
    FollowUpContactRetracted,
    LateEvents,
)
from shared.contracts.enrollment_terms import ConsentScope, ParticipantStatus
from shared.contracts.terms import Day, Reason, latest
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, NotFound
from shared.protocol import ConsentGate

_EXAMPLE: dict[str, Any] = {
    "contact_id": "018f2b3c-5b1e-7c3a-8a55-0a1b2c3d4e6f",
    "contacted_on": "2028-03-20",
    "way": "examination",
    "late_events": {"new_malignancy": "no", "neurologic_disorder": "no", "infection": "unknown"},
}


class RecordFollowUpContact(Command):
    """Record that a participant was seen or reached. The caller makes the id, so a retry is harmless."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    contact_id: UUID
    contacted_on: Day
    way: ContactWay
    late_events: LateEvents = Field(LateEvents(), description="What was asked; what is left out was not")


class RetractFollowUpContact(Command):
    """Take back a contact that was entered in error."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"contact_id": _EXAMPLE["contact_id"], "reason": "Another participant's"}]}
    )

    contact_id: UUID
    reason: Reason


class FollowUpContactAlreadyRecorded(Conflict):
    """Another contact is, or was, on record under this id: send this with its own id."""


class NoSuchFollowUpContact(NotFound):
    """No contact of long-term follow-up is on record under this id."""


def record(command: RecordFollowUpContact, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    """Raises: FollowUpContactAlreadyRecorded, NotAtThisPoint, OutOfOrder, ConsentDoesNotCover."""
    key = command.contact_id
    if key in participant.follow_up_contacts or key in participant.retracted_contacts:
        raise FollowUpContactAlreadyRecorded("another contact is, or was, on record under this id")
    refuse_future_day(command.contacted_on.isoformat(), facts, participant.zone)
    if not participant.infusions:
        raise NotAtThisPoint("long-term follow-up is after an infusion, and none is on record")
    if command.contacted_on < participant.day_of(participant.infusions[0].started_at):
        raise OutOfOrder("the contact lies before the first infusion")
    died = [ending.on for ending in participant.endings if ending.status is ParticipantStatus.DIED]
    if any(command.contacted_on > latest(on) for on in died):
        raise OutOfOrder("the contact lies after the death on record")
    if ConsentGate.FOLLOW_UP in facts.protocol.consent.gates.value:
        consent_of(participant, facts).refuse_uncovered(command.contacted_on.isoformat(), ConsentScope.FOLLOW_UP)
    told = {"participant_id": participant.participant_id, "protocol": facts.protocol.ref}
    return [FollowUpContactRecorded(site_id=participant.site_id, **_parts(command), **told)]


def _parts(command: RecordFollowUpContact) -> dict[str, Any]:
    return {name: getattr(command, name) for name in RecordFollowUpContact.model_fields}


def retract(command: RetractFollowUpContact, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    if command.contact_id in participant.retracted_contacts:
        return []
    if command.contact_id not in participant.follow_up_contacts:
        raise NoSuchFollowUpContact("there is no contact of long-term follow-up on record under this id")
    told = {"participant_id": participant.participant_id, "protocol": facts.protocol.ref}
    return [FollowUpContactRetracted(**command.model_dump(), **told)]
