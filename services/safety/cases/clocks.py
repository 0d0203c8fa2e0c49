"""Drives the clocks of cases: looks again at each case that anything has changed about, or whose next step has come.

What a look leads to is decided from the data alone and appended at once, so that looking twice adds nothing; it is
noted after that. A process that dies in between looks again, and no step is lost or said twice.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from services.safety.cases.application import Cases, Look, expectations_stream
from services.safety.tables import case_looks, cases, expectations
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import Actor, Role
from shared.kernel.clock import Clock
from shared.kernel.errors import Unavailable
from shared.protocol import Protocol
from shared.telemetry import tracing

POLL_SECONDS = 1.0
BATCH = 50

WAITING = Gauge("trial_case_looks_due", "Cases of serious adverse events whose clocks are to be looked at now")

log = logging.getLogger("trial.safety")

_SELF = Actor("case-clocks", frozenset({Role.SYSTEM}), None, Role.SYSTEM)
_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_EACH = cases.outerjoin(case_looks, case_looks.c.adverse_event_id == cases.c.adverse_event_id)


@dataclass(frozen=True, slots=True)
class Due:
    """A case to look at now, and the trace of what last changed about its adverse event."""

    adverse_event_id: UUID
    traceparent: str | None


class CaseClocks:
    """One round after another, until told to stop. Runs in one worker at a time, under a lease."""

    name = "case-clocks"

    def __init__(self, db: Database, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._db = db
        self._clock = clock
        self._protocol = protocol
        self._cases = Cases(db, store, protocol, clock)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.round(stop)
            except Unavailable:
                log.warning("the database is away; the clocks of cases wait")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)

    async def round(self, stop: asyncio.Event) -> None:
        """Look at every case that is due, the one whose step came first before the others."""
        due = await self._due()
        WAITING.set(len(due))
        for each in due:
            if stop.is_set():
                return
            tracing.begin(each.traceparent)
            await self._note(each, await self._cases.review(each.adverse_event_id, by=_SELF))

    async def _due(self) -> list[Due]:
        query = select(cases.c.adverse_event_id, cases.c.traceparent).select_from(_EACH)
        query = query.where(cases.c.serious.is_(True), self._is_due())
        query = query.order_by(case_looks.c.look_again_at, cases.c.adverse_event_id).limit(BATCH)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [Due(UUID(row.adverse_event_id), row.traceparent) for row in rows]

    def _is_due(self) -> ColumnElement[bool]:
        """Never looked at, or changed since, or by another protocol, or the time has come."""
        looked = case_looks.c
        expected = select(expectations.c.version).where(expectations.c.stream == expectations_stream(self._protocol))
        return or_(
            looked.adverse_event_id.is_(None),
            cases.c.adverse_event_version > looked.adverse_event_version,
            cases.c.case_version > looked.case_version,
            func.coalesce(expected.scalar_subquery(), 0) > looked.expectations_version,
            looked.protocol != self._protocol.ref,
            looked.look_again_at <= self._clock(),
        )

    async def _note(self, due: Due, look: Look) -> None:
        columns = {**asdict(look), "protocol": self._protocol.ref}
        query = _INSERTS[self._db.dialect](case_looks).values(adverse_event_id=str(due.adverse_event_id), **columns)
        async with self._db.begin() as connection:
            await connection.execute(query.on_conflict_do_update(index_elements=["adverse_event_id"], set_=columns))
