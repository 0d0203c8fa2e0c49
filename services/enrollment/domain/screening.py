"""Screening: a person becomes a participant, data are corrected, screening fails or begins again, or ends in enrolment.

A person keeps one identity and one subject number; every screening has a number of its own (CU-001-S1, CU-001-S2).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, model_validator

from services.enrollment.domain.consent import ConsentNotValid, consent_gaps
from services.enrollment.domain.eligibility import assessment, evidence_of
from services.enrollment.domain.eligibility_exception import is_excepted
from services.enrollment.domain.facts import BeforeBirth, Facts, NotAtThisPoint, OutOfOrder, refuse_future_day
from services.enrollment.domain.life import (
    Participant,
    ScreeningData,
    part_of,
    screening_number,
)
from services.enrollment.domain.site import NoSuchSite
from shared.consent.age import first_possible_birthday
from shared.contracts.enrollment import (
    ParticipantEnrolled,
    ParticipantEvent,
    ParticipantRescreened,
    ParticipantScreened,
    ScreeningDataCorrected,
)
from shared.contracts.enrollment_terms import Answer, CriterionAnswer, Diagnosis, ParticipantStatus, Sex
from shared.contracts.terms import BirthMonth, Code, Day, Reason, ShortText, SiteId
from shared.kernel.decider import Command
from shared.kernel.errors import AlreadyExists, Conflict, Unacceptable
from shared.protocol import Protocol


class ScreeningDetails(Command):
    """What is recorded of a person at screening: never a name, and of the birth the month alone."""

    birth_month: BirthMonth
    sex: Sex
    diagnosis: Diagnosis
    diagnosis_text: ShortText | None = Field(None, description="in words; required with `other`")
    screened_on: Day

    @model_validator(mode="after")
    def _other_is_told_in_words(self) -> Self:
        if self.diagnosis is Diagnosis.OTHER and self.diagnosis_text is None:
            raise ValueError("diagnosis `other` needs diagnosis_text")
        return self


class ScreenParticipant(ScreeningDetails):
    """Take a person into screening. The caller may mint the id, so that a retry is harmless."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "site_id": "CU",
                    "birth_month": "2017-03",
                    "sex": "F",
                    "diagnosis": "neuroblastoma",
                    "screened_on": "2026-03-02",
                }
            ]
        }
    )

    participant_id: UUID | None = None
    site_id: SiteId
    subject_label: Code | None = Field(None, description="pseudonym in another system, such as a USUBJID")


class RescreenParticipant(Command):
    """Screen a participant again who had left before enrolment. Consent and assessment begin anew."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"screened_on": "2026-05-04"}]})

    screened_on: Day


class CorrectScreeningData(ScreeningDetails):
    """Correct what was recorded at screening: send all of it, as it should have been."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "birth_month": "2017-04",
                    "sex": "F",
                    "diagnosis": "neuroblastoma",
                    "screened_on": "2026-03-02",
                    "reason": "Month mistyped: the referral letter says April",
                }
            ]
        }
    )

    reason: Reason


class EnrolParticipant(Command):
    """Enrol an eligible participant with valid consent. The dose level, where it is known by then."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enrolled_on": "2026-03-09", "dose_level": "DL1"}]})

    enrolled_on: Day
    dose_level: Code | None = None


class AlreadyScreened(AlreadyExists):
    """Another screening is on record under this participant's id."""


class NotEligible(Conflict):
    """A criterion is not met and not excepted, or not known, or the assessment no longer holds on that day."""


class DosingHalted(Conflict):
    """A stopping rule has halted dosing. Nobody is enrolled until the safety committee lets it resume."""


class UnknownDoseLevel(Unacceptable):
    """The protocol has no dose level of this name."""


def screen(command: ScreenParticipant, facts: Facts) -> list[ParticipantEvent]:
    if facts.placement is None:
        raise NoSuchSite("there is no such site; a sponsor opens it first")
    place = facts.placement
    _check(part_of(ScreeningData, command), facts, ZoneInfo(place.time_zone))
    screened = ParticipantScreened(
        participant_id=place.participant_id,
        time_zone=place.time_zone,
        subject_number=place.subject_number,
        screening_number=screening_number(place.subject_number, 1),
        status=ParticipantStatus.SCREENING,
        **command.model_dump(exclude={"participant_id"}),
    )
    return [screened]


def screen_again(command: ScreenParticipant, participant: Participant) -> list[ParticipantEvent]:
    """The same person under the same id decides to nothing; anything else is another person's screening."""
    same = (
        command.site_id == participant.site_id
        and command.subject_label == participant.subject_label
        and part_of(ScreeningData, command) == participant.data
    )
    if same:
        return []
    raise AlreadyScreened("another screening is on record under this id; take a new id, or re-screen the participant")


