"""What enrollment tells the trial: sites, participants, consent, eligibility, infusions, and how a life in it ends.

Every event that moves a participant along carries `status`, the status from then on, so that a reader who only
wants to know where a participant stands copies that one field. `day_zero` is the instant from which the
protocol's schedule counts; it too stands in every event that may move it. Calendar dates are dates at the site, whose
time zone is in `ParticipantScreened`. Nothing here names a person: a birth is a month, a guardian is a relationship.
"""

from datetime import date

from shared.contracts.enrollment_anticancer_therapy import AnticancerTherapyEvent
from shared.contracts.enrollment_consent import ConsentLimitEvent
from shared.contracts.enrollment_exceptions import EligibilityExceptionEvent
from shared.contracts.enrollment_follow_up import FollowUpContactEvent
from shared.contracts.enrollment_lymphodepletion import LymphodepletionEvent
from shared.contracts.enrollment_terms import (
    ConsentGap,
    ConsentKind,
    ConsentOccasion,
    CriterionAnswer,
    Diagnosis,
    Disposition,
    Eligibility,
    Language,
    ParticipantStatus,
    Relationship,
    Route,
    ScreeningNumber,
    Sex,
    SubjectNumber,
    TimeZone,
)
from shared.contracts.terms import (
    BirthMonth,
    Code,
    Instant,
    Measurement,
    PartialDate,
    ParticipantId,
    ProtocolRef,
    Reason,
    ShortText,
    SiteId,
)
from shared.kernel.events import Event


class SiteOpened(Event, type="enrollment.site-opened", version=1):
    """A hospital takes part in the trial."""

    site_id: SiteId
    name: ShortText
    country: str
    time_zone: TimeZone


class SubjectNumberAllocated(Event, type="enrollment.subject-number-allocated", version=1):
    """A site gave its next number to a participant, in the same instant in which the participant was screened."""

    site_id: SiteId
    participant_id: ParticipantId
    sequence: int
    subject_number: SubjectNumber
    subject_label: Code | None


class ParticipantScreened(Event, type="enrollment.participant-screened", version=1):
    """A person entered screening for the first time and became a participant of the trial.

    `subject_label` is the pseudonym of another system, such as the USUBJID of a loaded study. `time_zone` is the
    site's, in which the calendar dates of this participant are meant.
    """

    participant_id: ParticipantId
    site_id: SiteId
    time_zone: TimeZone
    subject_number: SubjectNumber
    screening_number: ScreeningNumber
    subject_label: Code | None
    birth_month: BirthMonth
    sex: Sex
    diagnosis: Diagnosis
    diagnosis_text: ShortText | None
    screened_on: date
    status: ParticipantStatus


class ParticipantRescreened(Event, type="enrollment.participant-rescreened", version=1):
    """A participant who had left before enrolment entered screening again: consent and assessment begin anew."""

    participant_id: ParticipantId
    screening_number: ScreeningNumber
    screened_on: date
    status: ParticipantStatus


class ScreeningDataCorrected(Event, type="enrollment.screening-data-corrected", version=1):
    """What was recorded at screening was wrong; these are the values as they should have been from the start."""

    participant_id: ParticipantId
    birth_month: BirthMonth
    sex: Sex
    diagnosis: Diagnosis
    diagnosis_text: ShortText | None
    screened_on: date
    reason: Reason


class ConsentObtained(Event, type="enrollment.consent-obtained", version=1):
    """A guardian consented, a child assented, or a participant of full age consented, on one document."""

    participant_id: ParticipantId
    consent_number: int
    kind: ConsentKind
    relationship: Relationship | None
    document_version: Code
    language: Language
    obtained_on: date
    occasion: ConsentOccasion


class ConsentCorrected(Event, type="enrollment.consent-corrected", version=1):
    """The record of one consent was wrong; these are its values as they should have been from the start."""

    participant_id: ParticipantId
    consent_number: int
    kind: ConsentKind
    relationship: Relationship | None
    document_version: Code
    language: Language
    obtained_on: date
    reason: Reason


class ConsentWithdrawn(Event, type="enrollment.consent-withdrawn", version=1):
    """The guardian or the participant withdrew from the whole trial. What was collected stays; collection stops."""

    participant_id: ParticipantId
    withdrawn_on: date
    disposition: Disposition
    status: ParticipantStatus


class EligibilityAssessed(Event, type="enrollment.eligibility-assessed", version=1):
    """Every criterion of the protocol was answered, and the answers together gave an outcome."""

    participant_id: ParticipantId
    screening_number: ScreeningNumber
    assessed_on: date
    outcome: Eligibility
    answers: tuple[CriterionAnswer, ...]
    protocol: ProtocolRef


class ScreeningFailed(Event, type="enrollment.screening-failed", version=1):
    """A screening ended without enrolment. `unmet` are the criteria that its last assessment found not met."""

    participant_id: ParticipantId
    screening_number: ScreeningNumber
    failed_on: date
    unmet: tuple[Code, ...]
    disposition: Disposition
    status: ParticipantStatus


