"""Watches over the baselines of laboratory results: grades anew, by itself, what another baseline applies to now.

That is so where lymphodepletion or infusion becomes known, or is corrected, after results were recorded; and where the
protocol's rule is another one.
"""

from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import or_, select

from services.safety.laboratory.regrading import Regrading
from services.safety.tables import laboratory_courses, laboratory_looks, participants
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import system
from shared.kernel.clock import Clock
from shared.process.watching import BATCH, Watch, note
from shared.protocol import Protocol

WAITING = Gauge(
    "trial_baseline_looks_due", "Participants the baselines of whose laboratory results are to be looked at"
)

_SELF = system("baseline-watch")
_WHO = laboratory_courses.c.participant_id
_EACH = laboratory_courses.join(participants, participants.c.participant_id == _WHO).outerjoin(
    laboratory_looks, laboratory_looks.c.participant_id == _WHO
)


@dataclass(frozen=True, slots=True)
class Due:
    """Whom to look at, and the last event about their treatment that the look takes in."""

    participant_id: UUID
    treatment_changed_by: str | None


class BaselineWatch(Watch[Due]):
    """Looks at participants who have results."""

    name = "baseline-watch"
    waiting = WAITING

    def __init__(self, db: Database, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._db = db
        self._protocol = protocol
        self._regrading = Regrading(db, store, protocol, clock)

    async def _due(self) -> list[Due]:
        """Never looked at, or results or treatment have changed since, or it was by another protocol."""
        looked, changed_by = laboratory_looks.c, participants.c.treatment_changed_by
        due = or_(
            looked.participant_id.is_(None),
            laboratory_courses.c.version > looked.version,
            changed_by.is_distinct_from(looked.treatment_changed_by),
            looked.protocol != self._protocol.ref,
        )
        query = select(_WHO, changed_by).select_from(_EACH).where(participants.c.site_id.is_not(None), due)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query.order_by(_WHO).limit(BATCH))).all()
        return [Due(UUID(row.participant_id), row.treatment_changed_by) for row in rows]

    async def _look(self, due: Due) -> None:
        await self._note(due, await self._regrading.look(due.participant_id, by=_SELF))

    async def _note(self, due: Due, version: int) -> None:
        columns = {
            "version": version,
            "treatment_changed_by": due.treatment_changed_by,
            "protocol": self._protocol.ref,
        }
        await note(self._db, laboratory_looks, {"participant_id": str(due.participant_id)}, columns)
