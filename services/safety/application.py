"""Adverse events: gathers the facts that a decision about one may not fetch, executes the decider, answers."""

from contextlib import suppress
from datetime import date
from uuid import UUID

from services.safety import definitions, references
from services.safety.definitions import Definitions
from services.safety.domain import adverse_event
from services.safety.domain.adverse_event import Change, Facts, NoSuchAdverseEvent, ReportAdverseEvent
from services.safety.domain.record import OnRecord, Retracted, State
from services.safety.references import Participant, Place
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.protocol.schedule import local_date
from shared.telemetry import tracing


class Safety:
    """What the routes of adverse events and CTCAE call. An event of a site that is not the actor's does not exist."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._places = references.Places(db)
        self._store = store
        self._protocol = protocol
        self._clock = clock

    @property
    def protocol(self) -> Protocol:
        return self._protocol

    async def definitions(self, meddra_code: str) -> list[Definitions]:
        """The wording of a CTCAE term in the editions that an operator has loaded."""
        return await definitions.definitions(self._db, meddra_code)

    async def report(self, command: ReportAdverseEvent, *, by: Actor) -> Receipt:
        place = await self._places.of(command.participant_id)
        if not by.may_see(place.site_id):
            raise NoSuchParticipant
        facts = self._facts(place)
        frame = tracing.recording(by, at=facts.now, subject=command.participant_id, command_id=command.adverse_event_id)
        return await self._store.execute(
            adverse_event.DECIDER, command.adverse_event_id, command, facts, frame, fresh=True
        )

    async def change(
        self, adverse_event_id: UUID, command: Change, *, by: Actor, expected: int, command_id: UUID
    ) -> Receipt:
        """Carry out any later command of an adverse event's life, on the version its sender has seen."""
        known = await self._store.known(adverse_event.DECIDER, adverse_event_id)
        participant_id, place = await self._about(known.state, by)
        facts = self._facts(place)
        frame = tracing.recording(
            by, at=facts.now, subject=participant_id, command_id=command_id, reason=command.stated_reason
        )
        return await self._store.execute(
            adverse_event.DECIDER, adverse_event_id, command, facts, frame, expected=expected, known=known
        )

    async def adverse_event(
        self, adverse_event_id: UUID, *, by: Actor
    ) -> tuple[OnRecord | Retracted, int, Participant]:
        """The event as it stands, its version, and what is known of its participant."""
        participant = await self._participant_of(adverse_event_id, by)
        state, version = await self._store.load(adverse_event.DECIDER, adverse_event_id)
        if not isinstance(state, OnRecord | Retracted):
            raise _unknown()
        return state, version, participant

    def infused_on(self, participant: Participant) -> date | None:
        """The day of the first infusion in the trial's time zone, as every reader of the trial counts days."""
        return None if participant.infused_at is None else local_date(self._protocol, participant.infused_at)

    async def history(self, adverse_event_id: UUID, *, by: Actor) -> list[Envelope]:
        await self._participant_of(adverse_event_id, by)
        return await self._store.history(adverse_event.DECIDER.stream(adverse_event_id))

    async def _about(self, state: State, by: Actor) -> tuple[UUID, Place]:
        """Whom an event is about, and where they are treated.

        Raises:
            NoSuchAdverseEvent: there is none, or none at the actor's sites.
        """
        match state:
            case OnRecord(participant_id=participant_id) | Retracted(was=OnRecord(participant_id=participant_id)):
                with suppress(NoSuchParticipant):
                    place = await self._places.of(participant_id)
                    if by.may_see(place.site_id):
                        return participant_id, place
        raise _unknown()

    async def _participant_of(self, adverse_event_id: UUID, by: Actor) -> Participant:
        participant = await references.participant_of(self._db, adverse_event.DECIDER.stream(adverse_event_id))
        if participant is None or not by.may_see(participant.site_id):
            raise _unknown()
        return participant

    def _facts(self, place: Place) -> Facts:
        return Facts(self._clock(), place.site_id, place.zone, self._protocol)


def _unknown() -> NoSuchAdverseEvent:
    return NoSuchAdverseEvent("no adverse event has this id, or none at your sites")
