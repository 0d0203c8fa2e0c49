"""Who is treated, as the escalation sees them: a participant's own record, and what safety said of their toxicities."""

from datetime import datetime

from services.enrollment.domain.life import Participant
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.contracts.terms import latest
from shared.escalation.standing import Person
from shared.escalation.toxicity import Toxicity
from shared.protocol import Protocol
from shared.protocol.dose_limiting_status import DosedCourse, evaluability, window_of

# Whoever goes off treatment is watched on.
UNWATCHED = frozenset(
    {
        ParticipantStatus.WITHDRAWN,
        ParticipantStatus.LOST_TO_FOLLOW_UP,
        ParticipantStatus.COMPLETED,
        ParticipantStatus.DIED,
    }
)


def person_of(of: Participant, slot: str | None, toxicity: Toxicity, protocol: Protocol, now: datetime) -> Person:
    """A participant who has this slot, or none; the dose level of the slot counts, else that of the enrolment."""
    enrolled_for = None if of.enrolment is None else of.enrolment.dose_level
    first = of.infusions[0] if of.infusions else None
    window = None if first is None else window_of(protocol, first.started_at, first.ended_at, of.zone)
    left = [each.on for each in of.endings if each.status in UNWATCHED]
    course = DosedCourse(
        enrolled_for if slot is None else slot,
        None if first is None else first.cells_per_kg,
        latest(min(left)) if left else None,
    )
    stands = evaluability(course, protocol.dosing, window, has_dlt=toxicity.has_dlt, now=now)
    return Person(
        participant_id=of.participant_id,
        site_id=of.site_id,
        dose_level=enrolled_for,
        status=stands.status,
        undecided=toxicity.undecided,
        started_at=None if first is None else first.started_at,
        window_ends=None if window is None else window.ends,
        left=bool(of.endings),
    )