class ParticipantEnrolled(Event, type="enrollment.participant-enrolled", version=1):
    """A participant with valid consent was enrolled: eligible, or by an exception for `criteria_excepted`, not met."""

    participant_id: ParticipantId
    site_id: SiteId
    subject_number: SubjectNumber
    enrolled_on: date
    dose_level: Code | None
    criteria_excepted: tuple[Code, ...]
    status: ParticipantStatus
    protocol: ProtocolRef


class DoseLevelReassigned(Event, type="enrollment.dose-level-reassigned", version=1):
    """Somebody enrolled and not infused has a slot at another dose level now, as after a de-escalation: that counts."""

    participant_id: ParticipantId
    from_level: Code | None
    dose_level: Code
    protocol: ProtocolRef


class CellsInfused(Event, type="enrollment.cells-infused", version=1):
    """A participant received the product. `day_zero` is the instant from which the schedule counts from now on.

    Cells are viable CAR-positive T cells. Lot, weight and cells are absent only in trials of another product.
    `consent_gaps` is what the consent lacked on the day of the infusion; an infusion given is on record all the same.
    """

    participant_id: ParticipantId
    site_id: SiteId
    infusion_number: int
    started_at: Instant
    ended_at: Instant
    route: Route
    lot: Code | None
    weight_kg: Measurement | None
    cells_per_kg: Measurement | None
    total_car_positive_cells: Measurement | None
    day_zero: Instant
    consent_gaps: tuple[ConsentGap, ...]
    status: ParticipantStatus
    protocol: ProtocolRef


class InfusionCorrected(Event, type="enrollment.infusion-corrected", version=1):
    """The record of one infusion was wrong; these are its values as they should have been from the start."""

    participant_id: ParticipantId
    infusion_number: int
    started_at: Instant
    ended_at: Instant
    route: Route
    lot: Code | None
    weight_kg: Measurement | None
    cells_per_kg: Measurement | None
    total_car_positive_cells: Measurement | None
    day_zero: Instant
    consent_gaps: tuple[ConsentGap, ...]
    reason: Reason
    protocol: ProtocolRef


class InfusionRetracted(Event, type="enrollment.infusion-retracted", version=1):
    """The last infusion on record never took place, as when it was entered for the wrong participant."""

    participant_id: ParticipantId
    infusion_number: int
    day_zero: Instant | None
    reason: Reason
    status: ParticipantStatus
    protocol: ProtocolRef


class TreatmentDiscontinued(Event, type="enrollment.treatment-discontinued", version=1):
    """No further infusion will be given; follow-up goes on."""

    participant_id: ParticipantId
    discontinued_on: PartialDate
    disposition: Disposition
    status: ParticipantStatus


class ParticipantLostToFollowUp(Event, type="enrollment.participant-lost-to-follow-up", version=1):
    """The site can no longer reach the participant; `last_contact_on` is the last day it did."""

    participant_id: ParticipantId
    last_contact_on: PartialDate
    disposition: Disposition
    status: ParticipantStatus


class FollowUpCompleted(Event, type="enrollment.follow-up-completed", version=1):
    """The participant completed the follow-up that the protocol asks for."""

    participant_id: ParticipantId
    completed_on: PartialDate
    disposition: Disposition
    status: ParticipantStatus


class ParticipantDied(Event, type="enrollment.participant-died", version=1):
    """The participant died (CDISC DM.DTHDTC), on a date as far as it is known. Follow-up ends."""

    participant_id: ParticipantId
    died_on: PartialDate
    disposition: Disposition
    status: ParticipantStatus


class DiscontinuationRetracted(Event, type="enrollment.discontinuation-retracted", version=1):
    """The latest ending on record was an error, or no longer holds, as when a lost participant is found again."""

    participant_id: ParticipantId
    retracted: ParticipantStatus
    reason: Reason
    status: ParticipantStatus


class ParticipantTransferred(Event, type="enrollment.participant-transferred", version=1):
    """A participant is cared for at another site from now on: its people see and record, those of the former do not.

    Subject number and everything on record stay. Calendar dates are the new site's from then on.
    """

    participant_id: ParticipantId
    from_site: SiteId
    site_id: SiteId
    time_zone: TimeZone
    transferred_on: date
    reason: Reason


SiteEvent = SiteOpened | SubjectNumberAllocated
LaterParticipantEvent = (
    ParticipantRescreened
    | ScreeningDataCorrected
    | ParticipantTransferred
    | ConsentObtained
    | ConsentCorrected
    | ConsentWithdrawn
    | ConsentLimitEvent
    | EligibilityAssessed
    | EligibilityExceptionEvent
    | ScreeningFailed
    | ParticipantEnrolled
    | DoseLevelReassigned
    | CellsInfused
    | InfusionCorrected
    | InfusionRetracted
    | LymphodepletionEvent
    | AnticancerTherapyEvent
    | FollowUpContactEvent
    | TreatmentDiscontinued
    | ParticipantLostToFollowUp
    | FollowUpCompleted
    | ParticipantDied
    | DiscontinuationRetracted
)
ParticipantEvent = ParticipantScreened | LaterParticipantEvent
