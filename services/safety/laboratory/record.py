"""One participant's laboratory record: results and candidates, read and decided of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from uuid import UUID

from services.safety import references
from services.safety.consent_flags import ConsentFlags, Gaps
from services.safety.domain import adverse_event
from services.safety.domain.lab_grading.facts import Policy
from services.safety.domain.lab_results import deciding
from services.safety.domain.lab_results.arrival_grading import policy_of
from services.safety.domain.lab_results.deciding import Decide, Facts, NoSuchCandidate
from services.safety.domain.lab_results.results import Candidate, Results, evolve
from services.safety.references import Participant
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt, Write
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Recording
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.telemetry import tracing


@dataclass(frozen=True, slots=True)
class LabRecord:
    """The stream of one participant's laboratory results."""

    participant_id: UUID

    @property
    def stream(self) -> str:
        return f"lab-results:{self.participant_id}"

    async def load(self, store: EventStore) -> tuple[Results, int]:
        events = await store.read(self.stream)
        return reduce(evolve, events, Results()), len(events)


class LabRecords:
    """What the routes of results and candidates call. A participant of another site does not exist for an actor."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._protocol = protocol
        self._clock = clock
        self._flags = ConsentFlags(db, protocol)

    @property
    def policy(self) -> Policy:
        """The trial's choices where CTCAE leaves one."""
        return policy_of(self._protocol)

    async def results(self, participant_id: UUID, *, by: Actor) -> tuple[Results, int]:
        await self._participant(participant_id, by)
        return await LabRecord(participant_id).load(self._store)

    async def consent_gaps(self, participant_id: UUID, *, by: Actor) -> Callable[[datetime], Gaps]:
        """What consent lacked when a sample was drawn."""
        return await self._flags.at(await self._participant(participant_id, by))

    async def history(self, participant_id: UUID, *, by: Actor) -> list[Envelope]:
        """Empty: no result was ever sent."""
        await self._participant(participant_id, by)
        return await self._store.history(LabRecord(participant_id).stream)

    async def candidate(self, participant_id: UUID, candidate_id: UUID, *, by: Actor) -> tuple[Candidate, int]:
        try:
            state, version = await self.results(participant_id, by=by)
        except NoSuchParticipant:
            raise NoSuchCandidate("no candidate has this id, or none at your sites") from None
        return deciding.candidate_of(state, candidate_id), version

    async def decide(
        self,
        participant_id: UUID,
        candidate_id: UUID,
        command: Decide,
        *,
        by: Actor,
        expected: int,
        command_id: UUID,
    ) -> Receipt:
        """Decide of a candidate on the version that was seen. What it becomes is reported in the same append."""
        await self.candidate(participant_id, candidate_id, by=by)
        participant = await references.participant(self._db, participant_id)
        frame = tracing.recording(
            by, at=self._clock(), subject=participant_id, command_id=command_id, reason=command.stated_reason
        )
        record, fingerprint = LabRecord(participant_id), command.fingerprint()
        log = adverse_event.DECIDER.stream(deciding.concerned(command, candidate_id))

        async def decide() -> list[Write]:
            state, version = await record.load(self._store)
            facts, logged = await self._facts(participant, candidate_id, command, frame)
            decided = deciding.decide(command, state, facts)
            if not decided:
                return []
            reported = deciding.reported(command, decided, state, facts)
            own = Write(record.stream, version, decided, frame, fingerprint)
            return [Write(log, logged, reported, frame, fingerprint), own] if reported else [own]

        return await self._store.execute_together(record.stream, frame, fingerprint, decide, expected=expected)

    async def _facts(
        self, participant: Participant, candidate_id: UUID, command: Decide, frame: Recording
    ) -> tuple[Facts, int]:
        concerned = deciding.concerned(command, candidate_id)
        log, version = await self._store.load(adverse_event.DECIDER, concerned)
        general = adverse_event.Facts(frame.at, participant.site_id, participant.zone, self._protocol)
        return Facts(general, participant.participant_id, candidate_id, log), version

    async def _participant(self, participant_id: UUID, by: Actor) -> Participant:
        participant = await references.participant(self._db, participant_id)
        if not by.may_see(participant.site_id):
            raise NoSuchParticipant
        return participant
