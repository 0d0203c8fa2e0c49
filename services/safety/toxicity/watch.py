"""Watches over dose-limiting toxicity: looks again at whom anything has changed about, or at whom the hour has come.

What it finds becomes events by deciders to whom the same finding twice is nothing. It notes a look after its events
are on record, so a watch that dies looks again, and nothing is lost or said twice.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite

from services.safety.tables import courses, toxicity_looks
from services.safety.toxicity.dose_limiting import DoseLimitingToxicities, Look
from services.safety.toxicity.halts import DosingHalts
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import Actor, Role
from shared.kernel.clock import Clock
from shared.kernel.errors import Unavailable
from shared.protocol import Protocol

POLL_SECONDS = 1.0
BATCH = 50

UNLOOKED = Gauge("trial_toxicity_looks_due", "Participants whose dose-limiting toxicity is to be looked at again")
HALTED = Gauge("trial_dosing_halted", "Stopping rules that fired and were not reviewed, or not so that dosing resumes")

log = logging.getLogger("trial.safety")

_SELF = Actor("toxicity-watch", frozenset({Role.SYSTEM}), None, Role.SYSTEM)
_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_EACH = courses.outerjoin(toxicity_looks, toxicity_looks.c.participant_id == courses.c.participant_id)


class ToxicityWatch:
    """One round after another, until told to stop. Runs in one worker at a time, under a lease."""

    name = "toxicity-watch"

    def __init__(self, db: Database, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._db = db
        self._clock = clock
        self._toxicities = DoseLimitingToxicities(db, store, protocol, clock)
        self._halts = DosingHalts(db, store, protocol, clock)
        self._counted = False

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.round(stop)
            except Unavailable:
                log.warning("the database is away; the watch over dose-limiting toxicity waits")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)

    async def round(self, stop: asyncio.Event) -> None:
        """Look at everybody who is due; then, and in the first round, at the stopping rules."""
        due = await self._due()
        UNLOOKED.set(len(due))
        for participant_id, changed_by in due:
            if stop.is_set():
                return
            self._counted = False
            await self._note(participant_id, changed_by, await self._toxicities.look(participant_id, by=_SELF))
        if not self._counted:
            halts = await self._halts.look(by=_SELF)
            HALTED.set(sum(halt.stops_dosing for halt in halts.latest.values()))
            self._counted = True

    async def _due(self) -> list[tuple[UUID, str]]:
        looks = toxicity_looks.c
        due = or_(
            looks.looked_for.is_(None), looks.looked_for != courses.c.changed_by, looks.look_again_at <= self._clock()
        )
        known = courses.c.site_id.is_not(None)
        query = select(courses.c.participant_id, courses.c.changed_by).select_from(_EACH).where(known, due)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query.order_by(courses.c.participant_id).limit(BATCH))).all()
        return [(UUID(row.participant_id), row.changed_by) for row in rows]

    async def _note(self, participant_id: UUID, changed_by: str, look: Look) -> None:
        columns = {
            "looked_for": changed_by,
            "look_again_at": look.again_at,
            "status": look.evaluability.status.value,
            "counts_for": " ".join(look.counts_for),
        }
        query = _INSERTS[self._db.dialect](toxicity_looks).values(participant_id=str(participant_id), **columns)
        async with self._db.begin() as connection:
            await connection.execute(query.on_conflict_do_update(index_elements=["participant_id"], set_=columns))
