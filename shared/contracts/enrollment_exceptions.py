"""What enrollment tells the trial of exceptions: a person enrolled although a criterion is not met.

Two people decide: an investigator asks, the sponsor grants or refuses. Whoever is enrolled so departs from the
protocol. Source: ICH E6(R3) 2.5.4 and 3.9.3 (deviations); 21 CFR 312.66, 812.150(a)(4) (no change without agreement).
"""

from shared.contracts.enrollment_terms import CriterionAnswer, ScreeningNumber
from shared.contracts.terms import ActorId, ParticipantId, Reason
from shared.kernel.events import Event


class EligibilityExceptionRequested(Event, type="enrollment.eligibility-exception-requested", version=1):
    """An investigator asked that a participant be enrolled although these criteria are not met, as they were answered.

    It takes the place of an earlier request of the same screening, granted or not.
    """

    participant_id: ParticipantId
    screening_number: ScreeningNumber
    answers: tuple[CriterionAnswer, ...]
    requested_by: ActorId
    reason: Reason


class EligibilityExceptionDecided(Event, type="enrollment.eligibility-exception-decided", version=1):
    """The sponsor granted or refused what was asked for, for these criteria on this evidence and no other."""

    participant_id: ParticipantId
    screening_number: ScreeningNumber
    answers: tuple[CriterionAnswer, ...]
    granted: bool
    requested_by: ActorId
    decided_by: ActorId
    reason: Reason


EligibilityExceptionEvent = EligibilityExceptionRequested | EligibilityExceptionDecided
