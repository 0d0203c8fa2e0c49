"""A participant: which command is possible where in the life of one, and what it leads to.

    screening --> enrolled --> infused --> completed
        |            |            |
        |            +---> off-treatment, lost-to-follow-up   (follow-up goes on; found again: retracted)
        +--> screen-failed --> screening again
    anywhere before the end: withdrawn; anywhere at all: died; everywhere: corrections, with a reason

`LIFE` is that table. A command that has been carried out decides to nothing wherever the participant stands now.
"""

from collections.abc import Mapping
from typing import assert_never

from services.enrollment.domain import (
    anticancer_therapy,
    consent,
    eligibility,
    eligibility_exception,
    ending,
    follow_up_contact,
    infusion,
    lymphodepletion,
    screening,
    transfer,
    withdrawal,
)
from services.enrollment.domain.anticancer_therapy import (
    CorrectAnticancerTherapy,
    RecordAnticancerTherapy,
    RetractAnticancerTherapy,
)
from services.enrollment.domain.consent import CorrectConsent, ObtainConsent
from services.enrollment.domain.eligibility import AssessEligibility
from services.enrollment.domain.eligibility_exception import DecideEligibilityException, RequestEligibilityException
from services.enrollment.domain.ending import (
    CompleteFollowUp,
    DiscontinueTreatment,
    FailScreening,
    RecordDeath,
    RecordLossToFollowUp,
    RetractDiscontinuation,
    WithdrawConsent,
)
from services.enrollment.domain.facts import Facts, NoSuchParticipant, NotAtThisPoint
from services.enrollment.domain.follow_up_contact import RecordFollowUpContact, RetractFollowUpContact
from services.enrollment.domain.infusion import CorrectInfusion, RecordInfusion, RetractInfusion
from services.enrollment.domain.life import (
    AnticancerTherapy,
    Enrolment,
    FollowUpContact,
    Infusion,
    Lymphodepletion,
    Participant,
    State,
    Unknown,
    evolve,
    part_of,
)
from services.enrollment.domain.lymphodepletion import (
    CorrectLymphodepletion,
    RecordLymphodepletion,
    RetractLymphodepletion,
)
from services.enrollment.domain.screening import (
    CorrectScreeningData,
    EnrolParticipant,
    RescreenParticipant,
    ScreenParticipant,
)
from services.enrollment.domain.transfer import TransferParticipant
from services.enrollment.domain.withdrawal import RestoreConsent
from shared.consent.record import Consent
from shared.contracts.enrollment import ParticipantEvent
from shared.contracts.enrollment_terms import ParticipantStatus as Status
from shared.kernel.decider import Command, Decider

LaterCommand = (
    RescreenParticipant
    | CorrectScreeningData
    | TransferParticipant
    | ObtainConsent
    | CorrectConsent
    | AssessEligibility
    | RequestEligibilityException
    | DecideEligibilityException
    | EnrolParticipant
    | RecordInfusion
    | CorrectInfusion
    | RetractInfusion
    | RecordLymphodepletion
    | CorrectLymphodepletion
    | RetractLymphodepletion
    | RecordAnticancerTherapy
    | CorrectAnticancerTherapy
    | RetractAnticancerTherapy
    | RecordFollowUpContact
    | RetractFollowUpContact
    | FailScreening
    | DiscontinueTreatment
    | RecordLossToFollowUp
    | WithdrawConsent
    | RestoreConsent
    | CompleteFollowUp
    | RecordDeath
    | RetractDiscontinuation
)
ParticipantCommand = ScreenParticipant | LaterCommand

ANYWHERE = frozenset(Status)
IN_TRIAL = frozenset({Status.SCREENING, Status.ENROLLED, Status.INFUSED, Status.OFF_TREATMENT})
ENROLLED_ONCE = frozenset(
    {Status.ENROLLED, Status.INFUSED, Status.OFF_TREATMENT, Status.LOST_TO_FOLLOW_UP, Status.COMPLETED, Status.DIED}
)
INFUSED_ONCE = (ENROLLED_ONCE - {Status.ENROLLED}) | {Status.WITHDRAWN}

LIFE: Mapping[type[Command], frozenset[Status]] = {
    RescreenParticipant: frozenset({Status.SCREEN_FAILED, Status.WITHDRAWN}),
    CorrectScreeningData: ANYWHERE,
    TransferParticipant: IN_TRIAL | {Status.LOST_TO_FOLLOW_UP, Status.COMPLETED},  # followed for years after
    ObtainConsent: IN_TRIAL,
    CorrectConsent: ANYWHERE,
    AssessEligibility: frozenset({Status.SCREENING}),
    RequestEligibilityException: frozenset({Status.SCREENING}),
    DecideEligibilityException: frozenset({Status.SCREENING}),
    EnrolParticipant: frozenset({Status.SCREENING}),
    RecordInfusion: frozenset({Status.ENROLLED, Status.INFUSED}),
    CorrectInfusion: ANYWHERE,
    RetractInfusion: ANYWHERE,
    RecordLymphodepletion: ENROLLED_ONCE,  # and known late, as when nobody was infused after it
    CorrectLymphodepletion: ANYWHERE,
    RetractLymphodepletion: ANYWHERE,
    RecordAnticancerTherapy: INFUSED_ONCE,
    CorrectAnticancerTherapy: ANYWHERE,
    RetractAnticancerTherapy: ANYWHERE,
    RecordFollowUpContact: INFUSED_ONCE,
    RetractFollowUpContact: ANYWHERE,
    FailScreening: frozenset({Status.SCREENING}),
    DiscontinueTreatment: frozenset({Status.ENROLLED, Status.INFUSED}),
    RecordLossToFollowUp: frozenset({Status.ENROLLED, Status.INFUSED, Status.OFF_TREATMENT}),
    WithdrawConsent: IN_TRIAL | {Status.LOST_TO_FOLLOW_UP, Status.COMPLETED, Status.DIED},  # of samples alone, then
    RestoreConsent: ANYWHERE,
    CompleteFollowUp: frozenset({Status.INFUSED, Status.OFF_TREATMENT}),
    RecordDeath: ANYWHERE - {Status.DIED},
    RetractDiscontinuation: ANYWHERE,
}


