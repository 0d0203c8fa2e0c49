"""One participant's laboratory results, graded anew where another baseline applies than when they were graded."""

from uuid import UUID

from services.safety.domain.lab_results.recording import Facts, ReviewBaselines, settle
from services.safety.laboratory.people import person
from services.safety.laboratory.record import LabRecord
from shared.db import Database
from shared.eventstore.store import EventStore, Write, again_when_stale
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.protocol import Protocol
from shared.telemetry import tracing


class Regrading:
    """What the watch over baselines calls."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._protocol = protocol
        self._clock = clock

    async def look(self, participant_id: UUID, *, by: Actor) -> int:
        """Record what grades and candidates come to now; nothing where they stand. The version that was looked at.

        Raises:
            NoSuchParticipant: none is known here yet.
            StaleVersion: results kept coming during every attempt.
        """
        return await again_when_stale(lambda: self._review(participant_id, by))

    async def _review(self, participant_id: UUID, by: Actor) -> int:
        record = LabRecord(participant_id)
        state, version = await record.load(self._store)
        known, now = await person(self._db, participant_id), self._clock()
        settled = settle([], state, Facts(known, now, self._protocol))
        if settled.events:
            fingerprint = ReviewBaselines(participant_id=participant_id).fingerprint()
            frame = tracing.recording(by, at=now, subject=participant_id)
            await self._store.append(Write(record.stream, version, settled.events, frame, fingerprint))
        return version
