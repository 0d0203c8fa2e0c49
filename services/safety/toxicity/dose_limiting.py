"""Dose-limiting toxicity: gathers what the rules look at, executes the decider, answers.

Called by the routes and by the watch (`watch`), so that a person and the hour find the same things.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from services.safety.domain import adverse_event
from services.safety.domain.dose_limiting import life
from services.safety.domain.dose_limiting.findings import Findings, find
from services.safety.domain.dose_limiting.life import (
    DecideDoseLimitingToxicity,
    DeclareDoseLimitingToxicity,
    Dlt,
    NoSuchDoseLimitingToxicity,
    ReviewToxicities,
    Toxicities,
)
from services.safety.domain.dose_limiting.stopping import counts_for
from services.safety.domain.dose_limiting.toxicity import Toxicity, of_adverse_event, of_episode
from services.safety.domain.episodes import episode
from services.safety.domain.episodes.record import Course as EpisodeCourse
from services.safety.domain.record import OnRecord
from services.safety.tables import courses, endings, toxicities
from shared.contracts.safety_dose_limiting import ToxicityKind, ToxicitySource
from shared.contracts.terms import latest
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import NoSuchParticipant, Unacceptable
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.protocol.dose_limiting_status import DltWindow, DosedCourse, Evaluability, evaluability, window_of
from shared.telemetry import tracing

_LEFT = select(func.min(endings.c.left_on)).where(endings.c.participant_id == courses.c.participant_id)
_COURSES = select(courses, _LEFT.scalar_subquery().label("left_on"))


class NoSuchToxicity(Unacceptable):
    """This participant has no such adverse event or episode."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A participant as the rules see them. `window` None: not infused, or the trial counts no doses."""

    participant_id: UUID
    site_id: str
    course: DosedCourse
    window: DltWindow | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a participant stands, with what has been proposed and decided."""

    watched: Watched
    evaluability: Evaluability
    toxicities: Toxicities
    version: int


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at one participant came to.

    `counts_for`: the stopping rules whose events were found. `again_at`: when time alone may change what it came to.
    """

    evaluability: Evaluability
    counts_for: tuple[str, ...]
    again_at: datetime | None


