"""How a period of the trial ends: screening fails, treatment stops, contact is lost, consent is withdrawn, follow-up is
completed, the participant dies. Each carries its term of the NCOMPLT codelist. An ending entered in error, or one
that no longer holds, is retracted with a reason; the participant then stands where they stood before it.
"""

from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, assert_never

from pydantic import AfterValidator, ConfigDict, Field

from services.enrollment.domain.facts import Facts, OutOfOrder, refuse_future_day
from services.enrollment.domain.infusion import day_zero
from services.enrollment.domain.life import Ending, Participant
from shared.contracts.enrollment import (
    ConsentWithdrawn,
    DiscontinuationRetracted,
    FollowUpCompleted,
    ParticipantDied,
    ParticipantEvent,
    ParticipantLostToFollowUp,
    ScreeningFailed,
    TreatmentDiscontinued,
)
from shared.contracts.enrollment_terms import Answer, ConsentScope, Disposition, ParticipantStatus
from shared.contracts.terms import Day, PartialDate, Reason, earliest, latest
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, Unacceptable
from shared.protocol import Protocol
from shared.protocol.schedule import calendar

WhyOffTreatment = Literal[
    Disposition.COMPLETED,
    Disposition.PROGRESSIVE_DISEASE,
    Disposition.ADVERSE_EVENT,
    Disposition.LACK_OF_EFFICACY,
    Disposition.PHYSICIAN_DECISION,
    Disposition.PROTOCOL_DEVIATION,
    Disposition.STUDY_TERMINATED,
    Disposition.WITHDRAWAL_BY_GUARDIAN,
    Disposition.WITHDRAWAL_BY_SUBJECT,
    Disposition.OTHER,
]

WhyScreenFailed = Literal[
    Disposition.SCREEN_FAILURE,
    Disposition.PROGRESSIVE_DISEASE,
    Disposition.ADVERSE_EVENT,
    Disposition.PHYSICIAN_DECISION,
    Disposition.STUDY_TERMINATED,
    Disposition.OTHER,
]


class Withdrawer(StrEnum):
    GUARDIAN = "guardian"
    PARTICIPANT = "participant"


def _in_order(scopes: tuple[ConsentScope, ...]) -> tuple[ConsentScope, ...]:
    return tuple(scope for scope in ConsentScope if scope in scopes)


Scopes = Annotated[tuple[ConsentScope, ...], Field(min_length=1, max_length=3), AfterValidator(_in_order)]


class FailScreening(Command):
    """End a screening without enrolment. The participant may be screened again later."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"failed_on": "2026-03-09"}]})

    failed_on: Day
    disposition: WhyScreenFailed = Field(
        Disposition.SCREEN_FAILURE,
        description="why, by DSDECOD; SCREEN FAILURE: the last assessment found a criterion not met",
    )


class DiscontinueTreatment(Command):
    """Record that no further infusion will be given, and why. Follow-up goes on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"discontinued_on": "2026-04-20", "disposition": "PROGRESSIVE DISEASE"}]}
    )

    discontinued_on: PartialDate
    disposition: WhyOffTreatment


class RecordLossToFollowUp(Command):
    """Record that the site can no longer reach the participant."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"last_contact_on": "2026-06"}]})

    last_contact_on: PartialDate


class WithdrawConsent(Command):
    """Record that the guardian or the participant withdrew, from the whole trial or from parts of it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"withdrawn_by": "guardian", "withdrawn_on": "2026-04-20"}]}
    )

    withdrawn_by: Withdrawer
    withdrawn_on: Day
    scopes: Scopes = Field(tuple(ConsentScope), description="the parts of the trial; all of them: participation ends")


class CompleteFollowUp(Command):
    """Record that the participant completed the follow-up that the protocol asks for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"completed_on": "2027-03-16"}]})

    completed_on: PartialDate


class RecordDeath(Command):
    """Record that the participant died, on a date as far as it is known. Possible wherever the participant stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"died_on": "2026-08"}]})

    died_on: PartialDate


