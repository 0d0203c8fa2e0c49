"""One participant's laboratory results, graded anew where another baseline applies than when they were graded."""

from uuid import UUID

from services.safety.domain.lab_results.recording import Facts, ReviewBaselines, settle
from services.safety.laboratory.people import person
from services.safety.laboratory.record import LabRecord
from shared.db import Database
from shared.eventstore.store import MAX_ATTEMPTS, EventStore, Write
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import StaleVersion
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
        record = LabRecord(participant_id)
        fingerprint = ReviewBaselines(participant_id=participant_id).fingerprint()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            state, version = await record.load(self._store)
            known, now = await person(self._db, participant_id), self._clock()
            settled = settle([], state, Facts(known, now, self._protocol))
            if not settled.events:
                return version
            frame = tracing.recording(by, at=now, subject=participant_id)
            try:
                await self._store.append(Write(record.stream, version, settled.events, frame, fingerprint))
            except StaleVersion:
                if attempt == MAX_ATTEMPTS:
                    raise
            else:
                return version
        raise AssertionError("the last attempt returns or raises")
