"""What safety knows of participants, copied from enrollment's events into its own database.

`participants.treatment_changed_by` changes in the same transaction as what is known of when treatment began.
"""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select

from services.safety.tables import METADATA, former_sites, known_consents, lymphodepletions, participants
from shared.contracts.enrollment import (
    CellsInfused,
    ConsentWithdrawn,
    DiscontinuationRetracted,
    FollowUpCompleted,
    InfusionCorrected,
    InfusionRetracted,
    ParticipantDied,
    ParticipantEnrolled,
    ParticipantLostToFollowUp,
    ParticipantRescreened,
    ParticipantScreened,
    ParticipantTransferred,
    ScreeningDataCorrected,
    ScreeningFailed,
    TreatmentDiscontinued,
)
from shared.contracts.enrollment_lymphodepletion import (
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.db import Database, Lookup
from shared.former_sites import note
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope
from shared.known_consents import known_consents_projection
from shared.projection import Projection, Rows

PROJECTION = Projection(
    "participants", tables=[participants, lymphodepletions, former_sites], topics=["trial.enrollment"]
)
CONSENTS = known_consents_projection(known_consents)

HOLDS_SECONDS = 5.0
_events = METADATA.tables["events"]
_BY_ID = Lookup(select(participants).where(participants.c.participant_id == bindparam("id")))
_BY_STREAM = Lookup(
    select(participants)
    .join(_events, _events.c.subject == participants.c.participant_id)
    .where(_events.c.stream == bindparam("stream"), _events.c.version == 1)
)


@dataclass(frozen=True, slots=True)
class Participant:
    """What a decision about an adverse event may need to know of its participant."""

    participant_id: UUID
    site_id: str
    zone: ZoneInfo
    infused_at: datetime | None
    birth_month: str | None = None


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a participant is cared for."""

    site_id: str
    zone: ZoneInfo


class Places:
    """The places of participants: most commands need to know no more. Each is asked for anew after a few seconds, so
    that a transfer is heard of; what is heard from enrollment lags as much.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[UUID, tuple[Place, float]] = {}

    async def of(self, participant_id: UUID) -> Place:
        """Raises `NoSuchParticipant` where none of this id is known here yet."""
        known, now = self._known.get(participant_id), monotonic()
        if known is not None and now < known[1]:
            return known[0]
        found = await participant(self._db, participant_id)
        place = Place(found.site_id, found.zone)
        self._known[participant_id] = place, now + HOLDS_SECONDS
        return place


def _read(row: Any) -> Participant | None:
    if row is None or row.site_id is None:
        return None
    zone = ZoneInfo(row.time_zone)
    return Participant(UUID(row.participant_id), row.site_id, zone, row.infused_at, row.birth_month)


def _key(event: Any) -> dict[str, str]:
    return {"participant_id": str(event.participant_id)}


@PROJECTION.on(ParticipantScreened)
def _(rows: Rows, event: ParticipantScreened, _envelope: Envelope) -> None:
    rows.upsert(
        participants,
        _key(event),
        site_id=event.site_id,
        time_zone=event.time_zone,
        status=event.status.value,
        sex=event.sex.value,
        birth_month=event.birth_month,
    )


@PROJECTION.on(ParticipantTransferred)
def _(rows: Rows, event: ParticipantTransferred, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), site_id=event.site_id, time_zone=event.time_zone)
    note(rows, former_sites, event)


@PROJECTION.on(ScreeningDataCorrected)
def _(rows: Rows, event: ScreeningDataCorrected, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), sex=event.sex.value, birth_month=event.birth_month)


@PROJECTION.on(
    ParticipantRescreened,
    ScreeningFailed,
    ParticipantEnrolled,
    ConsentWithdrawn,
    TreatmentDiscontinued,
    ParticipantLostToFollowUp,
    FollowUpCompleted,
    ParticipantDied,
    DiscontinuationRetracted,
)
def _(rows: Rows, event: Any, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), status=event.status.value)


@PROJECTION.on(CellsInfused)
def _(rows: Rows, event: CellsInfused, envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), status=event.status.value, **_first_infusion(event, envelope))


@PROJECTION.on(InfusionCorrected)
def _(rows: Rows, event: InfusionCorrected, envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), **_first_infusion(event, envelope))


@PROJECTION.on(InfusionRetracted)
def _(rows: Rows, event: InfusionRetracted, envelope: Envelope) -> None:
    infusion = {"infused_at": None, **_treatment(envelope)} if event.infusion_number == 1 else {}
    rows.upsert(participants, _key(event), status=event.status.value, **infusion)


def _first_infusion(event: CellsInfused | InfusionCorrected, envelope: Envelope) -> dict[str, Any]:
    return {"infused_at": event.started_at, **_treatment(envelope)} if event.infusion_number == 1 else {}


@PROJECTION.on(LymphodepletionRecorded, LymphodepletionCorrected)
def _(rows: Rows, event: LymphodepletionRecorded | LymphodepletionCorrected, envelope: Envelope) -> None:
    told = event.model_dump(include={"prepares_infusion", "began_on", "first_dose_at"})
    rows.upsert(lymphodepletions, _course(event), **told)
    rows.upsert(participants, _key(event), **_treatment(envelope))


@PROJECTION.on(LymphodepletionRetracted)
def _(rows: Rows, event: LymphodepletionRetracted, envelope: Envelope) -> None:
    rows.delete(lymphodepletions, _course(event))
    rows.upsert(participants, _key(event), **_treatment(envelope))


def _course(event: Any) -> dict[str, str]:
    return {**_key(event), "lymphodepletion_id": str(event.lymphodepletion_id)}


def _treatment(envelope: Envelope) -> dict[str, str]:
    return {"treatment_changed_by": str(envelope.event_id)}
