"""The independent review: what blinded readers record, and what an adjudicator decides between them.

A reader's stream and the review's take one append, so no difference between two readers can be missed: of two readings
recorded at once one is compared again on top of the other.
"""

from dataclasses import replace
from functools import reduce
from uuid import UUID

from services.efficacy.application import Addition, Change, Efficacy, ensure_known
from services.efficacy.domain import review
from services.efficacy.domain.burden import Facts, TumourBurden, evolve
from services.efficacy.domain.review import AdjudicateResponse, ReadingChanged, Review, ReviewFacts, reads_of
from services.efficacy.domain.tumour_burden import OF_READER, EfficacyCommand, ReassignResponses
from services.efficacy.references import Participant
from shared.contracts.efficacy_terms import Evaluator
from shared.eventstore.store import EventStore, Receipt, Write
from shared.kernel.actor import Actor, Role
from shared.kernel.decider import Recording
from shared.kernel.events import Envelope
from shared.telemetry import tracing

READER = {
    Role.INDEPENDENT_READER_1: Evaluator.INDEPENDENT_READER_1,
    Role.INDEPENDENT_READER_2: Evaluator.INDEPENDENT_READER_2,
}


class IndependentReview:
    """What the routes of the independent review call. The role of a reader says whose reading it is."""

    def __init__(self, efficacy: Efficacy, store: EventStore) -> None:
        self._efficacy = efficacy
        self._store = store

    async def add(self, participant_id: UUID, command: Addition, *, by: Actor) -> Receipt:
        """Record a lesion or an assessment of a reader's own."""
        participant, facts = await self._efficacy.about(participant_id, by, command)
        frame = tracing.recording(
            by, at=self._efficacy.clock(), subject=participant.participant_id, command_id=command.which
        )
        return await self._execute(command, replace(facts, evaluator=READER[by.role]), frame, expected=None)

    async def change(
        self, participant_id: UUID, command: Change, *, by: Actor, expected: int, command_id: UUID
    ) -> Receipt:
        """Change what a reader has on record, on the version they have seen."""
        _, facts = await self._efficacy.about(participant_id, by, command)
        burden, _ = await self._store.load(OF_READER[READER[by.role]], participant_id)
        ensure_known(command, burden)
        frame = tracing.recording(
            by,
            at=self._efficacy.clock(),
            subject=participant_id,
            command_id=command_id,
            reason=command.stated_reason,
        )
        return await self._execute(command, replace(facts, evaluator=READER[by.role]), frame, expected=expected)

    async def own(self, participant_id: UUID, *, by: Actor) -> tuple[Participant, TumourBurden, int]:
        """What a reader has on record themselves, and its version; nothing of anybody else."""
        participant, _ = await self._efficacy.about(participant_id, by)
        burden, version = await self._store.load(OF_READER[READER[by.role]], participant_id)
        return participant, burden, version

    async def own_history(self, participant_id: UUID, *, by: Actor) -> list[Envelope]:
        await self._efficacy.about(participant_id, by)
        return await self._store.history(OF_READER[READER[by.role]].stream(participant_id))

    async def review(self, participant_id: UUID, *, by: Actor) -> tuple[Review, int]:
        """Both readers' responses and what became of them, and the version of the review."""
        await self._efficacy.about(participant_id, by)
        return await self._store.load(review.DECIDER, participant_id)

    async def adjudicate(
        self, participant_id: UUID, command: AdjudicateResponse, *, by: Actor, expected: int, command_id: UUID
    ) -> Receipt:
        _, about = await self._efficacy.about(participant_id, by)
        frame = tracing.recording(
            by, at=self._efficacy.clock(), subject=participant_id, command_id=command_id, reason=command.stated_reason
        )
        facts = ReviewFacts(participant_id, about.criteria)
        return await self._store.execute(review.DECIDER, participant_id, command, facts, frame, expected=expected)

    async def reassign(self, participant_id: UUID, evaluator: Evaluator, *, by: Actor) -> Receipt:
        """Assign the responses of one reading by the criteria that decide now; nothing where they stand.

        A blinded reader's take the review along; the investigator's reading is no part of it.
        """
        _, facts = await self._efficacy.about(participant_id, by)
        frame, command = tracing.recording(by, at=self._efficacy.clock(), subject=participant_id), ReassignResponses()
        if evaluator is Evaluator.INVESTIGATOR:
            return await self._store.execute(OF_READER[evaluator], participant_id, command, facts, frame)
        return await self._execute(command, replace(facts, evaluator=evaluator), frame, expected=None)

    async def _execute(self, command: EfficacyCommand, facts: Facts, frame: Recording, expected: int | None) -> Receipt:
        """Load the reader's stream and the review's, decide both, append both; again where somebody wrote meanwhile.

        Raises:
            StaleVersion: the reader's record is not at `expected`, or others kept writing during every attempt.
        """
        decider, participant_id = OF_READER[facts.evaluator], facts.participant_id
        stream, fingerprint = decider.stream(participant_id), command.fingerprint()

        async def decide() -> list[Write]:
            burden, version = await self._store.load(decider, participant_id)
            decided = decider.decide(command, burden, facts)
            if not decided:
                return []
            reads = reads_of(reduce(evolve, decided, burden))
            state, at = await self._store.load(review.DECIDER, participant_id)
            changed = ReadingChanged(evaluator=facts.evaluator, reads=reads)
            told = review.decide(changed, state, ReviewFacts(participant_id, facts.criteria))
            own = Write(stream, version, decided, frame, fingerprint)
            beside = Write(review.DECIDER.stream(participant_id), at, told, frame, fingerprint)
            return [beside, own] if told else [own]

        return await self._store.execute_together(stream, frame, fingerprint, decide, expected=expected)
