"""Efficacy's commands and questions: gathers the facts that a decision may not fetch, then executes the decider."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.efficacy import references, subjects
from services.efficacy.domain.assessments import (
    CorrectAssessment,
    NoSuchAssessment,
    RecordAssessment,
    RetractAssessment,
)
from services.efficacy.domain.burden import Facts, TumourBurden
from services.efficacy.domain.criteria import TrialCriteria
from services.efficacy.domain.lesions import CorrectLesion, IdentifyLesion, NoSuchLesion, RetractLesion
from services.efficacy.domain.naming import AboutLesion
from services.efficacy.domain.overrides import OverrideResponse, WithdrawOverride
from services.efficacy.domain.stated_responses import ReportResponse
from services.efficacy.domain.tumour_burden import DECIDER
from services.efficacy.references import Participant
from services.efficacy.tables import known_consents
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope
from shared.known_consents import KnownConsents
from shared.protocol import ConsentGate, Protocol
from shared.telemetry import tracing

Addition = IdentifyLesion | RecordAssessment
Judgement = OverrideResponse | WithdrawOverride | ReportResponse
Change = CorrectLesion | RetractLesion | CorrectAssessment | RetractAssessment | Judgement


class Efficacy:
    """What the routes of efficacy call. A participant of a site that the actor may not see does not exist for them."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._consents = KnownConsents(db, known_consents, protocol)
        self.protocol = protocol
        self._criteria = TrialCriteria(protocol)
        self.clock = clock
        self.engines = self._criteria.engines

    async def add(self, participant_id: UUID, command: Addition, *, by: Actor) -> Receipt:
        """Record a lesion or an assessment. It has an id of its own, so it names no version: see `tumour_burden`."""
        participant = await self._participant(participant_id, by)
        now = self.clock()
        frame = tracing.recording(by, at=now, subject=participant_id, command_id=command.which)
        facts = await self._gated(command, participant, self._facts(participant, now))
        return await self._store.execute(DECIDER, participant_id, command, facts, frame)

    async def change(
        self, participant_id: UUID, command: Change, *, by: Actor, expected: int, command_id: UUID
    ) -> Receipt:
        """Change what is on record, on the version its sender has seen."""
        participant = await self._participant(participant_id, by)
        burden, _ = await self._store.load(DECIDER, participant_id)
        ensure_known(command, burden)
        now = self.clock()
        frame = tracing.recording(
            by, at=now, subject=participant_id, command_id=command_id, reason=command.stated_reason
        )
        facts = await self._gated(command, participant, self._facts(participant, now))
        return await self._store.execute(DECIDER, participant_id, command, facts, frame, expected=expected)

    async def tumour_burden(self, participant_id: UUID, *, by: Actor) -> tuple[Participant, TumourBurden, int]:
        """What is on record of a participant's tumour, and its version; 0 where nothing is."""
        participant = await self._participant(participant_id, by)
        burden, version = await self._store.load(DECIDER, participant_id)
        return participant, burden, version

    async def history(self, participant_id: UUID, *, by: Actor) -> list[Envelope]:
        await self._participant(participant_id, by)
        return await self._store.history(DECIDER.stream(participant_id))

    async def about(
        self, participant_id: UUID, by: Actor, command: Addition | Change | None = None
    ) -> tuple[Participant, Facts]:
        """The participant, if the actor may see them, and what a decision about their tumour needs now."""
        participant = await self._participant(participant_id, by)
        return participant, await self._gated(command, participant, self._facts(participant, self.clock()))

    async def is_anothers(self, subject_numbers: Collection[str], participant_id: UUID) -> bool:
        """Whether one of the numbers is the subject number of another participant of the trial."""
        return await subjects.anothers(self._db, subject_numbers, participant_id)

    async def _gated(self, command: Addition | Change | None, participant: Participant, facts: Facts) -> Facts:
        """With what consent covers, for what it gates."""
        if not isinstance(command, RecordAssessment | CorrectAssessment):
            return facts
        consent = await self._consents.gating(ConsentGate.FOLLOW_UP, participant.participant_id, participant.site_id)
        return replace(facts, consent=consent)

    async def _participant(self, participant_id: UUID, by: Actor) -> Participant:
        participant = await references.participant(self._db, participant_id)
        if not by.may_see(participant.site_id):
            raise NoSuchParticipant
        return participant

    def _facts(self, participant: Participant, now: datetime) -> Facts:
        today = now.astimezone(participant.zone).date()
        criteria = self._criteria.of(participant.diagnosis)
        return Facts(participant.participant_id, self.protocol, criteria.deciding, today, criteria.supportive)


def ensure_known(command: Change, burden: TumourBurden) -> None:
    """What does not exist is not found, whichever version the caller names."""
    if isinstance(command, AboutLesion):
        if command.which not in burden.lesions:
            raise NoSuchLesion("no such lesion of this participant")
    elif command.which not in burden.assessments:
        raise NoSuchAssessment("no such assessment of this participant")
