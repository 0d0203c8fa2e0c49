"""The screening log (ICH E6(R3), essential records): every screening of every participant, and how it ended.

A re-screening is a line of its own under the same participant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Figure
from shared.contracts.enrollment import (
    ConsentWithdrawn,
    DiscontinuationRetracted,
    EligibilityAssessed,
    ParticipantDied,
    ParticipantEnrolled,
    ParticipantLostToFollowUp,
    ParticipantRescreened,
    ParticipantScreened,
    ScreeningDataCorrected,
    ScreeningFailed,
)
from shared.contracts.enrollment_terms import Answer, Disposition, Eligibility, ParticipantStatus
from shared.contracts.terms import earliest
from shared.kernel.events import Event

OF_SCREENING: tuple[type[Event], ...] = (
    ParticipantScreened,
    ParticipantRescreened,
    ScreeningDataCorrected,
    EligibilityAssessed,
    ScreeningFailed,
    ConsentWithdrawn,
    ParticipantLostToFollowUp,
    ParticipantDied,
    DiscontinuationRetracted,
    ParticipantEnrolled,
)


Ending = ScreeningFailed | ConsentWithdrawn | ParticipantLostToFollowUp | ParticipantDied


class ScreeningOutcome(StrEnum):
    """How a screening ended."""

    IN_SCREENING = "in-screening"
    ENROLLED = "enrolled"
    SCREEN_FAILED = "screen-failed"
    WITHDRAWN = "withdrawn"  # before enrolment
    LOST_TO_FOLLOW_UP = "lost-to-follow-up"
    DIED = "died"


class Screening(Figure):
    """One screening. Dates are the site's; days count from the day of screening."""

    participant_id: UUID
    subject_number: str
    site_id: str
    screening_number: str
    attempt: int = Field(description="1: the first screening of this participant")
    screened_on: date
    outcome: ScreeningOutcome
    ended_on: date | None = Field(description="Of enrolment, of failure or of leaving, on the first day it can mean")
    eligibility: Eligibility | None = Field(description="The last assessment; null: none was made")
    unmet: tuple[str, ...] = Field(description="Criteria that the last assessment found not met, by their codes")
    disposition: Disposition | None = Field(description="Why it ended without enrolment (DSDECOD)")
    days_to_enrolment: int | None = Field(description="Null unless enrolled")


@dataclass(frozen=True, slots=True)
class _Attempt:
    number: str
    screened_on: date
    outcome: ScreeningOutcome = ScreeningOutcome.IN_SCREENING
    ended_on: date | None = None
    eligibility: Eligibility | None = None
    unmet: tuple[str, ...] = ()
    disposition: Disposition | None = None


def screening_log(people: Mapping[UUID, tuple[str, str]], told: Mapping[UUID, Sequence[Event]]) -> list[Screening]:
    """By participant, then in order of time. `people`: subject number and site; `told`: each one's events in order."""
    return [
        line
        for who, named in sorted(people.items(), key=lambda each: (each[1][0], each[0]))
        for line in _lines(who, named, _attempts(told.get(who, ())))
    ]


def _lines(who: UUID, named: tuple[str, str], attempts: Iterable[_Attempt]) -> list[Screening]:
    return [
        Screening(
            participant_id=who,
            subject_number=named[0],
            site_id=named[1],
            screening_number=each.number,
            attempt=number,
            screened_on=each.screened_on,
            outcome=each.outcome,
            ended_on=each.ended_on,
            eligibility=each.eligibility,
            unmet=each.unmet,
            disposition=each.disposition,
            days_to_enrolment=_days_to_enrolment(each),
        )
        for number, each in enumerate(attempts, start=1)
    ]


def _days_to_enrolment(attempt: _Attempt) -> int | None:
    if attempt.outcome is not ScreeningOutcome.ENROLLED or attempt.ended_on is None:
        return None
    return (attempt.ended_on - attempt.screened_on).days


def _attempts(events: Iterable[Event]) -> list[_Attempt]:
    attempts: list[_Attempt] = []
    for event in events:
        if isinstance(event, ParticipantScreened | ParticipantRescreened):
            attempts.append(_Attempt(event.screening_number, event.screened_on))
        elif attempts:
            attempts[-1] = _after(attempts[-1], event)
    return attempts


_ENDED = {
    ParticipantStatus.SCREEN_FAILED: ScreeningOutcome.SCREEN_FAILED,
    ParticipantStatus.WITHDRAWN: ScreeningOutcome.WITHDRAWN,
    ParticipantStatus.LOST_TO_FOLLOW_UP: ScreeningOutcome.LOST_TO_FOLLOW_UP,
    ParticipantStatus.DIED: ScreeningOutcome.DIED,
}


def _after(attempt: _Attempt, event: Event) -> _Attempt:
    """What a later event makes of the last screening. After enrolment nothing but its own date belongs to it."""
    if isinstance(event, ScreeningDataCorrected):
        return replace(attempt, screened_on=event.screened_on)
    return attempt if attempt.outcome is ScreeningOutcome.ENROLLED else _decided(attempt, event)


def _decided(attempt: _Attempt, event: Event) -> _Attempt:
    match event:
        case ParticipantEnrolled(enrolled_on=on):
            return replace(attempt, outcome=ScreeningOutcome.ENROLLED, ended_on=on)
        case EligibilityAssessed(outcome=outcome, answers=answers):
            unmet = tuple(each.criterion_id for each in answers if each.counts and each.answer is Answer.NOT_MET)
            return replace(attempt, eligibility=outcome, unmet=unmet)
        case ScreeningFailed() | ConsentWithdrawn() | ParticipantLostToFollowUp() | ParticipantDied():
            ended = replace(attempt, outcome=_ENDED[event.status], ended_on=_day(event), disposition=event.disposition)
            return replace(ended, unmet=event.unmet) if isinstance(event, ScreeningFailed) else ended
        case DiscontinuationRetracted(retracted=ending) if _ENDED.get(ending) is attempt.outcome:
            return replace(attempt, outcome=ScreeningOutcome.IN_SCREENING, ended_on=None, disposition=None)
        case _:
            return attempt


def _day(event: Ending) -> date:
    match event:
        case ScreeningFailed(failed_on=day) | ConsentWithdrawn(withdrawn_on=day):
            return day
        case ParticipantLostToFollowUp(last_contact_on=on) | ParticipantDied(died_on=on):
            return earliest(on)
        case _:
            assert_never(event)
