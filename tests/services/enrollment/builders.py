"""A child of CMD03 at every point of its life in the trial, and the commands and events that led there.

Builders name only what matters to a test; everything else is the usual course of one participant.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

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
from services.enrollment.domain.facts import Facts, Placement
from services.enrollment.domain.follow_up_contact import RecordFollowUpContact, RetractFollowUpContact
from services.enrollment.domain.infusion import CorrectInfusion, RecordInfusion, RetractInfusion
from services.enrollment.domain.life import Participant
from services.enrollment.domain.lymphodepletion import (
    CorrectLymphodepletion,
    RecordLymphodepletion,
    RetractLymphodepletion,
)
from services.enrollment.domain.participant import DECIDER, ParticipantCommand
from services.enrollment.domain.screening import (
    CorrectScreeningData,
    EnrolParticipant,
    RescreenParticipant,
    ScreenParticipant,
)
from services.enrollment.domain.transfer import TransferParticipant
from services.enrollment.domain.withdrawal import RestoreConsent
from shared.contracts.enrollment import ParticipantEvent
from shared.contracts.enrollment_terms import Evidence
from shared.kernel.actor import Actor, Role
from shared.protocol import Protocol, load_protocol
from tests.specs import Spec

PROTOCOL = load_protocol()
WHO = UUID("018f2b1c-7c1e-7d3a-9a55-0a1b2c3d4e5f")
COURSE = UUID("018f2b2a-5b1e-7c3a-8a55-0a1b2c3d4e5f")
THERAPY = UUID("018f2b3c-5b1e-7c3a-8a55-0a1b2c3d4e5f")
CONTACT = UUID("018f2b3c-5b1e-7c3a-8a55-0a1b2c3d4e6f")
NOW = datetime(2027, 6, 1, 5, tzinfo=UTC)  # noon in Bangkok, long after the usual course
DOCTOR = Actor("dr-01", frozenset({Role.INVESTIGATOR}), None, Role.INVESTIGATOR)
FACTS = Facts(NOW, PROTOCOL, Placement(WHO, "Asia/Bangkok", "CU-001"), by=DOCTOR, receiving="Asia/Vientiane")
spec = Spec(DECIDER)


def facts(now: datetime = NOW, protocol: Protocol = PROTOCOL) -> Facts:
    return replace(FACTS, now=now, protocol=protocol)


def with_consent_settings(**settings: Any) -> Protocol:
    """CMD03 with other settings of consent; a plain value replaces that of a setting."""
    consent = PROTOCOL.consent
    given = {
        name: getattr(consent, name).model_copy(update={"value": value}) if name != "documents" else value
        for name, value in settings.items()
    }
    return PROTOCOL.model_copy(update={"consent": consent.model_copy(update=given)})


def evidence(**by_criterion: Any) -> dict[str, Evidence]:
    """What makes the usual child eligible, with what matters to a test replaced (AN_04={...}); None leaves it out."""
    usual: dict[str, Any] = {
        "CMD03-I3": {"choice": "POSITIVE"},
        "CMD03-I4": {"flag": True},
        "CMD03-I5": {"flag": True},
        "AN-01": {"number": "180", "unit": "{score}"},
        "AN-02": {"number": "80", "unit": "{score}"},
        "AN-03": {"number": "16", "unit": "wk"},
        "AN-04": {"number": "1.2", "unit": "{xULN}"},
        "AN-05": {"number": "0.9", "unit": "{xULN}"},
        "AN-06": {"number": "0.5", "unit": "{xULN}"},
        "AN-07": {"number": "0.7", "unit": "{xULN}"},
        "AN-08": {"number": "98", "unit": "%"},
        "AN-09": {"number": "21", "unit": "d"},
        "AN-10": {"never": True},
        "AN-11": {"never": True},
        "AN-12": {"number": "0", "unit": "mg/m2/d"},
        "AN-14": {"choice": "NOT_OF_CHILDBEARING_POTENTIAL", "observed_on": "2026-03-06"},
        "AN-15": {"flag": False},
        "AN-16": {"flag": False},
        "AN-17": {"never": True},
        "AN-18": {"flag": False},
    }
    given = usual | {name.replace("_", "-"): value for name, value in by_criterion.items()}
    return {name: Evidence.model_validate(value) for name, value in given.items() if value is not None}


def screening(**fields: Any) -> ScreenParticipant:
    usual = {
        "participant_id": WHO,
        "site_id": "CU",
        "birth_month": "2017-03",
        "sex": "F",
        "diagnosis": "neuroblastoma",
        "screened_on": "2026-03-02",
    }
    return ScreenParticipant.model_validate(usual | fields)


def data_correction(**fields: Any) -> CorrectScreeningData:
    usual = {
        "birth_month": "2017-04",
        "sex": "F",
        "diagnosis": "neuroblastoma",
        "screened_on": "2026-03-02",
        "reason": "The referral letter says April",
    }
    return CorrectScreeningData.model_validate(usual | fields)


def consent(kind: str = "guardian", **fields: Any) -> ObtainConsent:
    usual: dict[str, Any] = {
        "kind": kind,
        "relationship": "mother" if kind == "guardian" else None,
        "document_version": "2.0",
        "language": "th",
        "obtained_on": "2026-03-02",
    }
    return ObtainConsent.model_validate(usual | fields)


def consent_correction(number: int = 1, **fields: Any) -> CorrectConsent:
    corrected = consent(**({"obtained_on": "2026-03-03"} | fields)).model_dump()
    return CorrectConsent(**corrected, consent_number=number, reason="The form says the third")


def assessment(on: str = "2026-03-06", **by_criterion: Any) -> AssessEligibility:
    return AssessEligibility(assessed_on=date.fromisoformat(on), evidence=evidence(**by_criterion))


def transferral(to: str = "KKU", on: str = "2027-05-10") -> TransferParticipant:
    given = {"to_site": to, "transferred_on": on, "reason": "The family moved to Khon Kaen"}
    return TransferParticipant.model_validate(given)


def exception_request(*criteria: str) -> RequestEligibilityException:
    return RequestEligibilityException(criteria=criteria or ("AN-04",), reason="Metastases of the liver explain it")


def exception_decision(*, granted: bool = True) -> DecideEligibilityException:
    return DecideEligibilityException(granted=granted, reason="Agreed with the medical monitor")


def enrolment(on: str = "2026-03-09", dose_level: str | None = "DL1") -> EnrolParticipant:
    return EnrolParticipant(enrolled_on=date.fromisoformat(on), dose_level=dose_level)


def infusion(start: str = "2026-03-16T10:00:00+07:00", **fields: Any) -> RecordInfusion:
    usual = {
        "started_at": start,
        "ended_at": datetime.fromisoformat(start) + timedelta(minutes=20),
        "route": "intravenous",
        "lot": "CMD03-0007",
        "weight_kg": "18.5",
        "cells_per_kg": "500000",
        "total_car_positive_cells": "9250000",
    }
    return RecordInfusion.model_validate(usual | fields)


def infusion_correction(number: int = 1, **fields: Any) -> CorrectInfusion:
    corrected = infusion(**({"start": "2026-03-16T10:05:00+07:00"} | fields)).model_dump()
    return CorrectInfusion(**corrected, infusion_number=number, reason="Read off the pump log")


def infusion_retraction(number: int = 1) -> RetractInfusion:
    return RetractInfusion(infusion_number=number, reason="Entered for the wrong participant")


def drug_given(drug: str = "fludarabine", *days: str, **changed: Any) -> dict[str, Any]:
    usual = {"drug": drug, "dose": "30", "unit": "mg/m2", "route": "intravenous"}
    return {**usual, "days": days or ("2026-03-11", "2026-03-12", "2026-03-13"), **changed}


def lymphodepletion(**fields: Any) -> RecordLymphodepletion:
    """Two drugs five to three days before the infusion."""
    cyclophosphamide = drug_given("cyclophosphamide", "2026-03-11", "2026-03-12", dose="500")
    usual = {"lymphodepletion_id": COURSE, "drugs": (drug_given(), cyclophosphamide)}
    return RecordLymphodepletion.model_validate(usual | fields)


def lymphodepletion_correction(**fields: Any) -> CorrectLymphodepletion:
    corrected = lymphodepletion(**({"drugs": (drug_given(),)} | fields)).model_dump()
    return CorrectLymphodepletion(**corrected, reason="Cyclophosphamide was not given")


def lymphodepletion_retraction(key: UUID = COURSE) -> RetractLymphodepletion:
    return RetractLymphodepletion(lymphodepletion_id=key, reason="Entered for the wrong participant")


def therapy(started_on: str = "2026-05", **fields: Any) -> RecordAnticancerTherapy:
    """Two months after the infusion, as far as it is known."""
    usual = {"therapy_id": THERAPY, "kind": "radiotherapy", "started_on": started_on}
    return RecordAnticancerTherapy.model_validate(usual | fields)


def therapy_correction(started_on: str = "2026-05-11", **fields: Any) -> CorrectAnticancerTherapy:
    return CorrectAnticancerTherapy(**therapy(started_on, **fields).model_dump(), reason="The letter tells the day")


def therapy_retraction(key: UUID = THERAPY) -> RetractAnticancerTherapy:
    return RetractAnticancerTherapy(therapy_id=key, reason="Entered for the wrong participant")


def contact(contacted_on: str = "2026-05-11", **fields: Any) -> RecordFollowUpContact:
    """Two months after the infusion: sooner than the plan asks, and on record all the same."""
    usual = {"contact_id": CONTACT, "contacted_on": contacted_on, "way": "questionnaire"}
    return RecordFollowUpContact.model_validate(usual | {"late_events": {"new_malignancy": "no"}} | fields)


def contact_retraction(key: UUID = CONTACT) -> RetractFollowUpContact:
    return RetractFollowUpContact(contact_id=key, reason="Entered for the wrong participant")


def rescreening(on: str = "2026-05-04") -> RescreenParticipant:
    return RescreenParticipant(screened_on=date.fromisoformat(on))


def screen_failure(on: str = "2026-03-09", disposition: str = "PHYSICIAN DECISION") -> FailScreening:
    return FailScreening.model_validate({"failed_on": on, "disposition": disposition})


def off_treatment(on: str = "2026-04-20", disposition: str = "PROGRESSIVE DISEASE") -> DiscontinueTreatment:
    return DiscontinueTreatment.model_validate({"discontinued_on": on, "disposition": disposition})


def loss(on: str = "2026-06") -> RecordLossToFollowUp:
    return RecordLossToFollowUp(last_contact_on=on)


def withdrawal(on: str = "2026-05-20", by: str = "guardian") -> WithdrawConsent:
    return WithdrawConsent.model_validate({"withdrawn_on": on, "withdrawn_by": by})


def part_withdrawal(*scopes: str, on: str = "2026-05-20", by: str = "guardian") -> WithdrawConsent:
    return WithdrawConsent.model_validate({"withdrawn_on": on, "withdrawn_by": by, "scopes": scopes})


def restoration(*scopes: str, on: str | None = "2026-06-02") -> RestoreConsent:
    told = {"scopes": scopes or ("samples",), "restored_on": on, "reason": "The family allows it again"}
    return RestoreConsent.model_validate(told)


def completion(on: str = "2027-03-16") -> CompleteFollowUp:
    return CompleteFollowUp(completed_on=on)


def death(on: str = "2026-08") -> RecordDeath:
    return RecordDeath(died_on=on)


def retraction(status: str) -> RetractDiscontinuation:
    return RetractDiscontinuation.model_validate({"status": status, "reason": "Entered in error"})


def told(*commands: ParticipantCommand, under: Facts = FACTS) -> list[ParticipantEvent]:
    """The events that these commands lead to, one after the other."""
    history: list[ParticipantEvent] = []
    for command in commands:
        history += DECIDER.decide(command, DECIDER.fold(history), under)
    return history


def living(*commands: ParticipantCommand, under: Facts = FACTS) -> Participant:
    state = DECIDER.fold(told(*commands, under=under))
    assert isinstance(state, Participant)
    return state


CONSENTED = (screening(), consent(), consent("assent"))
ELIGIBLE = (*CONSENTED, assessment())
ENROLLED = (*ELIGIBLE, enrolment())
INFUSED = (*ENROLLED, infusion())

# One way to every status.
COURSES: dict[str, tuple[ParticipantCommand, ...]] = {
    "screening": ELIGIBLE,
    "screen-failed": (*CONSENTED, screen_failure()),
    "enrolled": ENROLLED,
    "infused": INFUSED,
    "off-treatment": (*INFUSED, off_treatment()),
    "lost-to-follow-up": (*INFUSED, loss()),
    "withdrawn": (*INFUSED, withdrawal()),
    "completed": (*INFUSED, completion()),
    "died": (*INFUSED, death()),
}
