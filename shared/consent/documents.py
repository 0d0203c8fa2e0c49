"""The consent forms of one site: which versions there are, and on which a consent still suffices.

Source: ICH E6(R3) 2.8: consent is given on the version that the ethics committee approved, and anew where new
information may matter to the participant's willingness to go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shared.contracts.enrollment_consent import (
    ConsentDocumentApproved,
    ConsentDocumentCorrected,
    ConsentDocumentEvent,
    ConsentDocumentWithdrawn,
)
from shared.contracts.enrollment_terms import ConsentKind


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a form at a site."""

    kind: ConsentKind
    document_version: str
    languages: tuple[str, ...]
    approved_on: date
    effective_from: date
    reconsent_required: bool
    grace_days: int

    @property
    def required_from(self) -> date | None:
        """From when on a consent on an older version is outdated; None: it never is."""
        return self.effective_from + timedelta(days=self.grace_days) if self.reconsent_required else None

    def may_be_signed(self, on: date, language: str) -> bool:
        return self.approved_on <= on and self.effective_from <= on and language in self.languages


Documents = tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms that a participant's consent goes by, day by day: those of the site at which they were.

    `former`: of each site before, in order, with the day of the transfer, from which on they count no more.
    """

    present: Documents = ()
    former: tuple[tuple[date, Documents], ...] = ()

    def on(self, day: date) -> Documents:
        return next((documents for until, documents in self.former if day < until), self.present)

    @property
    def turns(self) -> set[date]:
        """The days from which another form may be asked for."""
        listed = (*self.present, *(each for _, documents in self.former for each in documents))
        asked = {each.required_from for each in listed if each.required_from is not None}
        return asked | {until for until, _ in self.former}


NO_FORMS = Forms()


def evolve(documents: Documents, event: ConsentDocumentEvent) -> Documents:
    """The documents in the order in which they take effect; of those of one day, in that of their approval."""
    others = tuple(each for each in documents if _key(each) != (event.kind, event.document_version))
    if isinstance(event, ConsentDocumentWithdrawn):
        return others
    return tuple(sorted((*others, _read(event)), key=lambda each: (each.effective_from, each.approved_on)))


def _key(document: Document) -> tuple[ConsentKind, str]:
    return document.kind, document.document_version


def _read(event: ConsentDocumentApproved | ConsentDocumentCorrected) -> Document:
    return Document(
        event.kind,
        event.document_version,
        event.languages,
        event.approved_on,
        event.effective_from,
        event.reconsent_required,
        event.grace_days,
    )


def of_kind(documents: Documents, kind: ConsentKind) -> Documents:
    return tuple(each for each in documents if each.kind is kind)


def still_suffices(version: str, obtained_on: date, on: date, documents: Sequence[Document]) -> bool:
    """Whether a consent on this version suffices on a day, by the documents of its kind.

    The days of grace are for those who consented before the newer version took effect. A version that the site does
    not list is older than all that it lists.
    """
    versions = [each.document_version for each in documents]
    newer = documents[versions.index(version) + 1 if version in versions else 0 :]
    return not any(
        each.required_from is not None and (on >= each.required_from or obtained_on >= each.effective_from)
        for each in newer
    )
