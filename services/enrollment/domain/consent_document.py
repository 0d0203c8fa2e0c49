"""The consent forms of a site: what its ethics committee approved, when, in which languages, and from when it is used.

A version of a form is known by its kind and version. What consents on it cover is in `shared.consent.documents`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self, assert_never
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, model_validator

from services.enrollment.domain.facts import InTheFuture
from shared.consent import documents
from shared.consent.documents import Document, Documents
from shared.contracts.enrollment_consent import (
    ConsentDocumentApproved,
    ConsentDocumentCorrected,
    ConsentDocumentEvent,
    ConsentDocumentWithdrawn,
)
from shared.contracts.enrollment_terms import ConsentKind, Language
from shared.contracts.terms import Code, Day, Flag, Reason, SiteId
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, NotFound
from shared.protocol import Protocol

MOST_LANGUAGES = 20
EXAMPLE: dict[str, Any] = {
    "kind": "guardian",
    "document_version": "ICF 2.0",
    "languages": ["th", "en"],
    "approved_on": "2026-02-10",
    "effective_from": "2026-03-01",
    "reconsent_required": True,
    "grace_days": 60,
}


class DocumentDetails(Command):
    """One version of a form: for whom, in which languages, when it was approved and from when it is used."""

    kind: ConsentKind
    document_version: Code
    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=MOST_LANGUAGES)]
    approved_on: Day = Field(description="by the site's ethics committee")
    effective_from: Day = Field(description="the first day on which the site uses it; may lie ahead")
    reconsent_required: Flag = Field(description="whether who consented on an older version consents anew")
    grace_days: int | None = Field(
        None, strict=True, ge=0, le=366, description="days to consent anew; left out: as the protocol says"
    )

    @model_validator(mode="after")
    def _is_used_once_it_is_approved(self) -> Self:
        if self.effective_from < self.approved_on:
            raise ValueError("effective_from lies before approved_on: a form is used once it is approved")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("languages: each once")
        return self


class RecordConsentDocument(DocumentDetails):
    """Put a version of a consent form of the site on record."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})


class CorrectConsentDocument(DocumentDetails):
    """Put right what is on record of a version, named by kind and version: send all of it, as it should have been."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**EXAMPLE, "grace_days": 30, "reason": "The committee allows 30 days"}]}
    )

    reason: Reason


class WithdrawConsentDocument(Command):
    """Take back a version that never was one of the site's. Consents on it stay on record."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "guardian", "document_version": "ICF 2.0", "reason": "Entered for another site"},
            ]
        }
    )

    kind: ConsentKind
    document_version: Code
    reason: Reason


DocumentCommand = RecordConsentDocument | CorrectConsentDocument | WithdrawConsentDocument


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """Whose documents, and what a decision about them may know."""

    site_id: SiteId
    time_zone: str
    now: datetime
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class SiteDocuments:
    """The documents that count, and which were taken back."""

    listed: Documents = ()
    withdrawn: frozenset[tuple[ConsentKind, str]] = frozenset()

    def find(self, kind: ConsentKind, version: str) -> Document | None:
        return next((each for each in self.listed if (each.kind, each.document_version) == (kind, version)), None)


class ConsentDocumentOnRecord(AlreadyExists):
    """This version of the form is on record with other data; correct it."""


class NoSuchConsentDocument(NotFound):
    """The site has no such version of the form on record."""


def evolve(state: SiteDocuments, event: ConsentDocumentEvent) -> SiteDocuments:
    key = (event.kind, event.document_version)
    listed = documents.evolve(state.listed, event)
    if isinstance(event, ConsentDocumentWithdrawn):
        return SiteDocuments(listed, state.withdrawn | {key})
    return SiteDocuments(listed, state.withdrawn - {key})


def decide(command: DocumentCommand, state: SiteDocuments, facts: DocumentFacts) -> list[ConsentDocumentEvent]:
    known = state.find(command.kind, command.document_version)
    match command:
        case RecordConsentDocument():
            return _record(command, known, facts)
        case CorrectConsentDocument():
            return _correct(command, known, facts)
        case WithdrawConsentDocument():
            return _withdraw(command, known, state, facts)
        case _:
            assert_never(command)


def _record(command: RecordConsentDocument, known: Document | None, facts: DocumentFacts) -> list[ConsentDocumentEvent]:
    told = _told(command, facts)
    if known is None:
        _refuse_future(command.approved_on, facts)
        return [ConsentDocumentApproved(**told)]
    if known == _document(told):
        return []
    raise ConsentDocumentOnRecord("this version is on record with other data: correct it, with a reason")


def _correct(
    command: CorrectConsentDocument, known: Document | None, facts: DocumentFacts
) -> list[ConsentDocumentEvent]:
    told = _told(command, facts)
    if known is None:
        raise NoSuchConsentDocument("the site has no such version of the form on record")
    if known == _document(told):
        return []
    _refuse_future(command.approved_on, facts)
    return [ConsentDocumentCorrected(**told, reason=command.reason)]


def _withdraw(
    command: WithdrawConsentDocument, known: Document | None, state: SiteDocuments, facts: DocumentFacts
) -> list[ConsentDocumentEvent]:
    if known is None and (command.kind, command.document_version) in state.withdrawn:
        return []
    if known is None:
        raise NoSuchConsentDocument("the site has no such version of the form on record")
    return [ConsentDocumentWithdrawn(site_id=facts.site_id, **command.model_dump())]


def _told(command: DocumentDetails, facts: DocumentFacts) -> dict[str, Any]:
    """The document as it goes on record; the protocol says what the site does not."""
    told = command.model_dump(exclude={"reason"})
    if command.grace_days is None:
        told["grace_days"] = facts.protocol.consent.reconsent_grace_days.value
    return {**told, "site_id": facts.site_id}


def _document(told: dict[str, Any]) -> Document:
    return Document(**{name: told[name] for name in Document.__dataclass_fields__})


def _refuse_future(approved_on: date, facts: DocumentFacts) -> None:
    if approved_on > (facts.now + CLOCK_SKEW).astimezone(ZoneInfo(facts.time_zone)).date():
        raise InTheFuture("approved_on lies in the future; send the date on which the committee approved")


DECIDER: Decider[DocumentCommand, SiteDocuments, DocumentFacts, ConsentDocumentEvent] = Decider(
    "consent-documents", SiteDocuments(), evolve, decide
)
