"""Lymphodepletion: recorded, corrected, entered in error. Each course has the id that its recorder made.

A course names the infusion that it prepares: one on record, or the next. Days are dates at the site, and the first of
them, with the hour of the first dose where it is known, is the beginning of treatment for those who ask for one. A
course that goes on is recorded with the days so far, and corrected as more follow.
"""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from services.enrollment.domain.consent import consent_of
from services.enrollment.domain.facts import (
    Facts,
    NotAtThisPoint,
    OutOfOrder,
    refuse_future_day,
    refuse_future_instant,
)
from services.enrollment.domain.life import Lymphodepletion, Participant, part_of
from services.enrollment.domain.treatment_order import out_of_order
from shared.contracts.enrollment import ParticipantEvent
from shared.contracts.enrollment_lymphodepletion import (
    DrugsGiven,
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.contracts.enrollment_terms import ConsentScope
from shared.contracts.terms import Instant, Reason, latest
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, NotFound, Unacceptable
from shared.protocol import Protocol

_EXAMPLE: dict[str, Any] = {
    "lymphodepletion_id": "018f2b2a-5b1e-7c3a-8a55-0a1b2c3d4e5f",
    "prepares_infusion": 1,
    "first_dose_at": "2026-03-11T09:00:00+07:00",
    "drugs": [
        {
            "drug": "fludarabine",
            "dose": "30",
            "unit": "mg/m2",
            "route": "intravenous",
            "days": ["2026-03-11", "2026-03-12", "2026-03-13"],
        },
        {
            "drug": "cyclophosphamide",
            "dose": "500",
            "unit": "mg/m2",
            "route": "intravenous",
            "days": ["2026-03-11", "2026-03-12"],
        },
    ],
}


class LymphodepletionDetails(Command):
    """One course of lymphodepletion, as it was given."""

    lymphodepletion_id: UUID
    prepares_infusion: int = Field(1, strict=True, ge=1, description="The number of the infusion it prepares")
    first_dose_at: Instant | None = Field(
        None, description="Null: nobody knows the hour, and the protocol says how the first day is read"
    )
    drugs: DrugsGiven


class RecordLymphodepletion(LymphodepletionDetails):
    """Record a lymphodepletion that was given. The caller makes the id, so a retry is harmless."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class CorrectLymphodepletion(LymphodepletionDetails):
    """Correct the record of a lymphodepletion: send all of it, as it should have been."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "reason": "The third day was omitted"}]})

    reason: Reason


class RetractLymphodepletion(Command):
    """Take back a lymphodepletion that was entered in error."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"lymphodepletion_id": _EXAMPLE["lymphodepletion_id"], "reason": "Entered for the wrong participant"}
            ]
        }
    )

    lymphodepletion_id: UUID
    reason: Reason


class UnknownDrug(Unacceptable):
    """The protocol does not list this drug for lymphodepletion; the message names those it lists."""


class UnknownDoseUnit(Unacceptable):
    """The protocol does not dose lymphodepletion in this unit; the message names those it does."""


class DrugGivenTwice(Unacceptable):
    """The same drug stands twice for one day: a dose is all that was given on the day."""


class FirstDoseDisagrees(Unacceptable):
    """The first dose does not lie on the first of the days on which drugs were given."""


class LymphodepletionBeforeEnrolment(Conflict):
    """The lymphodepletion would lie before the enrolment: correct the one that is wrong."""


class LymphodepletionOutOfOrder(Conflict):
    """A lymphodepletion lies between the infusion before it, where there is one, and the infusion that it prepares."""


class LymphodepletionAlreadyRecorded(Conflict):
    """Another lymphodepletion is, or was, on record under this id: correct that one, or send this with its own id."""


class NoSuchLymphodepletion(NotFound):
    """No lymphodepletion is on record under this id."""


def record(command: RecordLymphodepletion, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    course, key = part_of(Lymphodepletion, command), command.lymphodepletion_id
    if key in participant.lymphodepletions or key in participant.retracted_lymphodepletions:
        raise LymphodepletionAlreadyRecorded("another lymphodepletion is, or was, on record under this id")
    _check(course, key, participant, facts)
    told = _told(course, participant, facts)
    return [LymphodepletionRecorded(site_id=participant.site_id, **command.model_dump(), **told)]


def correct(command: CorrectLymphodepletion, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    course, key = part_of(Lymphodepletion, command), command.lymphodepletion_id
    if _on_record(key, participant) == course:
        return []
    _check(course, key, participant, facts)
    return [LymphodepletionCorrected(**command.model_dump(), **_told(course, participant, facts))]


def retract(command: RetractLymphodepletion, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    key = command.lymphodepletion_id
    if key in participant.retracted_lymphodepletions:
        return []
    _on_record(key, participant)
    who = participant.participant_id
    return [LymphodepletionRetracted(participant_id=who, protocol=facts.protocol.ref, **command.model_dump())]


def _on_record(key: UUID, participant: Participant) -> Lymphodepletion:
    known = participant.lymphodepletions.get(key)
    if known is None:
        raise NoSuchLymphodepletion("there is no lymphodepletion on record under this id")
    return known


def _told(course: Lymphodepletion, participant: Participant, facts: Facts) -> dict[str, Any]:
    """What follows from a course beside what was sent."""
    began_on = course.days[0]
    return {
        "participant_id": participant.participant_id,
        "began_on": began_on,
        "consent_gaps": consent_of(participant, facts).gaps(began_on, ConsentScope.TREATMENT),
        "protocol": facts.protocol.ref,
    }


def _check(course: Lymphodepletion, key: UUID, participant: Participant, facts: Facts) -> None:
    _refuse_what_the_protocol_does_not_list(course, facts.protocol)
    others = [each for other, each in participant.lymphodepletions.items() if other != key]
    _refuse_a_drug_twice_on_a_day([course, *others])
    first, last = course.days[0], course.days[-1]
    refuse_future_day(last.isoformat(), facts, participant.zone)
    if course.first_dose_at is not None:
        _refuse_another_first_dose(course.first_dose_at, course, participant, facts)
    if participant.enrolment is None:
        raise NotAtThisPoint("a lymphodepletion is recorded for a participant who is enrolled")
    if first < participant.enrolment.enrolled_on:
        raise LymphodepletionBeforeEnrolment("the lymphodepletion would lie before the enrolment")
    if any(last > latest(ending.on) for ending in participant.endings):
        raise OutOfOrder("the lymphodepletion would lie after the end of treatment on record")
    following = len(participant.infusions) + 1
    if course.prepares_infusion > following:
        raise LymphodepletionOutOfOrder(f"the next infusion is number {following}; a later one cannot be prepared yet")
    contradiction = out_of_order(course, participant.infusions, participant)
    if contradiction is not None:
        raise LymphodepletionOutOfOrder(contradiction)


def _refuse_what_the_protocol_does_not_list(course: Lymphodepletion, protocol: Protocol) -> None:
    listed = protocol.lymphodepletion
    drugs = () if listed is None else listed.drugs.value
    if any(given.drug not in drugs for given in course.drugs):
        raise UnknownDrug(f"for lymphodepletion the protocol lists {', '.join(drugs) or 'no drug'}")
    units = () if listed is None else listed.dose_units.value
    if any(given.unit not in units for given in course.drugs):
        raise UnknownDoseUnit(f"doses of lymphodepletion are in {', '.join(units)}")


def _refuse_a_drug_twice_on_a_day(courses: list[Lymphodepletion]) -> None:
    given = Counter((line.drug, day) for course in courses for line in course.drugs for day in line.days)
    twice = next((drug for (drug, _), times in given.items() if times > 1), None)
    if twice is not None:
        raise DrugGivenTwice(f"{twice} would be on record twice for one day: a dose is all that was given on the day")


def _refuse_another_first_dose(at: datetime, course: Lymphodepletion, participant: Participant, facts: Facts) -> None:
    refuse_future_instant(at, facts)
    if participant.day_of(at) != course.days[0]:
        raise FirstDoseDisagrees("first_dose_at must lie on the first of the days, at the site")
