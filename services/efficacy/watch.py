"""Watches over the criteria of responses: assigns anew, by itself, what other criteria decide now.

That is so where a participant's diagnosis was corrected, as the protocol chooses the criteria by it, and where the
protocol is another one. Each reader's reading is looked at by itself, and the independent review follows.
"""

from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import and_, or_, select

from services.efficacy.application import Efficacy
from services.efficacy.independent_review import IndependentReview
from services.efficacy.tables import assigned_burdens, criteria_looks, participants
from shared.contracts.efficacy_terms import Evaluator
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import system
from shared.kernel.clock import Clock
from shared.process.watching import BATCH, Watch, note
from shared.protocol import Protocol

WAITING = Gauge("trial_criteria_looks_due", "Readings whose criteria are to be looked at")

_SELF = system("criteria-watch")
_WHO, _WHOSE = assigned_burdens.c.participant_id, assigned_burdens.c.evaluator
_SAME = and_(criteria_looks.c.participant_id == _WHO, criteria_looks.c.evaluator == _WHOSE)
_EACH = assigned_burdens.join(participants, participants.c.participant_id == _WHO).outerjoin(criteria_looks, _SAME)


@dataclass(frozen=True, slots=True)
class Due:
    """Whose reading of whom to look at, and the diagnosis that the look takes in."""

    participant_id: UUID
    evaluator: Evaluator
    diagnosis: str | None


class CriteriaWatch(Watch[Due]):
    """Looks at readings that have responses."""

    name = "criteria-watch"
    waiting = WAITING

    def __init__(self, db: Database, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._db = db
        self._protocol = protocol
        self._review = IndependentReview(Efficacy(db, store, protocol, clock), store)

    async def _due(self) -> list[Due]:
        """Never looked at, or responses or the diagnosis have changed since, or it was by another protocol."""
        looked, diagnosis = criteria_looks.c, participants.c.diagnosis
        due = or_(
            looked.participant_id.is_(None),
            assigned_burdens.c.version > looked.version,
            diagnosis.is_distinct_from(looked.diagnosis),
            looked.protocol != self._protocol.ref,
        )
        query = select(_WHO, _WHOSE, diagnosis).select_from(_EACH).where(participants.c.site_id.is_not(None), due)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query.order_by(_WHO, _WHOSE).limit(BATCH))).all()
        return [Due(UUID(row.participant_id), Evaluator(row.evaluator), row.diagnosis) for row in rows]

    async def _look(self, due: Due) -> None:
        receipt = await self._review.reassign(due.participant_id, due.evaluator, by=_SELF)
        await self._note(due, receipt.version)

    async def _note(self, due: Due, version: int) -> None:
        key = {"participant_id": str(due.participant_id), "evaluator": due.evaluator.value}
        columns = {"version": version, "diagnosis": due.diagnosis, "protocol": self._protocol.ref}
        await note(self._db, criteria_looks, key, columns)
