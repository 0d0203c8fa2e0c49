"""Who is counted: participants with their infusion, and for how long each was followed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from uuid import UUID

from shared.consent.record import ConsentRecord
from shared.contracts.enrollment_terms import ConsentScope, ParticipantStatus
from shared.contracts.terms import earliest, latest
from shared.protocol import Assessment, Moment, Protocol
from shared.protocol.schedule import VisitState, local_date, moment_of, study_day, visit_status

# After these nobody collects data any more; off treatment, follow-up goes on.
ENDS_OF_FOLLOW_UP = (
    ParticipantStatus.WITHDRAWN,
    ParticipantStatus.LOST_TO_FOLLOW_UP,
    ParticipantStatus.COMPLETED,
    ParticipantStatus.DIED,
)


def follow_up_ended_on(endings: Mapping[ParticipantStatus, str | None]) -> date | None:
    """The last day of follow-up; None while it goes on.

    The first of the endings that stand, as nobody collects data after a participant was lost, even if a later death
    becomes known. Of a partial date the first day it can mean: up to then follow-up is certain.
    """
    days = [earliest(on) for status, on in endings.items() if on is not None and status in ENDS_OF_FOLLOW_UP]
    return min(days, default=None)


def first_new_therapy(day_zero: date, started_on: Iterable[str]) -> str | None:
    """The first therapy that began on or after a day; None: none did.

    One that may have begun on or after it, as far as its date is known, did. Of partial dates the first day counts
    that they can mean, but none before that day.
    """
    new = [on for on in started_on if latest(on) >= day_zero]
    return min(new, key=lambda on: (max(earliest(on), day_zero), on), default=None)


def in_order_of_dose(protocol: Protocol, levels: Iterable[str | None]) -> list[str | None]:
    """Each level once: the protocol's from the lowest dose on, then others by name, then that of who has none."""
    known = [] if protocol.dosing is None else [level.name for level in protocol.dosing.levels.value]
    place = {name: number for number, name in enumerate(known)}
    return sorted(set(levels), key=lambda name: (name is None, place.get(name or "", len(known)), name or ""))


# Consent to which part of the trial an assessment needs. Adverse events are reported whatever is withdrawn.
COVERED_BY = {
    Assessment.RESPONSE: ConsentScope.FOLLOW_UP,
    Assessment.CAR_T_FLOW: ConsentScope.SAMPLES,
    Assessment.CYTOKINES: ConsentScope.SAMPLES,
}


@dataclass(frozen=True, slots=True)
class Infused:
    """A participant who received the product.

    `day_zero` is the instant that the schedule counts from; `first_infused_at` is when the first infusion began,
    which is earlier only where a second one moved day zero. `followed_until` None: follow-up goes on.
    `dose_level` None: enrolled without one. `tumour_type` is the diagnosis recorded at screening. `new_therapy_on` is
    the date, as far as it is known, of the first new anticancer therapy; None: there is none. `consent` is asked where
    visits are planned; None: nothing of it has been heard.
    """

    participant_id: UUID
    subject_number: str
    site_id: str
    day_zero: datetime
    first_infused_at: datetime
    followed_until: date | None = None
    dose_level: str | None = None
    tumour_type: str | None = None
    new_therapy_on: str | None = None
    consent: ConsentRecord | None = None

    @property
    def order(self) -> tuple[str, UUID]:
        return self.subject_number, self.participant_id

    def moment_of(self, protocol: Protocol, at: datetime | date) -> Moment:
        return moment_of(protocol, at, self.day_zero)

    def has_withdrawn(self, scope: ConsentScope | None, on: date) -> bool:
        """Whether consent to a part of the trial is withdrawn on a day; None: that needs none."""
        return self.consent is not None and scope in self.consent.screening_of(on).withdrawn(on)

    def visits(
        self, protocol: Protocol, kind: Assessment, performed: Iterable[datetime | date], today: date
    ) -> Sequence[VisitState]:
        """How each visit stands for one kind of assessment. `performed`: when such were made."""
        return visit_status(
            protocol,
            kind,
            self.day_zero,
            performed=sorted(self.moment_of(protocol, at) for at in performed),
            today=today,
            followed_until=self.followed_until,
            withdrawn=partial(self.has_withdrawn, COVERED_BY.get(kind)),
        )

    def last_day(self, protocol: Protocol, today: date) -> int:
        """The last study day, in the trial's time zone, on which the participant was followed so far."""
        until = today if self.followed_until is None else min(today, self.followed_until)
        return study_day(protocol, until, self.day_zero)

    def infused_on(self, protocol: Protocol) -> date:
        """The date of the first infusion in the trial's time zone."""
        return local_date(protocol, self.first_infused_at)
