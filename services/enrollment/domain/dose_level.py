"""The dose level of somebody enrolled follows the slot that they have, until the infusion."""

from services.enrollment.domain.cohorts.escalation import AlreadyInfused
from services.enrollment.domain.life import Participant
from shared.contracts.enrollment import DoseLevelReassigned
from shared.contracts.terms import ProtocolRef


def reassigned(participant: Participant, slot: str, protocol: ProtocolRef) -> list[DoseLevelReassigned]:
    """What a slot at this dose level changes for its participant: nothing before the enrolment, or at its own level.

    Raises:
        AlreadyInfused: with the dose of the other level, while the slot was being reserved.
    """
    enrolment = participant.enrolment
    if enrolment is None or enrolment.dose_level == slot:
        return []
    if participant.infusions:
        raise AlreadyInfused("the participant was infused at another dose level")
    return [
        DoseLevelReassigned(
            participant_id=participant.participant_id,
            from_level=enrolment.dose_level,
            dose_level=slot,
            protocol=protocol,
        )
    ]
