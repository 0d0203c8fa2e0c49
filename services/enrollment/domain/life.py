"""The life of a participant as its events tell it: the state that every decision about one reads, and `evolve`.

Where a participant stands is not stored but follows: from the latest ending, else from an infusion, else from
enrolment. So a retracted ending leads back to where the participant stood before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.consent import record as consent_record
from shared.consent.record import Consent, ConsentRecord
from shared.contracts.enrollment import (
    CellsInfused,
    ConsentCorrected,
    ConsentObtained,
    ConsentWithdrawn,
    DiscontinuationRetracted,
    DoseLevelReassigned,
    EligibilityAssessed,
    FollowUpCompleted,
    InfusionCorrected,
    InfusionRetracted,
    LaterParticipantEvent,
    ParticipantDied,
    ParticipantEnrolled,
    ParticipantEvent,
    ParticipantLostToFollowUp,
    ParticipantRescreened,
    ParticipantScreened,
    ParticipantTransferred,
    ScreeningDataCorrected,
    ScreeningFailed,
    TreatmentDiscontinued,
)
from shared.contracts.enrollment_anticancer_therapy import (
    AnticancerTherapyCorrected,
    AnticancerTherapyRecorded,
    AnticancerTherapyRetracted,
    TherapyKind,
)
from shared.contracts.enrollment_consent import ConsentLimited, ConsentRestored
from shared.contracts.enrollment_exceptions import EligibilityExceptionDecided, EligibilityExceptionRequested
from shared.contracts.enrollment_follow_up import (
    ContactWay,
    FollowUpContactRecorded,
    FollowUpContactRetracted,
    LateEvents,
)
from shared.contracts.enrollment_lymphodepletion import (
    DrugGiven,
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.contracts.enrollment_terms import (
    CriterionAnswer,
    Diagnosis,
    Disposition,
    ParticipantStatus,
    Route,
    Sex,
)


@dataclass(frozen=True, slots=True)
class ScreeningData:
    """What is recorded of a person at screening, and may be corrected."""

    birth_month: str
    sex: Sex
    diagnosis: Diagnosis
    diagnosis_text: str | None
    screened_on: date


@dataclass(frozen=True, slots=True)
class EligibilityException:
    """What somebody asked to be excepted, and what the sponsor said to it: nothing yet where `granted` is None."""

    answers: tuple[CriterionAnswer, ...]
    requested_by: str
    granted: bool | None = None
    decided_by: str | None = None

    @property
    def decided(self) -> bool:
        return self.granted is not None


@dataclass(frozen=True, slots=True)
class Enrolment:
    enrolled_on: date
    dose_level: str | None


@dataclass(frozen=True, slots=True)
class Infusion:
    """One infusion; cells are viable CAR-positive T cells."""

    started_at: datetime
    ended_at: datetime
    route: Route
    lot: str | None
    weight_kg: Decimal | None
    cells_per_kg: Decimal | None
    total_car_positive_cells: Decimal | None


@dataclass(frozen=True, slots=True)
class Lymphodepletion:
    """What prepared the participant for an infusion, which is named by its number. Its days are the site's."""

    prepares_infusion: int
    first_dose_at: datetime | None
    drugs: tuple[DrugGiven, ...]

    @property
    def days(self) -> list[date]:
        """The days on which anything was given, in order."""
        return sorted({day for drug in self.drugs for day in drug.days})


@dataclass(frozen=True, slots=True)
class AnticancerTherapy:
    """What was begun against the tumour after an infusion; `started_on` is a date as far as it is known."""

    kind: TherapyKind
    started_on: str


@dataclass(frozen=True, slots=True)
class FollowUpContact:
    """A contact of long-term follow-up, with what was asked."""

    contacted_on: date
    way: ContactWay
    late_events: LateEvents


