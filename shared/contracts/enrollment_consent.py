"""What enrollment tells the trial of consent documents, and of consent that was withdrawn in part.

A document is known at its site by kind and version. Source: ICH E6(R3) 2.8 (informed consent, the version that the
ethics committee approved, consent anew on new information) and ICH E11(R1) (assent, consent on coming of age).
"""

from datetime import date

from shared.contracts.enrollment_terms import ConsentKind, ConsentScope, Disposition, Language
from shared.contracts.terms import Code, ParticipantId, Reason, SiteId
from shared.kernel.events import Event


class ConsentDocumentApproved(Event, type="enrollment.consent-document-approved", version=1):
    """An ethics committee approved a version of a consent form for a site; the site uses it from `effective_from` on.

    Where `reconsent_required`, who consented on an older version consents anew within `grace_days` of that day.
    """

    site_id: SiteId
    kind: ConsentKind
    document_version: Code
    languages: tuple[Language, ...]
    approved_on: date
    effective_from: date
    reconsent_required: bool
    grace_days: int


class ConsentDocumentCorrected(Event, type="enrollment.consent-document-corrected", version=1):
    """What was recorded of a document was wrong; these are its values as they should have been from the start."""

    site_id: SiteId
    kind: ConsentKind
    document_version: Code
    languages: tuple[Language, ...]
    approved_on: date
    effective_from: date
    reconsent_required: bool
    grace_days: int
    reason: Reason


class ConsentDocumentWithdrawn(Event, type="enrollment.consent-document-withdrawn", version=1):
    """A document is no longer one of the site's, as when it was entered for another site."""

    site_id: SiteId
    kind: ConsentKind
    document_version: Code
    reason: Reason


class ConsentLimited(Event, type="enrollment.consent-limited", version=1):
    """Consent was withdrawn from a part of the trial: the participant stays in the trial for the rest."""

    participant_id: ParticipantId
    scopes: tuple[ConsentScope, ...]
    withdrawn_on: date
    disposition: Disposition


class ConsentRestored(Event, type="enrollment.consent-restored", version=1):
    """A part of the trial is consented to again from a day on; without a day, it was never withdrawn."""

    participant_id: ParticipantId
    scopes: tuple[ConsentScope, ...]
    restored_on: date | None
    reason: Reason


ConsentDocumentEvent = ConsentDocumentApproved | ConsentDocumentCorrected | ConsentDocumentWithdrawn
ConsentLimitEvent = ConsentLimited | ConsentRestored
