"""Drives the clocks of cases: looks again at each case that anything has changed about, or whose next step has come."""

from dataclasses import asdict, dataclass
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import ColumnElement, func, or_, select

from services.safety.cases.application import Cases, Look, expectations_stream
from services.safety.tables import case_looks, cases, expectations
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import system
from shared.kernel.clock import Clock
from shared.process.watching import BATCH, Watch, note
from shared.protocol import Protocol
from shared.telemetry import tracing

WAITING = Gauge("trial_case_looks_due", "Cases of serious adverse events whose clocks are to be looked at now")

_SELF = system("case-clocks")
_EACH = cases.outerjoin(case_looks, case_looks.c.adverse_event_id == cases.c.adverse_event_id)


@dataclass(frozen=True, slots=True)
class Due:
    """A case to look at now, and the trace of what last changed about its adverse event."""

    adverse_event_id: UUID
    traceparent: str | None


class CaseClocks(Watch[Due]):
    """Looks at cases, the one whose step came first before the others."""

    name = "case-clocks"
    waiting = WAITING

    def __init__(self, db: Database, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._db = db
        self._clock = clock
        self._protocol = protocol
        self._cases = Cases(db, store, protocol, clock)

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

    async def _look(self, due: Due) -> None:
        tracing.begin(due.traceparent)
        await self._note(due, await self._cases.review(due.adverse_event_id, by=_SELF))

    async def _note(self, due: Due, look: Look) -> None:
        columns = {**asdict(look), "protocol": self._protocol.ref}
        await note(self._db, case_looks, {"adverse_event_id": str(due.adverse_event_id)}, columns)
