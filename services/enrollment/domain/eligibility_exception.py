"""Enrolling somebody although a criterion is not met: an investigator asks, the sponsor grants or refuses.

It holds for the criteria that were asked for, on the evidence they were answered on, in this screening: another result
is another question. Consent has no exception, and what is not evaluable is not excepted but found out.
Source: ICH E6(R3) 2.5.4 (the investigator departs from the protocol by agreement with the sponsor), 3.9.3.
"""

from collections.abc import Iterable
from typing import Annotated

from pydantic import ConfigDict, Field

from services.enrollment.domain.facts import Facts
from services.enrollment.domain.life import EligibilityException, Participant
from shared.contracts.enrollment import ParticipantEvent
from shared.contracts.enrollment_exceptions import EligibilityExceptionDecided, EligibilityExceptionRequested
from shared.contracts.enrollment_terms import Answer, CriterionAnswer
from shared.contracts.terms import Code, Flag, Reason
from shared.kernel.actor import Actor
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, Unacceptable
from shared.protocol import Protocol

Criteria = Annotated[tuple[Code, ...], Field(min_length=1, max_length=50, description="Criteria that are not met")]


class RequestEligibilityException(Command):
    """Ask that a participant be enrolled although these criteria are not met. The sponsor decides."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"criteria": ["AN-04"], "reason": "Liver metastases explain the value; function is stable"}]
        }
    )

    criteria: Criteria
    reason: Reason


class DecideEligibilityException(Command):
    """Grant or refuse what was asked for: as another person than who asked, and for the sponsor."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"granted": True, "reason": "Agreed with the medical monitor"}]}
    )

    granted: Flag
    reason: Reason


class NothingToExcept(Unacceptable):
    """An exception is for criteria that the assessment on record finds not met; for consent there is none."""


class NoExceptionRequested(Conflict):
    """No exception is asked for, or it is decided already."""


class ExceptionNeedsTwo(Conflict):
    """Who grants an exception is another person than who asked for it."""


def request(command: RequestEligibilityException, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    """Raises: NothingToExcept."""
    assessed = participant.assessment
    open_now = {} if assessed is None else {each.criterion_id: each for each in not_met(assessed.answers)}
    possible = {key: each for key, each in open_now.items() if key not in _of_consent(facts.protocol)}
    asked = sorted(set(command.criteria))
    if not possible.keys() >= set(asked):
        raise NothingToExcept(f"exceptions are possible for: {', '.join(possible) or 'nothing'}; assess first")
    answers, by = tuple(possible[key] for key in asked), _who(facts)
    standing = participant.exception
    if standing is not None and (standing.answers, standing.requested_by) == (answers, by.id) and not standing.decided:
        return []
    return [
        EligibilityExceptionRequested(
            participant_id=participant.participant_id,
            screening_number=participant.screening_number,
            answers=answers,
            requested_by=by.id,
            reason=command.reason,
        )
    ]


def decide(command: DecideEligibilityException, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    """Raises: NoExceptionRequested, ExceptionNeedsTwo."""
    asked, by = participant.exception, _who(facts)
    if asked is not None and (asked.granted, asked.decided_by) == (command.granted, by.id):
        return []
    if asked is None or asked.decided:
        raise NoExceptionRequested("no exception waits for a decision; an investigator asks for it first")
    if asked.requested_by == by.id:
        raise ExceptionNeedsTwo("who asked does not decide: another person, for the sponsor, does")
    return [
        EligibilityExceptionDecided(
            participant_id=participant.participant_id,
            screening_number=participant.screening_number,
            answers=asked.answers,
            granted=command.granted,
            requested_by=asked.requested_by,
            decided_by=by.id,
            reason=command.reason,
        )
    ]


def not_met(answers: Iterable[CriterionAnswer]) -> list[CriterionAnswer]:
    return [each for each in answers if each.counts and each.answer is Answer.NOT_MET]


def is_excepted(answer: CriterionAnswer, granted: EligibilityException | None) -> bool:
    """Whether an exception was granted for this criterion, not met, on this very evidence."""
    return granted is not None and granted.granted is True and answer in granted.answers


def _of_consent(protocol: Protocol) -> set[str]:
    return {criterion.id for criterion in protocol.eligibility if criterion.quantity == "consent"}


def _who(facts: Facts) -> Actor:
    assert facts.by is not None  # noqa: S101 - every change of a participant is somebody's
    return facts.by