@dataclass(frozen=True, slots=True)
class Ending:
    """How a period of the trial ended; `on` is a date as far as it is known."""

    status: ParticipantStatus
    on: str
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody was screened under this id."""


@dataclass(frozen=True, slots=True)
class Participant:
    """A person in the trial. Screenings are counted; consents and assessment are those of the latest.

    `consent` is all that is on record of it, and what the other services know too.
    """

    participant_id: UUID
    site_id: str
    time_zone: str
    subject_number: str
    subject_label: str | None
    data: ScreeningData
    consent: ConsentRecord
    transferred_on: date | None = None
    screenings: int = 1
    assessment: EligibilityAssessed | None = None
    exception: EligibilityException | None = None
    enrolment: Enrolment | None = None
    infusions: tuple[Infusion, ...] = ()
    retracted_infusions: frozenset[int] = frozenset()
    lymphodepletions: Mapping[UUID, Lymphodepletion] = field(default_factory=lambda: MappingProxyType({}))
    retracted_lymphodepletions: frozenset[UUID] = frozenset()
    anticancer_therapies: Mapping[UUID, AnticancerTherapy] = field(default_factory=lambda: MappingProxyType({}))
    retracted_therapies: frozenset[UUID] = frozenset()
    follow_up_contacts: Mapping[UUID, FollowUpContact] = field(default_factory=lambda: MappingProxyType({}))
    retracted_contacts: frozenset[UUID] = frozenset()
    endings: tuple[Ending, ...] = ()
    earlier_screening_ended_on: date | None = None
    retracted_endings: frozenset[ParticipantStatus] = frozenset()

    @property
    def status(self) -> ParticipantStatus:
        if self.endings:
            return self.endings[-1].status
        if self.infusions:
            return ParticipantStatus.INFUSED
        return ParticipantStatus.SCREENING if self.enrolment is None else ParticipantStatus.ENROLLED

    @property
    def consents(self) -> tuple[Consent, ...]:
        return self.consent.present.consents

    @property
    def screening_number(self) -> str:
        return screening_number(self.subject_number, self.screenings)

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone, in which the participant's calendar dates are meant."""
        return ZoneInfo(self.time_zone)

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()


State = Unknown | Participant


def screening_number(subject_number: str, screenings: int) -> str:
    return f"{subject_number}-S{screenings}"


Part = TypeVar("Part", ScreeningData, Consent, Enrolment, Infusion, Lymphodepletion, AnticancerTherapy, FollowUpContact)


def part_of(part: type[Part], source: object) -> Part:
    """The part of a participant that a command or an event speaks of; both use its names."""
    return part(**{each.name: getattr(source, each.name) for each in fields(part)})


def evolve(state: State, event: ParticipantEvent) -> State:
    if isinstance(event, ParticipantScreened):
        return Participant(
            event.participant_id,
            event.site_id,
            event.time_zone,
            event.subject_number,
            event.subject_label,
            part_of(ScreeningData, event),
            consent_record.begin(event),
        )
    if isinstance(state, Unknown):
        return state
    if isinstance(event, consent_record.LaterEvent):
        state = replace(state, consent=consent_record.evolve(state.consent, event))
    return _live_on(state, event)


