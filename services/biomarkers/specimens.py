"""The commands and questions about specimens: one stream each, and a tube that was made of one has its own.

Dividing a specimen begins the custody of its tubes, and rejecting one rejects them, in the same append.
"""

from itertools import groupby
from uuid import UUID

from sqlalchemy import select

from services.biomarkers import references
from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.specimens import specimen
from services.biomarkers.domain.specimens.custody import Custody, State
from services.biomarkers.domain.specimens.rules import NoSuchSpecimen, SpecimenAlreadyRecorded
from services.biomarkers.domain.specimens.specimen import Amendment, Beginning, Next, aliquots_of, rejected_with_parent
from services.biomarkers.drafts import Streams
from services.biomarkers.references import Participant
from services.biomarkers.tables import events, known_consents
from shared.contracts.biomarkers_specimens import SpecimenEvent
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt, Write
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope, decode
from shared.known_consents import KnownConsents
from shared.protocol import ConsentGate, Protocol
from shared.telemetry import tracing

DECIDER = specimen.DECIDER


class Specimens:
    """What the routes of specimens call. A specimen of a site that the actor may not see does not exist for them."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._consents = KnownConsents(db, known_consents, protocol)
        self.protocol = protocol

    async def begin(self, specimen_id: UUID, command: Beginning, *, by: Actor) -> Receipt:
        """Record that a specimen was taken, or that a planned one was not.

        Raises:
            NoSuchParticipant: nobody of this id is known here yet, or at the actor's sites.
        """
        participant = await self._participant(command.participant_id, by)
        facts = await self._facts(participant)
        frame = tracing.recording(by, at=facts.now, subject=participant.participant_id, command_id=specimen_id)
        return await self._store.execute(DECIDER, specimen_id, command, facts, frame, fresh=True)

    async def go_on(
        self, specimen_id: UUID, command: Next | Amendment, *, by: Actor, expected: int, command_id: UUID
    ) -> Receipt:
        """Record the next step of a custody, or put one right, on the version its sender has seen."""
        participant = await self._participant_of(specimen_id, by)
        facts = await self._facts(participant)
        frame = tracing.recording(
            by, at=facts.now, subject=participant.participant_id, command_id=command_id, reason=command.stated_reason
        )
        stream, fingerprint = DECIDER.stream(specimen_id), command.fingerprint()

        async def decide() -> list[Write]:
            state, version = await self._store.load(DECIDER, specimen_id)
            decided = DECIDER.decide(command, state, facts)
            if not decided:
                return []
            beside = await self._beside(specimen.standing(state), decided)
            tubes = [Write(DECIDER.stream(tube), at, told, frame, fingerprint) for tube, at, told in beside]
            return [*tubes, Write(stream, version, decided, frame, fingerprint)]

        return await self._store.execute_together(stream, frame, fingerprint, decide, expected=expected)

    async def _beside(
        self, state: Custody, decided: list[SpecimenEvent]
    ) -> list[tuple[UUID, int, list[SpecimenEvent]]]:
        """What the tubes of a specimen take with a decision about it.

        Raises:
            SpecimenAlreadyRecorded: a new tube's id is on record.
        """
        told: list[tuple[UUID, int, list[SpecimenEvent]]] = []
        for made in aliquots_of(state, decided):
            if await self._store.read(DECIDER.stream(made.specimen_id)):
                raise SpecimenAlreadyRecorded(f"{made.specimen_id} is on record: give the tube an id of its own")
            told.append((made.specimen_id, 0, [made]))
        for aliquot in state.aliquots:
            child, version = await self._store.load(DECIDER, aliquot.aliquot_id)
            if rejected := rejected_with_parent(child, decided):
                told.append((aliquot.aliquot_id, version, rejected))
        return told

    async def specimen(self, specimen_id: UUID, *, by: Actor) -> tuple[Custody, State, list[Envelope]]:
        """The custody as it stands, that of what it was made of (or itself), and all that happened to it."""
        await self._participant_of(specimen_id, by)
        history = await self._store.history(DECIDER.stream(specimen_id))
        state = DECIDER.fold(envelope.event() for envelope in history)  # type: ignore[misc]
        if not isinstance(state, Custody):
            raise _unknown()
        return state, await origin_of(self._store, state), history

    async def of(self, participant_id: UUID, *, by: Actor) -> tuple[Participant, list[Custody]]:
        """Every specimen of a participant, in order of their first instants."""
        participant = await self._participant(participant_id, by)
        query = (
            select(events.c.stream, events.c.type, events.c.schema_version, events.c.data)
            .where(events.c.subject == str(participant_id), events.c.stream.startswith(f"{DECIDER.category}:"))
            .order_by(events.c.stream, events.c.version)
        )
        async with self._db.connect() as connection:
            rows = (await connection.execute(query)).all()
        states = [
            DECIDER.fold(decode(row.type, row.schema_version, row.data) for row in own)  # type: ignore[misc]
            for _, own in groupby(rows, key=lambda row: row.stream)
        ]
        found = [state for state in states if isinstance(state, Custody) and state.steps]
        return participant, sorted(found, key=lambda each: (str(each.steps[0].at), str(each.specimen_id)))

    async def _facts(self, participant: Participant) -> Facts:
        consent = await self._consents.gating(ConsentGate.SAMPLES, participant.participant_id, participant.site_id)
        return Facts(self._clock(), self.protocol, consent=consent)

    async def _participant(self, participant_id: UUID, by: Actor) -> Participant:
        participant = await references.participant(self._db, participant_id)
        if not by.may_see(participant.site_id):
            raise NoSuchParticipant
        return participant

    async def _participant_of(self, specimen_id: UUID, by: Actor) -> Participant:
        participant = await references.participant_of(self._db, DECIDER.stream(specimen_id))
        if participant is None or not by.may_see(participant.site_id):
            raise _unknown()
        return participant


async def origin_of(streams: Streams, state: State) -> State:
    """What a tube was made of; what was drawn itself is its own origin."""
    if not isinstance(state, Custody) or state.parent_id is None:
        return state
    return (await streams.load(DECIDER, state.parent_id))[0]


def _unknown() -> NoSuchSpecimen:
    return NoSuchSpecimen("no specimen has this id, or none at your sites")
