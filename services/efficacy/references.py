"""What efficacy knows of participants, copied from enrollment's events into its own database."""

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select

from services.efficacy.tables import known_consents, participants
from shared.contracts.enrollment import ParticipantScreened, ParticipantTransferred, ScreeningDataCorrected
from shared.db import Database, Lookup
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope
from shared.known_consents import known_consents_projection
from shared.projection import Projection, Rows

PROJECTION = Projection("participants", tables=[participants], topics=["trial.enrollment"])
CONSENTS = known_consents_projection(known_consents)

_BY_ID = Lookup(select(participants).where(participants.c.participant_id == bindparam("id")))


@dataclass(frozen=True, slots=True)
class Participant:
    """Whose tumour is assessed: which tumour, at which site, and in which time zone dates are meant."""

    participant_id: UUID
    site_id: str
    zone: ZoneInfo
    diagnosis: str | None


async def participant(db: Database, participant_id: UUID) -> Participant:
    """The participant of this id.

    Raises:
        NoSuchParticipant: none is known here yet.
    """
    row = await _BY_ID.one(db, id=str(participant_id))
    if row is None:
        raise NoSuchParticipant
    return Participant(UUID(row.participant_id), row.site_id, ZoneInfo(row.time_zone), row.diagnosis)


@PROJECTION.on(ParticipantScreened)
def _(rows: Rows, event: ParticipantScreened, _envelope: Envelope) -> None:
    key = {"participant_id": str(event.participant_id)}
    rows.upsert(participants, key, site_id=event.site_id, time_zone=event.time_zone, diagnosis=event.diagnosis)


@PROJECTION.on(ParticipantTransferred)
def _(rows: Rows, event: ParticipantTransferred, _envelope: Envelope) -> None:
    key = {"participant_id": str(event.participant_id)}
    rows.upsert(participants, key, site_id=event.site_id, time_zone=event.time_zone)


@PROJECTION.on(ScreeningDataCorrected)
def _(rows: Rows, event: ScreeningDataCorrected, _envelope: Envelope) -> None:
    rows.upsert(participants, {"participant_id": str(event.participant_id)}, diagnosis=event.diagnosis)
