"""Watches over what waits of feeds for a consent: once enrollment tells of more consent, it is taken by itself.

What the consent then on record covers is recorded, as a release by hand would; the rest waits on.
"""

from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import func, or_, select

from services.biomarkers.application import Biomarkers
from services.biomarkers.intake import messages as kept_messages
from services.biomarkers.intake.feeds import Feeds
from services.biomarkers.intake.messages import MessageState
from services.biomarkers.intake.taking import Taking
from services.biomarkers.tables import consent_looks, known_consents, messages
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import system
from shared.kernel.clock import Clock
from shared.process.watching import BATCH, Watch, note
from shared.protocol import Protocol

WAITING = Gauge("trial_consent_looks_due", "Messages that wait for a consent and are to be read again")

_SELF = system("consent-watch")
_EACH = messages.outerjoin(consent_looks, consent_looks.c.message_id == messages.c.message_id)


@dataclass(frozen=True, slots=True)
class Due:
    """A message, and how much of consent the look takes in."""

    message_id: UUID
    heard: int


class ConsentWatch(Watch[Due]):
    """Looks at messages, those that came first before the others."""

    name = "consent-watch"
    waiting = WAITING

    def __init__(self, db: Database, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._db = db
        self._feeds = Feeds(db, store, Taking(db, store, Biomarkers(db, store, protocol, clock)), clock)

    async def _due(self) -> list[Due]:
        """Never looked at, or more was heard of consent since. What is heard after the count makes it due again."""
        looked = consent_looks.c.heard
        async with self._db.connect() as connection:
            heard = (await connection.execute(select(func.count()).select_from(known_consents))).scalar_one()
            query = (
                select(messages.c.message_id)
                .select_from(_EACH)
                .where(messages.c.state == MessageState.WAITING.value, messages.c.lacks_consent.is_(True))
                .where(or_(looked.is_(None), looked != heard))
                .order_by(messages.c.received_at, messages.c.message_id)
                .limit(BATCH)
            )
            return [Due(UUID(key), heard) for key in (await connection.execute(query)).scalars()]

    async def _look(self, due: Due) -> None:
        kept = await kept_messages.one(self._db, due.message_id)
        if kept is not None and kept.state is MessageState.WAITING:
            await self._feeds.again(kept, by=_SELF)
        await note(self._db, consent_looks, {"message_id": str(due.message_id)}, {"heard": due.heard})