def rescreen(command: RescreenParticipant, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    if participant.enrolment is not None:
        raise NotAtThisPoint("a participant who was enrolled is not screened again")
    data = replace(participant.data, screened_on=command.screened_on)
    _check(data, facts, participant.zone)
    if command.screened_on.isoformat() < participant.endings[-1].on:
        raise OutOfOrder("screened_on lies before the earlier screening ended: send a day from then on")
    return [
        ParticipantRescreened(
            participant_id=participant.participant_id,
            screening_number=screening_number(participant.subject_number, participant.screenings + 1),
            screened_on=command.screened_on,
            status=ParticipantStatus.SCREENING,
        )
    ]


def correct(command: CorrectScreeningData, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    data = part_of(ScreeningData, command)
    if data == participant.data:
        return []
    _check(data, facts, participant.zone)
    if participant.earlier_screening_ended_on is not None and data.screened_on < participant.earlier_screening_ended_on:
        raise OutOfOrder("screened_on lies before the earlier screening ended: send a day from then on")
    if participant.enrolment is not None and data.screened_on > participant.enrolment.enrolled_on:
        raise OutOfOrder("screened_on lies after the enrolment")
    return [ScreeningDataCorrected(participant_id=participant.participant_id, **command.model_dump())]


def _check(data: ScreeningData, facts: Facts, zone: ZoneInfo) -> None:
    refuse_future_day(data.screened_on.isoformat(), facts, zone)
    if data.screened_on < first_possible_birthday(data.birth_month):
        raise BeforeBirth("screened_on lies before the participant's month of birth")


def enrol(command: EnrolParticipant, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    if facts.halting_rules:
        raise DosingHalted(f"dosing is halted by: {', '.join(facts.halting_rules)}; enrol once the halt is reviewed")
    refuse_future_day(command.enrolled_on.isoformat(), facts, participant.zone)
    if command.enrolled_on < participant.data.screened_on:
        raise OutOfOrder("enrolled_on lies before the present screening began")
    _refuse_unknown_dose_level(command, facts.protocol)
    gaps = consent_gaps(participant, command.enrolled_on, facts.protocol, facts.forms)
    if gaps:
        raise ConsentNotValid(f"on enrolled_on the consent lacks: {', '.join(gaps)}; record it first")
    excepted = _criteria_excepted(command, participant, facts)
    return [
        ParticipantEnrolled(
            participant_id=participant.participant_id,
            site_id=participant.site_id,
            subject_number=participant.subject_number,
            status=ParticipantStatus.ENROLLED,
            protocol=facts.protocol.ref,
            criteria_excepted=excepted,
            **command.model_dump(),
        )
    ]


def _refuse_unknown_dose_level(command: EnrolParticipant, protocol: Protocol) -> None:
    known = [level.name for level in protocol.dosing.levels.value] if protocol.dosing is not None else []
    if command.dose_level is not None and command.dose_level not in known:
        raise UnknownDoseLevel(f"the protocol's dose levels are: {', '.join(known) or 'none'}")


def _criteria_excepted(command: EnrolParticipant, participant: Participant, facts: Facts) -> tuple[str, ...]:
    """What is not met on the day of enrolment, and excepted. All else must be met on the assessment and still on that
    day: results age, children grow, protocols are amended.

    Raises: NotEligible.
    """
    assessed = participant.assessment
    if assessed is None:
        raise NotEligible(f"assess the eligibility first: {_WHAT_IS_NEEDED}")
    if assessed.assessed_on > command.enrolled_on:
        raise NotEligible("the assessment is of a later day than enrolled_on")
    if _excepted(assessed.answers, participant) is None:
        raise NotEligible(f"the assessment on record does not say eligible: {_WHAT_IS_NEEDED}")
    now = assessment(participant, command.enrolled_on, evidence_of(assessed), facts.protocol, facts.forms).answers
    excepted = _excepted(now, participant)
    if excepted is None:
        open_now = ", ".join(each.criterion_id for each in _open(now) if not is_excepted(each, participant.exception))
        raise NotEligible(f"on enrolled_on the assessment no longer holds for {open_now}; assess again")
    return excepted


_WHAT_IS_NEEDED = "enrolment needs the outcome `eligible`, or an exception that the sponsor granted for what is not met"


def _open(answers: Iterable[CriterionAnswer]) -> list[CriterionAnswer]:
    return [each for each in answers if each.counts and each.answer is not Answer.MET]


def _excepted(answers: Iterable[CriterionAnswer], participant: Participant) -> tuple[str, ...] | None:
    """The criteria that are excepted; None where one is open and not excepted."""
    left = _open(answers)
    if all(is_excepted(each, participant.exception) for each in left):
        return tuple(each.criterion_id for each in left)
    return None
