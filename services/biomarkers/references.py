"""What biomarkers knows of participants, copied from enrollment's events into its own database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from services.biomarkers.tables import events, known_consents, participants
from shared.contracts.enrollment import (
    CellsInfused,
    InfusionCorrected,
    InfusionRetracted,
    ParticipantScreened,
    ParticipantTransferred,
)
from shared.db import Database, Lookup
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope
from shared.known_consents import known_consents_projection
from shared.projection import Projection, Rows

PROJECTION = Projection("participants", tables=[participants], topics=["trial.enrollment"])
CONSENTS = known_consents_projection(known_consents)

_BY_ID = Lookup(select(participants).where(participants.c.participant_id == bindparam("id")))
_BY_STREAM = Lookup(
    select(participants)
    .join(events, events.c.subject == participants.c.participant_id)
    .where(events.c.stream == bindparam("stream"), events.c.version == 1)
)


@dataclass(frozen=True, slots=True)
class Participant:
    """Whose site may see a result, and from when on the schedule counts (None: not infused, as far as is known)."""

    participant_id: UUID
    site_id: str
    day_zero: datetime | None


async def participant(db: Database, participant_id: UUID) -> Participant:
    """The participant of this id.

    Raises:
        NoSuchParticipant: none is known here yet.
    """
    found = _read(await _BY_ID.one(db, id=str(participant_id)))
    if found is None:
        raise NoSuchParticipant
    return found


async def participant_of(db: Database, stream: str) -> Participant | None:
    """The participant that a stream of this service is about; None where there is no such stream."""
    return _read(await _BY_STREAM.one(db, stream=stream))


def _read(row: Any) -> Participant | None:
    if row is None or row.site_id is None:
        return None
    return Participant(UUID(row.participant_id), row.site_id, row.day_zero)


@PROJECTION.on(ParticipantScreened, ParticipantTransferred)
def _(rows: Rows, event: ParticipantScreened | ParticipantTransferred, _envelope: Envelope) -> None:
    rows.upsert(participants, {"participant_id": str(event.participant_id)}, site_id=event.site_id)


@PROJECTION.on(CellsInfused, InfusionCorrected, InfusionRetracted)
def _(rows: Rows, event: CellsInfused | InfusionCorrected | InfusionRetracted, _envelope: Envelope) -> None:
    rows.upsert(participants, {"participant_id": str(event.participant_id)}, day_zero=event.day_zero)
