"""Consent: whose is needed at which age, what is on record, and what is lacking.

A minor's guardian consents, and from the protocol's age on the child assents beside the guardian; from the age of
majority the participant consents, and the guardian's consent ends. Age is known by the month (see `age`): in the
month of the birthday that brings majority, both the guardian's and the participant's own consent are needed, and an
assent is asked for from the first day on which the child may have reached its age.
"""

from collections.abc import Iterable
from datetime import date
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from services.enrollment.domain.age import Age, age_on
from services.enrollment.domain.facts import (
    BeforeBirth,
    Facts,
    refuse_future_day,
)
from services.enrollment.domain.life import Consent, Participant, part_of
from shared.contracts.enrollment import ConsentCorrected, ConsentObtained, ParticipantEvent
from shared.contracts.enrollment_terms import (
    ConsentGap,
    ConsentKind,
    ConsentOccasion,
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


class NoSuchConsent(NotFound):
    """No consent is on record under this number."""


class ConsentNotValid(Conflict):
    """On the day in question the consent lacked something; the message says what."""


def consents_needed(age: Age, protocol: Protocol) -> frozenset[ConsentKind]:
    """The kinds of consent that a participant of this age needs."""
    majority = protocol.consent.majority_age_years.value
    needed = set()
    if age.at_least < majority:
        needed.add(ConsentKind.GUARDIAN)
    if age.at_most >= majority:
        needed.add(ConsentKind.OWN)
    elif age.at_most >= protocol.consent.assent_from_age_years.value:
        needed.add(ConsentKind.ASSENT)
    return frozenset(needed)


def consent_gaps(participant: Participant, on: date, protocol: Protocol) -> tuple[ConsentGap, ...]:
    """What the participant's consent lacks on a day, in a stable order; empty if it is valid.

    Consents count from the day on which they were obtained, and as long as the protocol does not require a newer
    version of their document. Where the protocol does not ask for a new consent at majority, the guardian's goes on.
    """
    born = participant.data.birth_month
    given = [consent for consent in participant.consents if consent.obtained_on <= on]
    needed = consents_needed(age_on(born, on), protocol)
    if not protocol.consent.reconsent_at_majority.value and _consented_as_a_minor(given, born, protocol):
        needed = needed - {ConsentKind.OWN} | {ConsentKind.GUARDIAN}
    gaps = (_gap(kind, given, on, protocol) for kind in ConsentKind if kind in needed)
    return tuple(gap for gap in gaps if gap is not None)


def _consented_as_a_minor(given: Iterable[Consent], born: str, protocol: Protocol) -> bool:
    majority = protocol.consent.majority_age_years.value
    return any(
        consent.kind is ConsentKind.GUARDIAN and age_on(born, consent.obtained_on).at_most < majority
        for consent in given
    )


def _gap(kind: ConsentKind, given: Iterable[Consent], on: date, protocol: Protocol) -> ConsentGap | None:
    versions = [consent.document_version for consent in given if consent.kind is kind]
    missing, outdated = _GAPS[kind]
    if not versions:
        return missing
    suffices = sufficient_versions(kind, on, protocol)
    return None if suffices is None or suffices.intersection(versions) else outdated


_GAPS = {
    ConsentKind.GUARDIAN: (ConsentGap.GUARDIAN_CONSENT_MISSING, ConsentGap.GUARDIAN_CONSENT_OUTDATED),
    ConsentKind.ASSENT: (ConsentGap.ASSENT_MISSING, ConsentGap.ASSENT_OUTDATED),
    ConsentKind.OWN: (ConsentGap.OWN_CONSENT_MISSING, ConsentGap.OWN_CONSENT_OUTDATED),
}


def sufficient_versions(kind: ConsentKind, on: date, protocol: Protocol) -> frozenset[str] | None:
    """The versions of a document on which a consent suffices on a day: the one in force and those after it.

    None where the protocol lists no document of this kind: then any version suffices.
    """
    listed = [document for document in protocol.consent.documents if document.kind.value == kind.value]
    if not listed:
        return None
    in_force = [
        place for place, document in enumerate(listed) if document.required_from is None or document.required_from <= on
    ]
    start = in_force[-1] if in_force else 0
    return frozenset(document.version for document in listed[start:])


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
