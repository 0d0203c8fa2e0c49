"""One participant as the API shows it, folded from the participant's own events."""

from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.enrollment.domain.consent import consent_of
from services.enrollment.domain.facts import Facts
from services.enrollment.domain.infusion import day_zero
from services.enrollment.domain.life import AnticancerTherapy, Participant
from shared.contracts.enrollment_anticancer_therapy import TherapyKind
from shared.contracts.enrollment_follow_up import ContactWay, LateEvents
from shared.contracts.enrollment_lymphodepletion import DrugGiven
from shared.contracts.enrollment_terms import (
    ConsentGap,
    ConsentKind,
    ConsentScope,
    CriterionAnswer,
    Diagnosis,
    Disposition,
    Eligibility,
    ParticipantStatus,
    Relationship,
    Route,
    ScreeningNumber,
    Sex,
    SubjectNumber,
)
from shared.contracts.terms import BirthMonth, Instant, Measurement, PartialDate, ProtocolRef
from shared.protocol import Assessment, Protocol
from shared.protocol.schedule import calendar


class View(BaseModel):
    """Part of an answer, read from the attributes of the participant's state."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class ConsentView(View):
    """One consent of the present screening, counted from 1."""

    consent_number: int
    kind: ConsentKind
    relationship: Relationship | None
    document_version: str
    language: str
    obtained_on: date


class WithdrawalView(View):
    """Consent to a part of the trial, withdrawn; `restored_on` null: to this day."""

    scope: ConsentScope
    withdrawn_on: date
    restored_on: date | None


class AssessmentView(View):
    """The latest assessment of the present screening. `uncounted` are the criteria whose threshold nobody knows yet."""

    assessed_on: date
    outcome: Eligibility
    answers: tuple[CriterionAnswer, ...]
    uncounted: tuple[str, ...]
    protocol: ProtocolRef


class EligibilityExceptionView(View):
    """What an investigator asked to be excepted, and what the sponsor said; `granted` null: nothing yet."""

    answers: tuple[CriterionAnswer, ...]
    requested_by: str
    granted: bool | None
    decided_by: str | None


class EnrolmentView(View):
    enrolled_on: date
    dose_level: str | None


class LymphodepletionView(View):
    """One course of lymphodepletion, and the infusion that it prepares."""

    lymphodepletion_id: UUID
    prepares_infusion: int
    began_on: date
    first_dose_at: Instant | None
    drugs: tuple[DrugGiven, ...]


class InfusionView(View):
    """One infusion, counted from 1. Cells are viable CAR-positive T cells."""

    infusion_number: int
    started_at: Instant
    ended_at: Instant
    route: Route
    lot: str | None
    weight_kg: Measurement | None
    cells_per_kg: Measurement | None
    total_car_positive_cells: Measurement | None


class FollowUpContactView(View):
    """One contact of long-term follow-up."""

    contact_id: UUID
    contacted_on: date
    way: ContactWay
    late_events: LateEvents


class AnticancerTherapyView(View):
    """One new anticancer therapy, begun after the infusion."""

    therapy_id: UUID
    kind: TherapyKind
    started_on: PartialDate


class EndingView(View):
    status: ParticipantStatus
    on: PartialDate
    disposition: Disposition


class PlannedVisit(View):
    """A visit of the protocol, counted from day 0, in dates of the trial's time zone."""

    visit: str
    label: str
    nominal: date
    opens: date
    closes: date
    due: tuple[Assessment, ...]


