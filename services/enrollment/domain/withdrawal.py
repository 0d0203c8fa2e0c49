"""Consent withdrawn from the whole trial or from parts of it, and parts that are consented to again.

From the whole trial: participation ends (see `ending`). From treatment alone: no further infusion, follow-up goes on.
From follow-up or the use of samples alone: the participant stays where they stand, and nothing more is taken of that
part. Who has withdrawn from every part, one after the other, has withdrawn from the trial.
Source: ICH E6(R3) 2.8; FDA 2008, Guidance on data retention when subjects withdraw: what was collected stays.
"""

from datetime import date

from pydantic import ConfigDict

from services.enrollment.domain import ending
from services.enrollment.domain.ending import WITHDRAWALS, Scopes, WithdrawConsent
from services.enrollment.domain.facts import Facts, NotAtThisPoint, OutOfOrder, refuse_future_day
from services.enrollment.domain.life import Participant
from shared.consent.record import Withdrawal
from shared.contracts.enrollment import ParticipantEvent, TreatmentDiscontinued
from shared.contracts.enrollment_consent import ConsentLimited, ConsentRestored
from shared.contracts.enrollment_terms import ConsentScope, ParticipantStatus
from shared.contracts.terms import Day, Reason
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict


class RestoreConsent(Command):
    """A part of the trial that was withdrawn is consented to again from a day on.

    Without the day it was never withdrawn, as when it was entered for another participant. Who is off treatment stays
    so until that ending is retracted.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scopes": ["samples"], "restored_on": "2026-06-02", "reason": "The family allows samples again"}
            ]
        }
    )

    scopes: Scopes
    restored_on: Day | None = None
    reason: Reason


class AlreadyWithdrawn(Conflict):
    """A part of the trial is withdrawn already, from another day on."""


class NotWithdrawn(Conflict):
    """A part of the trial that is to be restored is not withdrawn."""


_ONLY_SAMPLES = frozenset({ParticipantStatus.COMPLETED, ParticipantStatus.DIED})  # nothing else is still to come
_GIVEN = frozenset({ParticipantStatus.ENROLLED, ParticipantStatus.INFUSED})  # treatment may still be given


def is_withdrawn(command: WithdrawConsent, participant: Participant) -> bool:
    """Whether just this is on record already."""
    if ending.ending_of(command) in participant.endings:
        return True
    known = {(each.scope, each.withdrawn_on) for each in _withdrawals(participant)}
    return all((scope, command.withdrawn_on) in known for scope in command.scopes)


def withdraw(command: WithdrawConsent, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    before = participant.consent.present.withdrawn_still
    over = participant.status in _ONLY_SAMPLES
    if not over and before.union(command.scopes) == frozenset(ConsentScope):
        return ending.end(command, participant, facts)
    if over and command.scopes != (ConsentScope.SAMPLES,):
        raise NotAtThisPoint("follow-up is over: what can still be withdrawn is the use of samples")
    if ConsentScope.TREATMENT in command.scopes and participant.status is ParticipantStatus.SCREENING:
        raise NotAtThisPoint("before enrolment there is no treatment to withdraw from alone: withdraw from every part")
    _check(command.withdrawn_on, participant, facts)
    if before.intersection(command.scopes):
        raise AlreadyWithdrawn("one of these parts is withdrawn already from another day on; leave it out")
    if any(_reaches_back(each, command) for each in _withdrawals(participant)):
        raise OutOfOrder("one of these parts was withdrawn until a later day, on which it was restored: see which")
    who, disposition = participant.participant_id, WITHDRAWALS[command.withdrawn_by]
    limited = ConsentLimited(
        participant_id=who,
        scopes=command.scopes,
        withdrawn_on=command.withdrawn_on,
        disposition=disposition,
    )
    if ConsentScope.TREATMENT not in command.scopes or participant.status not in _GIVEN:
        return [limited]
    off = TreatmentDiscontinued(
        participant_id=who,
        discontinued_on=command.withdrawn_on.isoformat(),
        disposition=disposition,
        status=ParticipantStatus.OFF_TREATMENT,
    )
    return [limited, off]


def restore(command: RestoreConsent, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    """Raises: NotWithdrawn, OutOfOrder, InTheFuture."""
    if _is_restored(command, participant):
        return []
    standing = {each.scope: each for each in _withdrawals(participant) if each.restored_on is None}
    if not standing.keys() >= set(command.scopes):
        raise NotWithdrawn("one of these parts is not withdrawn; `GET` the participant to see which are")
    if command.restored_on is not None:
        refuse_future_day(command.restored_on.isoformat(), facts, participant.zone)
        if any(command.restored_on < standing[scope].withdrawn_on for scope in command.scopes):
            raise OutOfOrder("restored_on lies before the withdrawal")
    return [
        ConsentRestored(
            participant_id=participant.participant_id,
            scopes=command.scopes,
            restored_on=command.restored_on,
            reason=command.reason,
        )
    ]


def _is_restored(command: RestoreConsent, participant: Participant) -> bool:
    if command.restored_on is None:
        return not {each.scope for each in _withdrawals(participant)}.intersection(command.scopes)
    known = {(each.scope, each.restored_on) for each in _withdrawals(participant)}
    return all((scope, command.restored_on) in known for scope in command.scopes)


def _withdrawals(participant: Participant) -> tuple[Withdrawal, ...]:
    return participant.consent.present.withdrawals


def _reaches_back(earlier: Withdrawal, command: WithdrawConsent) -> bool:
    """Whether a part is withdrawn anew from a day before the one on which it was restored."""
    restored = earlier.restored_on
    return earlier.scope in command.scopes and restored is not None and command.withdrawn_on < restored


def _check(on: date, participant: Participant, facts: Facts) -> None:
    refuse_future_day(on.isoformat(), facts, participant.zone)
    if on < participant.data.screened_on:
        raise OutOfOrder("withdrawn_on lies before the screening on record")
