"""The commands and questions about the consent forms of a site."""

from uuid import UUID

from services.enrollment.application import Enrollment
from services.enrollment.domain.consent_document import (
    DECIDER,
    CorrectConsentDocument,
    DocumentCommand,
    DocumentFacts,
    NoSuchConsentDocument,
    SiteDocuments,
    WithdrawConsentDocument,
)
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.events import Envelope
from shared.telemetry import tracing


class ConsentDocuments:
    """What the routes of consent documents call. A site that the actor does not act for does not exist for them."""

    def __init__(self, enrollment: Enrollment, store: EventStore, clock: Clock) -> None:
        self._enrollment = enrollment
        self._store = store
        self._clock = clock

    async def keep(
        self, site_id: str, command: DocumentCommand, *, command_id: UUID, by: Actor, expected: int | None = None
    ) -> Receipt:
        """Put a document on record, or put right what is: then on the version that its sender has seen.

        Raises:
            NoSuchSite, NoSuchConsentDocument, ConsentDocumentOnRecord, InTheFuture.
        """
        site, _ = await self._enrollment.site(site_id, by=by)
        if isinstance(command, CorrectConsentDocument | WithdrawConsentDocument):
            await self._ensure_known(site_id, command)
        facts = DocumentFacts(site_id, site.time_zone, self._clock(), self._enrollment.protocol)
        recording = tracing.recording(
            by, at=facts.now, subject=site_id, command_id=command_id, reason=command.stated_reason
        )
        return await self._store.execute(DECIDER, site_id, command, facts, recording, expected=expected)

    async def of(self, site_id: str, *, by: Actor) -> tuple[SiteDocuments, int]:
        await self._enrollment.site(site_id, by=by)
        return await self._store.load(DECIDER, site_id)

    async def history(self, site_id: str, *, by: Actor) -> list[Envelope]:
        await self._enrollment.site(site_id, by=by)
        return await self._store.history(DECIDER.stream(site_id))

    async def _ensure_known(self, site_id: str, command: CorrectConsentDocument | WithdrawConsentDocument) -> None:
        """What does not exist is not found, whichever version the caller names."""
        state, _ = await self._store.load(DECIDER, site_id)
        key = (command.kind, command.document_version)
        if state.find(*key) is None and key not in state.withdrawn:
            raise NoSuchConsentDocument("the site has no such version of the form on record")
