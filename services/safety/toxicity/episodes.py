"""Episodes of CRS, ICANS and IEC-HS: gathers facts, decides, and appends an episode and its adverse event together.

One statement takes both streams: a death of the process between them leaves neither, so nothing has to be caught up.
"""

from collections.abc import Sequence
from uuid import UUID

from services.safety import references
from services.safety.domain import adverse_event
from services.safety.domain.episodes import episode
from services.safety.domain.episodes import log as episode_log
from services.safety.domain.episodes.commands import Change, EpisodeCommand, OpenEpisode
from services.safety.domain.episodes.episode import NoSuchEpisode
from services.safety.domain.episodes.grading import Facts
from services.safety.domain.episodes.record import Course, RetractedCourse, State
from services.safety.domain.record import State as AdverseEventState
from services.safety.references import Participant
from shared.contracts.safety import AdverseEventEvent
from shared.contracts.safety_episodes import AdverseEventNotFollowed, EpisodeEvent
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt, Write
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Recording
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.telemetry import tracing


class Episodes:
    """What the routes of episodes call. An episode of a site that the actor may not see does not exist for them."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._protocol = protocol
        self._clock = clock

    async def open(self, command: OpenEpisode, *, by: Actor) -> Receipt:
        participant = await references.participant(self._db, command.participant_id)
        if not by.may_see(participant.site_id):
            raise NoSuchParticipant
        frame = tracing.recording(
            by, at=self._clock(), subject=participant.participant_id, command_id=command.episode_id
        )
        return await self._execute(command.episode_id, command, participant, frame, expected=None)

    async def change(self, episode_id: UUID, command: Change, *, by: Actor, expected: int, command_id: UUID) -> Receipt:
        """Carry out any later command of an episode's life, on the version its sender has seen."""
        participant = await self._participant_of(episode_id, by)
        frame = tracing.recording(
            by,
            at=self._clock(),
            subject=participant.participant_id,
            command_id=command_id,
            reason=command.stated_reason,
        )
        return await self._execute(episode_id, command, participant, frame, expected=expected)

    async def episode(
        self, episode_id: UUID, *, by: Actor
    ) -> tuple[Course | RetractedCourse, AdverseEventState, int, Participant]:
        """The episode as it stands, the adverse event that follows it, its version, and its participant."""
        participant = await self._participant_of(episode_id, by)
        state, version = await self._store.load(episode.DECIDER, episode_id)
        if not isinstance(state, Course | RetractedCourse):
            raise _unknown()
        followed, _ = await self._store.load(adverse_event.DECIDER, episode_log.adverse_event_of(episode_id))
        return state, followed, version, participant

    async def history(self, episode_id: UUID, *, by: Actor) -> list[Envelope]:
        await self._participant_of(episode_id, by)
        return await self._store.history(episode.DECIDER.stream(episode_id))

    async def _execute(
        self,
        episode_id: UUID,
        command: EpisodeCommand,
        participant: Participant,
        frame: Recording,
        expected: int | None,
    ) -> Receipt:
        """Load both, decide, append both; again where somebody wrote to either meanwhile.

        Raises:
            StaleVersion: the episode is not at `expected`, or others kept writing during every attempt.
        """
        stream, fingerprint = episode.DECIDER.stream(episode_id), command.fingerprint()

        async def decide() -> list[Write]:
            state, version = await self._store.load(episode.DECIDER, episode_id)
            facts, followed_at = await self._facts(episode_id, participant, frame)
            decided = episode.decide(command, state, facts)
            if not decided:
                return []
            followed = _followed(command, state, decided, facts)
            own = Write(stream, version, decided, frame, fingerprint)
            log = adverse_event.DECIDER.stream(episode_log.adverse_event_of(episode_id))
            return [Write(log, followed_at, followed, frame, fingerprint), own] if followed else [own]

        return await self._store.execute_together(stream, frame, fingerprint, decide, expected=expected)

    async def _facts(self, episode_id: UUID, participant: Participant, frame: Recording) -> tuple[Facts, int]:
        general = adverse_event.Facts(frame.at, participant.site_id, participant.zone, self._protocol)
        followed, version = await self._store.load(adverse_event.DECIDER, episode_log.adverse_event_of(episode_id))
        return Facts(general, participant.birth_month, followed), version

    async def _participant_of(self, episode_id: UUID, by: Actor) -> Participant:
        participant = await references.participant_of(self._db, episode.DECIDER.stream(episode_id))
        if participant is None or not by.may_see(participant.site_id):
            raise _unknown()
        return participant


def _followed(
    command: EpisodeCommand, state: State, decided: Sequence[EpisodeEvent], facts: Facts
) -> Sequence[AdverseEventEvent]:
    """What the adverse event takes; nothing where the decision says that it cannot."""
    if any(isinstance(event, AdverseEventNotFollowed) for event in decided):
        return []
    return episode.followed(command, state, decided, facts)


def _unknown() -> NoSuchEpisode:
    return NoSuchEpisode("no episode has this id, or none at your sites")
