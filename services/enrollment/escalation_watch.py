"""Watches over what the escalation's latest decision rests on: where it has changed, an event says so, by itself.

A toxicity that safety decides, an infusion that is put right, somebody who leaves: each makes the watch look again.
Time alone changes nothing here, for a window that ends without toxicity is what a decision had hoped for.
"""

from dataclasses import dataclass

from prometheus_client import Gauge
from sqlalchemy import or_, select

from services.enrollment.application import Enrollment
from services.enrollment.dose_escalation import DoseEscalations
from services.enrollment.tables import escalation_basis, escalation_looks
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import system
from shared.kernel.clock import Clock
from shared.process.watching import Watch, note
from shared.protocol import Protocol

WAITING = Gauge("trial_escalation_looks_due", "What the escalation's latest decision rests on is to be looked at")

_SELF = system("escalation-watch")
_EACH = escalation_basis.outerjoin(escalation_looks, escalation_looks.c.topic == escalation_basis.c.topic)


@dataclass(frozen=True, slots=True)
class Due:
    """Whence something was heard, and the last event that the look takes in."""

    topic: str
    changed_by: str


class EscalationWatch(Watch[Due]):
    """Looks at the one escalation of the trial."""

    name = "escalation-watch"
    waiting = WAITING

    def __init__(self, db: Database, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._db = db
        self._escalations = DoseEscalations(Enrollment(db, store, protocol, clock), store, clock)

    async def _due(self) -> list[Due]:
        heard, looked = escalation_basis.c, escalation_looks.c
        due = or_(looked.looked_for.is_(None), looked.looked_for != heard.changed_by)
        query = select(heard.topic, heard.changed_by).select_from(_EACH).where(due).order_by(heard.topic)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [Due(row.topic, row.changed_by) for row in rows]

    async def _look(self, due: Due) -> None:
        await self._escalations.look(by=_SELF)
        await self._note(due)

    async def _note(self, due: Due) -> None:
        await note(self._db, escalation_looks, {"topic": due.topic}, {"looked_for": due.changed_by})