def decide(command: ParticipantCommand, state: State, facts: Facts) -> list[ParticipantEvent]:
    if isinstance(command, ScreenParticipant):
        return (
            screening.screen(command, facts) if isinstance(state, Unknown) else screening.screen_again(command, state)
        )
    if isinstance(state, Unknown):
        raise NoSuchParticipant("there is no such participant; screen the person first")
    if _is_done(command, state):
        return []
    if state.status not in LIFE[type(command)]:
        raise NotAtThisPoint(f"this is possible at: {', '.join(sorted(LIFE[type(command)]))}; `GET` the participant")
    return _carry_out(command, state, facts)


def _is_done(command: LaterCommand, participant: Participant) -> bool:  # noqa: PLR0911 - one line per command
    """Whether just this is on record already. Corrections, retractions and assessments find out for themselves."""
    match command:
        case RescreenParticipant(screened_on=on):
            again = participant.screenings > 1 and participant.status is Status.SCREENING
            return again and participant.data.screened_on == on
        case ObtainConsent():
            return part_of(Consent, command) in participant.consents
        case EnrolParticipant():
            return participant.enrolment == part_of(Enrolment, command)
        case RecordInfusion():
            return part_of(Infusion, command) in participant.infusions
        case RecordLymphodepletion(lymphodepletion_id=key):
            return participant.lymphodepletions.get(key) == part_of(Lymphodepletion, command)
        case RecordAnticancerTherapy(therapy_id=key):
            return participant.anticancer_therapies.get(key) == part_of(AnticancerTherapy, command)
        case RecordFollowUpContact(contact_id=key):
            return participant.follow_up_contacts.get(key) == part_of(FollowUpContact, command)
        case FailScreening() | DiscontinueTreatment() | RecordLossToFollowUp() | CompleteFollowUp() | RecordDeath():
            return ending.ending_of(command) in participant.endings
        case WithdrawConsent():
            return withdrawal.is_withdrawn(command, participant)
        case _:
            return False


def _carry_out(  # noqa: C901, PLR0911, PLR0912 - one line per command
    command: LaterCommand, participant: Participant, facts: Facts
) -> list[ParticipantEvent]:
    match command:
        case RescreenParticipant():
            return screening.rescreen(command, participant, facts)
        case CorrectScreeningData():
            return screening.correct(command, participant, facts)
        case TransferParticipant():
            return transfer.transfer(command, participant, facts)
        case ObtainConsent():
            return consent.obtain(command, participant, facts)
        case CorrectConsent():
            return consent.correct(command, participant, facts)
        case AssessEligibility():
            return eligibility.assess(command, participant, facts)
        case RequestEligibilityException():
            return eligibility_exception.request(command, participant, facts)
        case DecideEligibilityException():
            return eligibility_exception.decide(command, participant, facts)
        case EnrolParticipant():
            return screening.enrol(command, participant, facts)
        case RecordInfusion():
            return infusion.record(command, participant, facts)
        case CorrectInfusion():
            return infusion.correct(command, participant, facts)
        case RetractInfusion():
            return infusion.retract(command, participant, facts)
        case RecordLymphodepletion():
            return lymphodepletion.record(command, participant, facts)
        case CorrectLymphodepletion():
            return lymphodepletion.correct(command, participant, facts)
        case RetractLymphodepletion():
            return lymphodepletion.retract(command, participant, facts)
        case RecordAnticancerTherapy():
            return anticancer_therapy.record(command, participant, facts)
        case CorrectAnticancerTherapy():
            return anticancer_therapy.correct(command, participant, facts)
        case RetractAnticancerTherapy():
            return anticancer_therapy.retract(command, participant, facts)
        case RecordFollowUpContact():
            return follow_up_contact.record(command, participant, facts)
        case RetractFollowUpContact():
            return follow_up_contact.retract(command, participant, facts)
        case FailScreening() | DiscontinueTreatment() | RecordLossToFollowUp() | CompleteFollowUp() | RecordDeath():
            return ending.end(command, participant, facts)
        case WithdrawConsent():
            return withdrawal.withdraw(command, participant, facts)
        case RestoreConsent():
            return withdrawal.restore(command, participant, facts)
        case RetractDiscontinuation():
            return ending.retract(command, participant)
        case _:
            assert_never(command)


DECIDER: Decider[ParticipantCommand, State, Facts, ParticipantEvent] = Decider("participant", Unknown(), evolve, decide)
