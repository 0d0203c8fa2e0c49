"""Watches over dose-limiting toxicity: looks again at whom anything has changed about, or at whom the hour has come."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import or_, select

from services.safety.tables import courses, toxicity_looks
from services.safety.toxicity.dose_limiting import DoseLimitingToxicities, Look
from services.safety.toxicity.halts import DosingHalts
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import system
from shared.kernel.clock import Clock
from shared.process.watching import BATCH, Watch, note
from shared.protocol import Protocol

UNLOOKED = Gauge("trial_toxicity_looks_due", "Participants whose dose-limiting toxicity is to be looked at again")
HALTED = Gauge("trial_dosing_halted", "Stopping rules that fired and were not reviewed, or not so that dosing resumes")

_SELF = system("toxicity-watch")
_EACH = courses.outerjoin(toxicity_looks, toxicity_looks.c.participant_id == courses.c.participant_id)


@dataclass(frozen=True, slots=True)
class Due:
    """Whom to look at, and the last event about them that the look takes in."""

    participant_id: UUID
    changed_by: str


class ToxicityWatch(Watch[Due]):
    """Looks at participants; then, and in the first round, at the stopping rules."""

    name = "toxicity-watch"
    waiting = UNLOOKED

    def __init__(self, db: Database, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._db = db
        self._clock = clock
        self._toxicities = DoseLimitingToxicities(db, store, protocol, clock)
        self._halts = DosingHalts(db, store, protocol, clock)
        self._counted = False

    async def round(self, stop: asyncio.Event) -> None:
        await super().round(stop)
        if not self._counted and not stop.is_set():
            halts = await self._halts.look(by=_SELF)
            HALTED.set(sum(halt.stops_dosing for halt in halts.latest.values()))
            self._counted = True

    async def _due(self) -> list[Due]:
        looks = toxicity_looks.c
        due = or_(
            looks.looked_for.is_(None), looks.looked_for != courses.c.changed_by, looks.look_again_at <= self._clock()
        )
        known = courses.c.site_id.is_not(None)
        query = select(courses.c.participant_id, courses.c.changed_by).select_from(_EACH).where(known, due)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query.order_by(courses.c.participant_id).limit(BATCH))).all()
        return [Due(UUID(row.participant_id), row.changed_by) for row in rows]

    async def _look(self, due: Due) -> None:
        self._counted = False
        await self._note(due, await self._toxicities.look(due.participant_id, by=_SELF))

    async def _note(self, due: Due, look: Look) -> None:
        columns = {
            "looked_for": due.changed_by,
            "look_again_at": look.again_at,
            "status": look.evaluability.status.value,
            "counts_for": " ".join(look.counts_for),
        }
        await note(self._db, toxicity_looks, {"participant_id": str(due.participant_id)}, columns)
