"""The commands and questions about alerts: gathers the facts that a decision may not fetch, then decides."""

from datetime import datetime
from uuid import UUID

from services.safety import references
from services.safety.domain import adverse_event
from services.safety.domain.notices import alert
from services.safety.domain.notices.alert import AcknowledgeAlert, NoSuchAlert, ResendAlert
from services.safety.domain.notices.escalation import present_level
from services.safety.notices.memory import Try, tries_of
from shared.contracts.safety import SeriousAdverseEventIdentified
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.events import Envelope
from shared.protocol import AlertLevel
from shared.telemetry import tracing


class Alerts:
    """What the routes of alerts call. An alert of a site that the actor may not see does not exist for them."""

    def __init__(self, db: Database, store: EventStore, clock: Clock, levels: tuple[AlertLevel, ...]) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._levels = levels

    async def acknowledge(self, alert_id: str, command: AcknowledgeAlert, *, by: Actor, command_id: UUID) -> Receipt:
        """Take an alert in hand. No version is expected: a delivery recorded meanwhile changes nothing about it."""
        return await self._carry_out(alert_id, command, by, command_id)

    async def resend(self, alert_id: str, command: ResendAlert, *, by: Actor, command_id: UUID) -> Receipt:
        """Have everybody of the alert's present level told once more."""
        return await self._carry_out(alert_id, command, by, command_id)

    async def alert(self, alert_id: str, *, by: Actor) -> tuple[SeriousAdverseEventIdentified, list[Envelope]]:
        """An alert as it was raised, and what has happened to it since."""
        raised, _ = await self._raised(alert_id, by)
        return raised, await self._store.history(alert.DECIDER.stream(alert_id))

    async def deliveries(self, alert_id: str, *, by: Actor) -> list[Try]:
        """The latest tries to tell somebody of an alert, the newest first."""
        await self._raised(alert_id, by)
        return await tries_of(self._db, alert_id)

    async def _carry_out(
        self, alert_id: str, command: AcknowledgeAlert | ResendAlert, by: Actor, command_id: UUID
    ) -> Receipt:
        raised, raised_at = await self._raised(alert_id, by)
        now = self._clock()
        level = present_level(self._levels, raised_at, now)
        facts = alert.Facts(alert_id, raised.adverse_event_id, raised.participant_id, level)
        frame = tracing.recording(by, at=now, subject=raised.participant_id, command_id=command_id)
        return await self._store.execute(alert.DECIDER, alert_id, command, facts, frame)

    async def _raised(self, alert_id: str, by: Actor) -> tuple[SeriousAdverseEventIdentified, datetime]:
        """An alert as it was raised, which its adverse event's stream tells, and when."""
        stream = adverse_event.DECIDER.stream(alert.event_of(alert_id))
        participant = await references.participant_of(self._db, stream)
        if participant is not None and by.may_see(participant.site_id):
            for envelope in await self._store.history(stream):
                event = envelope.event()
                if isinstance(event, SeriousAdverseEventIdentified) and event.alert_id == alert_id:
                    return event, envelope.recorded_at
        raise NoSuchAlert("no alert has this id, or none at your sites")
