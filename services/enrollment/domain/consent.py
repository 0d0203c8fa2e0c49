"""Consent: how consents come on record, and are put right. What they cover is in `shared.consent`."""

from datetime import date
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from services.enrollment.domain.facts import (
    BeforeBirth,
    Facts,
    refuse_future_day,
)
from services.enrollment.domain.life import Participant, part_of
from shared.consent.age import age_on
from shared.consent.coverage import Coverage
from shared.consent.documents import NO_FORMS, Forms, of_kind
from shared.consent.record import Consent
from shared.contracts.enrollment import ConsentCorrected, ConsentObtained, ParticipantEvent
from shared.contracts.enrollment_terms import (
    ConsentGap,
    ConsentKind,
    ConsentOccasion,
    ConsentScope,
    Language,
    Relationship,
)
from shared.contracts.terms import Code, Day, Reason
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, NotFound, Unacceptable
from shared.protocol import Protocol


class ConsentDetails(Command):
    """Who agreed, on which version of the document, in which language, and when. Nobody's name."""

    kind: ConsentKind
    relationship: Relationship | None = Field(None, description="of the guardian to the child; for a guardian alone")
    document_version: Code
    language: Language
    obtained_on: Day

    @model_validator(mode="after")
    def _a_guardian_has_a_relationship(self) -> Self:
        if (self.kind is ConsentKind.GUARDIAN) != (self.relationship is not None):
            raise ValueError("relationship is given with a guardian's consent, and only there")
        return self


class ObtainConsent(ConsentDetails):
    """Record that a guardian consented, a child assented, or a participant of full age consented."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "guardian",
                    "relationship": "mother",
                    "document_version": "ICF 2.0",
                    "language": "th",
                    "obtained_on": "2026-03-02",
                }
            ]
        }
    )


class CorrectConsent(ConsentDetails):
    """Correct the record of one consent, counted from 1 within the present screening."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "consent_number": 1,
                    "kind": "guardian",
                    "relationship": "grandparent",
                    "document_version": "ICF 2.0",
                    "language": "th",
                    "obtained_on": "2026-03-02",
                    "reason": "Relationship mistaken at entry",
                }
            ]
        }
    )

    consent_number: int = Field(strict=True, ge=1)
    reason: Reason


class NotTheirsToGive(Unacceptable):
    """At the participant's age on that day, this kind of consent is not what the law asks for."""


class DocumentNotApproved(Conflict):
    """The site used no such version, or not in this language, on that day."""


class NoSuchConsent(NotFound):
    """No consent is on record under this number."""


class ConsentNotValid(Conflict):
    """On the day in question the consent lacked something; the message says what."""


def consent_of(participant: Participant, facts: Facts) -> Coverage:
    return Coverage(participant.consent, facts.protocol, facts.forms)


def consent_gaps(
    participant: Participant, on: date, protocol: Protocol, forms: Forms = NO_FORMS
) -> tuple[ConsentGap, ...]:
    """What consent to treatment and follow-up lacks on a day, by the forms of the site or the protocol."""
    return Coverage(participant.consent, protocol, forms).gaps(on, ConsentScope.TREATMENT, ConsentScope.FOLLOW_UP)


def obtain(command: ObtainConsent, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    consent = part_of(Consent, command)
    _check(consent, participant, facts)
    return [
        ConsentObtained(
            participant_id=participant.participant_id,
            consent_number=len(participant.consents) + 1,
            occasion=_occasion(consent, participant),
            **command.model_dump(),
        )
    ]


def _occasion(consent: Consent, participant: Participant) -> ConsentOccasion:
    """Why now: the first of its kind, unless it follows a guardian's because the participant came of age."""
    earlier = [other for other in participant.consents if other.kind is consent.kind]
    if not earlier:
        came_of_age = consent.kind is ConsentKind.OWN and participant.consents
        return ConsentOccasion.CAME_OF_AGE if came_of_age else ConsentOccasion.INITIAL
    same = any(other.document_version == consent.document_version for other in earlier)
    return ConsentOccasion.RENEWED if same else ConsentOccasion.NEWER_DOCUMENT


def correct(command: CorrectConsent, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    if command.consent_number > len(participant.consents):
        raise NoSuchConsent(f"there is no consent {command.consent_number} in the present screening")
    consent = part_of(Consent, command)
    if participant.consents[command.consent_number - 1] == consent:
        return []
    _check(consent, participant, facts)
    return [ConsentCorrected(participant_id=participant.participant_id, **command.model_dump())]


def _check(consent: Consent, participant: Participant, facts: Facts) -> None:
    refuse_future_day(consent.obtained_on.isoformat(), facts, participant.zone)
    born = participant.data.birth_month
    if consent.obtained_on.isoformat()[:7] < born:
        raise BeforeBirth("obtained_on lies before the participant's month of birth")
    age, majority = age_on(born, consent.obtained_on), facts.protocol.consent.majority_age_years.value
    if consent.kind is ConsentKind.OWN and age.at_most < majority:
        raise NotTheirsToGive(f"under {majority} years the guardian consents and the child assents")
    if consent.kind is not ConsentKind.OWN and age.at_least >= majority:
        raise NotTheirsToGive(f"from {majority} years on the participant consents: send kind `own`")
    _refuse_unapproved(consent, facts)


def _refuse_unapproved(consent: Consent, facts: Facts) -> None:
    """A site that has documents of this kind on record consents on one of them, once it is approved and in use."""
    listed = of_kind(facts.forms.on(consent.obtained_on), consent.kind)
    known = [each for each in listed if each.document_version == consent.document_version]
    if listed and not any(each.may_be_signed(consent.obtained_on, consent.language) for each in known):
        raise DocumentNotApproved(
            "on obtained_on this version was not approved and in use at the site in this language; see the site's "
            "consent documents: send the version that was signed, or put its dates right there"
        )