def _live_on(was: Participant, event: LaterParticipantEvent) -> Participant:  # noqa: C901, PLR0911, PLR0912 - one line per event
    match event:
        case ParticipantRescreened():
            return _rescreened(was, event)
        case ScreeningDataCorrected():
            return _corrected(was, part_of(ScreeningData, event))
        case ParticipantTransferred(site_id=site, time_zone=zone, transferred_on=on):
            return replace(was, site_id=site, time_zone=zone, transferred_on=on)
        case ConsentObtained() | ConsentCorrected() | ConsentLimited() | ConsentRestored():
            return was  # all that they tell is in the record of consent
        case EligibilityAssessed():
            return replace(was, assessment=event)
        case EligibilityExceptionRequested(answers=answers, requested_by=who):
            return replace(was, exception=EligibilityException(answers, who))
        case EligibilityExceptionDecided(answers=answers, requested_by=who):
            said = EligibilityException(answers, who, event.granted, event.decided_by)
            return replace(was, exception=said)
        case ParticipantEnrolled():
            return replace(was, enrolment=part_of(Enrolment, event))
        case DoseLevelReassigned():
            assert was.enrolment is not None  # noqa: S101 - nobody else is reassigned
            return replace(was, enrolment=replace(was.enrolment, dose_level=event.dose_level))
        case CellsInfused():
            return replace(was, infusions=(*was.infusions, part_of(Infusion, event)))
        case InfusionCorrected():
            infusions = _with(was.infusions, event.infusion_number, part_of(Infusion, event))
            return replace(was, infusions=infusions)
        case InfusionRetracted(infusion_number=number):
            retracted = was.retracted_infusions | {number}
            return replace(was, infusions=was.infusions[: number - 1], retracted_infusions=retracted)
        case LymphodepletionRecorded() | LymphodepletionCorrected():
            known = {**was.lymphodepletions, event.lymphodepletion_id: part_of(Lymphodepletion, event)}
            return replace(was, lymphodepletions=known)
        case LymphodepletionRetracted(lymphodepletion_id=error):
            left = {key: each for key, each in was.lymphodepletions.items() if key != error}
            retracted_ids = was.retracted_lymphodepletions | {error}
            return replace(was, lymphodepletions=left, retracted_lymphodepletions=retracted_ids)
        case AnticancerTherapyRecorded() | AnticancerTherapyCorrected():
            begun = {**was.anticancer_therapies, event.therapy_id: part_of(AnticancerTherapy, event)}
            return replace(was, anticancer_therapies=begun)
        case AnticancerTherapyRetracted(therapy_id=error):
            begun = {key: each for key, each in was.anticancer_therapies.items() if key != error}
            gone = was.retracted_therapies | {error}
            return replace(was, anticancer_therapies=begun, retracted_therapies=gone)
        case FollowUpContactRecorded(contact_id=key):
            reached = {**was.follow_up_contacts, key: part_of(FollowUpContact, event)}
            return replace(was, follow_up_contacts=reached)
        case FollowUpContactRetracted(contact_id=error):
            reached = {key: each for key, each in was.follow_up_contacts.items() if key != error}
            return replace(was, follow_up_contacts=reached, retracted_contacts=was.retracted_contacts | {error})
        case ConsentWithdrawn(withdrawn_on=on):
            return _ended(was, event, on.isoformat())
        case ScreeningFailed(failed_on=on):
            return _ended(was, event, on.isoformat())
        case TreatmentDiscontinued(discontinued_on=on):
            return _ended(was, event, on)
        case ParticipantLostToFollowUp(last_contact_on=on):
            return _ended(was, event, on)
        case FollowUpCompleted(completed_on=on):
            return _ended(was, event, on)
        case ParticipantDied(died_on=on):
            return _ended(was, event, on)
        case DiscontinuationRetracted(retracted=status):
            endings = tuple(ending for ending in was.endings if ending.status is not status)
            return replace(was, endings=endings, retracted_endings=was.retracted_endings | {status})
        case _:
            assert_never(event)


def _with(records: tuple[Infusion, ...], number: int, record: Infusion) -> tuple[Infusion, ...]:
    """The records with the one of this number, counted from 1, replaced."""
    return tuple(record if place == number else other for place, other in enumerate(records, start=1))


def _rescreened(was: Participant, event: ParticipantRescreened) -> Participant:
    return replace(
        was,
        data=replace(was.data, screened_on=event.screened_on),
        screenings=was.screenings + 1,
        assessment=None,
        exception=None,
        endings=(),
        earlier_screening_ended_on=date.fromisoformat(was.endings[-1].on),
    )


def _corrected(was: Participant, data: ScreeningData) -> Participant:
    """An assessment that rested on another age or sex no longer stands."""
    same_person = (data.birth_month, data.sex) == (was.data.birth_month, was.data.sex)
    return replace(was, data=data, assessment=was.assessment if same_person else None)


EndingEvent = (
    ConsentWithdrawn
    | ScreeningFailed
    | TreatmentDiscontinued
    | ParticipantLostToFollowUp
    | FollowUpCompleted
    | ParticipantDied
)


def _ended(was: Participant, event: EndingEvent, on: str) -> Participant:
    return replace(was, endings=(*was.endings, Ending(event.status, on, event.disposition)))