class ParticipantView(View):
    """A participant, where they stand, and the schedule that follows from the infusion.

    `consent_gaps` is what the consent lacks today: not empty means that a consent is to be obtained anew.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "participant_id": "018f2b1c-7c1e-7d3a-9a55-0a1b2c3d4e5f",
                    "site_id": "CU",
                    "time_zone": "Asia/Bangkok",
                    "subject_number": "CU-001",
                    "screening_number": "CU-001-S1",
                    "subject_label": None,
                    "status": "screening",
                    "birth_month": "2017-03",
                    "sex": "F",
                    "diagnosis": "neuroblastoma",
                    "diagnosis_text": None,
                    "screened_on": "2026-03-02",
                    "consents": [],
                    "consent_withdrawals": [],
                    "consent_gaps": ["guardian-consent-missing", "assent-missing"],
                    "eligibility": None,
                    "eligibility_exception": None,
                    "enrolment": None,
                    "lymphodepletions": [],
                    "infusions": [],
                    "anticancer_therapies": [],
                    "follow_up_contacts": [],
                    "endings": [],
                    "day_zero": None,
                    "schedule": [],
                    "version": 1,
                }
            ]
        }
    )

    participant_id: UUID
    site_id: str
    time_zone: str
    subject_number: SubjectNumber
    screening_number: ScreeningNumber
    subject_label: str | None
    status: ParticipantStatus
    birth_month: BirthMonth
    sex: Sex
    diagnosis: Diagnosis
    diagnosis_text: str | None
    screened_on: date
    consents: tuple[ConsentView, ...]
    consent_withdrawals: tuple[WithdrawalView, ...]
    consent_gaps: tuple[ConsentGap, ...]
    eligibility: AssessmentView | None
    eligibility_exception: EligibilityExceptionView | None
    enrolment: EnrolmentView | None
    lymphodepletions: tuple[LymphodepletionView, ...]
    infusions: tuple[InfusionView, ...]
    anticancer_therapies: tuple[AnticancerTherapyView, ...]
    follow_up_contacts: tuple[FollowUpContactView, ...]
    endings: tuple[EndingView, ...] = Field(description="oldest first; the last one says where the participant stands")
    day_zero: Instant | None
    schedule: tuple[PlannedVisit, ...]
    version: int


def view_of(participant: Participant, version: int, facts: Facts) -> ParticipantView:
    """A participant as of `facts.now`, under the protocol as it is now."""
    zero = day_zero(participant.infusions, facts.protocol)
    data = participant.data
    return ParticipantView(
        participant_id=participant.participant_id,
        site_id=participant.site_id,
        time_zone=participant.time_zone,
        subject_number=participant.subject_number,
        screening_number=participant.screening_number,
        subject_label=participant.subject_label,
        status=participant.status,
        birth_month=data.birth_month,
        sex=data.sex,
        diagnosis=data.diagnosis,
        diagnosis_text=data.diagnosis_text,
        screened_on=data.screened_on,
        consents=tuple(
            ConsentView(consent_number=number, **asdict(consent))
            for number, consent in enumerate(participant.consents, start=1)
        ),
        consent_withdrawals=tuple(map(WithdrawalView.model_validate, participant.consent.present.withdrawals)),
        consent_gaps=consent_of(participant, facts).gaps(participant.day_of(facts.now), *ConsentScope),
        eligibility=_assessment(participant),
        eligibility_exception=EligibilityExceptionView.model_validate(participant.exception)
        if participant.exception
        else None,
        enrolment=EnrolmentView.model_validate(participant.enrolment) if participant.enrolment else None,
        lymphodepletions=tuple(
            LymphodepletionView(
                lymphodepletion_id=key,
                prepares_infusion=course.prepares_infusion,
                began_on=course.days[0],
                first_dose_at=course.first_dose_at,
                drugs=course.drugs,
            )
            for key, course in sorted(participant.lymphodepletions.items(), key=lambda known: known[1].days)
        ),
        infusions=tuple(
            InfusionView(infusion_number=number, **asdict(infusion))
            for number, infusion in enumerate(participant.infusions, start=1)
        ),
        anticancer_therapies=tuple(
            AnticancerTherapyView(therapy_id=key, **asdict(therapy))
            for key, therapy in sorted(participant.anticancer_therapies.items(), key=_by_start)
        ),
        follow_up_contacts=tuple(
            FollowUpContactView(
                contact_id=key, contacted_on=each.contacted_on, way=each.way, late_events=each.late_events
            )
            for key, each in sorted(
                participant.follow_up_contacts.items(), key=lambda known: (known[1].contacted_on, known[0])
            )
        ),
        endings=tuple(EndingView.model_validate(ending) for ending in participant.endings),
        day_zero=zero,
        schedule=_schedule(zero, facts.protocol),
        version=version,
    )


def _by_start(begun: tuple[UUID, AnticancerTherapy]) -> tuple[str, UUID]:
    return begun[1].started_on, begun[0]


def _assessment(participant: Participant) -> AssessmentView | None:
    assessed = participant.assessment
    if assessed is None:
        return None
    return AssessmentView(
        assessed_on=assessed.assessed_on,
        outcome=assessed.outcome,
        answers=assessed.answers,
        uncounted=tuple(answer.criterion_id for answer in assessed.answers if not answer.counts),
        protocol=assessed.protocol,
    )


def _schedule(zero: datetime | None, protocol: Protocol) -> tuple[PlannedVisit, ...]:
    if zero is None:
        return ()
    return tuple(
        PlannedVisit(
            visit=planned.visit.code,
            label=planned.visit.label,
            nominal=planned.nominal,
            opens=planned.opens,
            closes=planned.closes,
            due=planned.visit.due,
        )
        for planned in calendar(protocol, zero)
    )