class RetractDiscontinuation(Command):
    """Take back the latest ending on record, named by the status it led to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"status": "lost-to-follow-up", "reason": "The family was reached by telephone"}]
        }
    )

    status: ParticipantStatus
    reason: Reason


class ScreenFailureUnexplained(Unacceptable):
    """A screening fails by a criterion that was found not met, or for another reason that is said."""


class FollowUpNotOver(Unacceptable):
    """The last visit of the protocol is still ahead on that day."""


class NoSuchEnding(Conflict):
    """The latest ending on record is not the one named."""


EndingCommand = (
    FailScreening | DiscontinueTreatment | RecordLossToFollowUp | WithdrawConsent | CompleteFollowUp | RecordDeath
)


def ending_of(command: EndingCommand) -> Ending:
    """What a command says: the status it leads to, when, and the term of the codelist."""
    match command:
        case FailScreening(failed_on=day, disposition=disposition):
            return Ending(ParticipantStatus.SCREEN_FAILED, day.isoformat(), disposition)
        case DiscontinueTreatment(discontinued_on=on, disposition=disposition):
            return Ending(ParticipantStatus.OFF_TREATMENT, on, disposition)
        case RecordLossToFollowUp(last_contact_on=on):
            return Ending(ParticipantStatus.LOST_TO_FOLLOW_UP, on, Disposition.LOST_TO_FOLLOW_UP)
        case WithdrawConsent(withdrawn_by=who, withdrawn_on=day):
            return Ending(ParticipantStatus.WITHDRAWN, day.isoformat(), WITHDRAWALS[who])
        case CompleteFollowUp(completed_on=on):
            return Ending(ParticipantStatus.COMPLETED, on, Disposition.COMPLETED)
        case RecordDeath(died_on=on):
            return Ending(ParticipantStatus.DIED, on, Disposition.DEATH)
        case _:
            assert_never(command)


WITHDRAWALS = {
    Withdrawer.GUARDIAN: Disposition.WITHDRAWAL_BY_GUARDIAN,
    Withdrawer.PARTICIPANT: Disposition.WITHDRAWAL_BY_SUBJECT,
}


def end(command: EndingCommand, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    ending, who = ending_of(command), participant.participant_id
    _check(ending.on, participant, facts)
    led: dict[str, Any] = {"disposition": ending.disposition, "status": ending.status}
    match command:
        case FailScreening(failed_on=day):
            return [_screening_failed(day, ending, participant)]
        case DiscontinueTreatment(discontinued_on=on):
            return [TreatmentDiscontinued(participant_id=who, discontinued_on=on, **led)]
        case RecordLossToFollowUp(last_contact_on=on):
            return [ParticipantLostToFollowUp(participant_id=who, last_contact_on=on, **led)]
        case WithdrawConsent(withdrawn_on=day):
            return [ConsentWithdrawn(participant_id=who, withdrawn_on=day, **led)]
        case CompleteFollowUp(completed_on=on):
            _refuse_before_the_last_visit(on, participant, facts.protocol)
            return [FollowUpCompleted(participant_id=who, completed_on=on, **led)]
        case RecordDeath(died_on=on):
            _refuse_before_a_therapy(on, participant)
            return [ParticipantDied(participant_id=who, died_on=on, **led)]
        case _:
            assert_never(command)


def _screening_failed(on: date, ending: Ending, participant: Participant) -> ScreeningFailed:
    answers = participant.assessment.answers if participant.assessment is not None else ()
    unmet = tuple(answer.criterion_id for answer in answers if answer.answer is Answer.NOT_MET)
    if ending.disposition is Disposition.SCREEN_FAILURE and not unmet:
        raise ScreenFailureUnexplained(
            "no criterion was found not met: assess the eligibility first, or send as disposition why it ended"
        )
    return ScreeningFailed(
        participant_id=participant.participant_id,
        screening_number=participant.screening_number,
        failed_on=on,
        unmet=unmet,
        disposition=ending.disposition,
        status=ending.status,
    )


def _refuse_before_a_therapy(on: str, participant: Participant) -> None:
    if any(earliest(each.started_on) > latest(on) for each in participant.anticancer_therapies.values()):
        raise OutOfOrder("a new anticancer therapy on record would begin after the death")


def _refuse_before_the_last_visit(on: str, participant: Participant, protocol: Protocol) -> None:
    """Follow-up is complete from the first day of the last visit's window, in all that a partial date can mean."""
    zero = day_zero(participant.infusions, protocol)
    if zero is not None and latest(on) < max(visit.opens for visit in calendar(protocol, zero)):
        raise FollowUpNotOver("the last visit's window opens after completed_on; follow-up is not over by then")


def retract(command: RetractDiscontinuation, participant: Participant) -> list[ParticipantEvent]:
    on_record = [ending.status for ending in participant.endings]
    if command.status not in on_record and command.status in participant.retracted_endings:
        return []
    if not on_record or on_record[-1] is not command.status:
        raise NoSuchEnding("the latest ending on record is not this one; `GET` the participant to see which it is")
    return [
        DiscontinuationRetracted(
            participant_id=participant.participant_id,
            retracted=command.status,
            reason=command.reason,
            status=replace(participant, endings=participant.endings[:-1]).status,
        )
    ]


def _check(on: str, participant: Participant, facts: Facts) -> None:
    """An ending does not lie ahead, nor, in all that its date can mean, before what the participant was there for."""
    refuse_future_day(on, facts, participant.zone)
    known = [participant.data.screened_on]
    if participant.enrolment is not None:
        known.append(participant.enrolment.enrolled_on)
    known.extend(participant.day_of(infusion.started_at) for infusion in participant.infusions)
    known.extend(course.days[-1] for course in participant.lymphodepletions.values())
    if latest(on) < max(known):
        raise OutOfOrder("the date lies before a screening, an enrolment, a lymphodepletion or an infusion on record")