class DoseLimitingToxicities:
    """What the routes and the watch call. A participant of another site does not exist for an actor."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._protocol = protocol
        self._clock = clock

    async def standing(self, participant_id: UUID, *, by: Actor) -> Standing:
        watched = await self._watched(participant_id, by)
        state, version = await self._store.load(life.DECIDER, participant_id)
        return Standing(watched, self._evaluability(watched, state), state, version)

    async def history(self, participant_id: UUID, *, by: Actor) -> list[Envelope]:
        """Empty: nothing was ever proposed."""
        await self._watched(participant_id, by)
        return await self._store.history(life.DECIDER.stream(participant_id))

    async def one(self, participant_id: UUID, dlt_id: UUID, *, by: Actor) -> tuple[Dlt, int]:
        try:
            standing = await self.standing(participant_id, by=by)
        except NoSuchParticipant:
            raise _unknown() from None
        known = standing.toxicities.by_id.get(dlt_id)
        if known is None:
            raise _unknown()
        return known, standing.version

    async def decide(
        self,
        participant_id: UUID,
        dlt_id: UUID,
        command: DecideDoseLimitingToxicity,
        *,
        by: Actor,
        expected: int,
        command_id: UUID,
    ) -> Receipt:
        await self.one(participant_id, dlt_id, by=by)
        facts = life.Facts(participant_id, self._protocol.ref, dlt_id=dlt_id)
        frame = tracing.recording(
            by, at=self._clock(), subject=participant_id, command_id=command_id, reason=command.reason
        )
        return await self._store.execute(life.DECIDER, participant_id, command, facts, frame, expected=expected)

    async def declare(
        self, participant_id: UUID, command: DeclareDoseLimitingToxicity, *, by: Actor, command_id: UUID
    ) -> Receipt:
        await self._watched(participant_id, by)
        if await self._whose(command.source) != participant_id:
            raise NoSuchToxicity("this participant has no such adverse event or episode on record")
        facts = life.Facts(participant_id, self._protocol.ref)
        frame = tracing.recording(
            by, at=self._clock(), subject=participant_id, command_id=command_id, reason=command.reason
        )
        return await self._store.execute(life.DECIDER, participant_id, command, facts, frame)

    async def _whose(self, source: ToxicitySource) -> UUID | None:
        """Whose toxicity it is; None: there is none, or it was retracted."""
        if source.kind is ToxicityKind.ADVERSE_EVENT:
            record, _ = await self._store.load(adverse_event.DECIDER, source.id)
            return record.participant_id if isinstance(record, OnRecord) else None
        course, _ = await self._store.load(episode.DECIDER, source.id)
        if not isinstance(course, EpisodeCourse) or course.opened.kind.value != source.kind.value:
            return None
        return course.opened.participant_id

    async def look(self, participant_id: UUID, *, by: Actor) -> Look:
        """Compare what the rules find now with what is on record; what differs becomes an event."""
        watched = await self._read(participant_id)
        if watched is None:
            raise NoSuchParticipant
        now = self._clock()
        known = await self._toxicities(watched)
        findings = self._findings(known, watched.window, now)
        command = ReviewToxicities(participant_id=participant_id)
        facts = life.Facts(participant_id, self._protocol.ref, findings)
        await self._store.execute(
            life.DECIDER, participant_id, command, facts, tracing.recording(by, at=now, subject=participant_id)
        )
        state, _ = await self._store.load(life.DECIDER, participant_id)
        turns = [each.look_again_at for each in findings if each.look_again_at is not None]
        if watched.window is not None and now <= watched.window.ends:
            turns.append(watched.window.ends)
        return Look(
            self._evaluability(watched, state),
            self._counts_for(known, watched.window),
            min(turns, default=None),
        )

    def _findings(self, known: list[Toxicity], window: DltWindow | None, now: datetime) -> tuple[Findings, ...]:
        if window is None:
            return ()
        return tuple(find(toxicity, self._protocol.dose_limiting, window, now) for toxicity in known)

    def _counts_for(self, known: list[Toxicity], window: DltWindow | None) -> tuple[str, ...]:
        """The stopping rules whose events the participant has had."""
        if window is None:
            return ()
        rules = self._protocol.stopping.rules
        return tuple(rule.id for rule in rules if any(counts_for(rule, each, window) for each in known))

    def _evaluability(self, watched: Watched, state: Toxicities) -> Evaluability:
        return evaluability(
            watched.course, self._protocol.dosing, watched.window, has_dlt=state.has_dlt, now=self._clock()
        )

    async def _toxicities(self, watched: Watched) -> list[Toxicity]:
        query = select(toxicities.c.stream).where(toxicities.c.participant_id == str(watched.participant_id))
        async with self._db.connect() as connection:
            streams = (await connection.execute(query.order_by(toxicities.c.stream))).scalars().all()
        zone = self._protocol.zone if watched.window is None else watched.window.zone
        read = [await self._toxicity(stream, zone) for stream in streams]
        return [toxicity for toxicity in read if toxicity is not None]

    async def _toxicity(self, stream: str, zone: tzinfo) -> Toxicity | None:
        """A toxicity by its stream; None: it was retracted, or no rule looks at its kind."""
        category, _, key = stream.partition(":")
        if category == episode.DECIDER.category:
            course, _ = await self._store.load(episode.DECIDER, key)
            return of_episode(course, zone) if isinstance(course, EpisodeCourse) else None
        record, _ = await self._store.load(adverse_event.DECIDER, key)
        return of_adverse_event(record, zone) if isinstance(record, OnRecord) else None

    async def _watched(self, participant_id: UUID, by: Actor) -> Watched:
        watched = await self._read(participant_id)
        if watched is None or not by.may_see(watched.site_id):
            raise NoSuchParticipant
        return watched

    async def _read(self, participant_id: UUID) -> Watched | None:
        query = _COURSES.where(courses.c.participant_id == str(participant_id))
        async with self._db.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None or row.site_id is None else self._of(row)

    def _of(self, row: Any) -> Watched:
        window = None
        if row.infused_from is not None:
            window = window_of(self._protocol, row.infused_from, row.infused_to, ZoneInfo(row.time_zone))
        left_on = None if row.left_on is None else latest(row.left_on)
        course = DosedCourse(row.dose_level, row.cells_per_kg, left_on)
        return Watched(UUID(row.participant_id), row.site_id, course, window)


def _unknown() -> NoSuchDoseLimitingToxicity:
    return NoSuchDoseLimitingToxicity("no dose-limiting toxicity has this id, or none at your sites")
