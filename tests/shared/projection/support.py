"""A small trial to project: doses given to participants. Builders name only what matters to a test."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

import sqlalchemy as sa
from sqlalchemy import Column, Date, Index, Integer, MetaData, Table, Text, UniqueConstraint, Uuid

from shared.db import Database, ExactDecimal, Instant, Json
from shared.kernel.events import Envelope, Event
from shared.messaging import Delivery
from shared.projection import Projection, Rows, projection_tables
from shared.projection.planning import decoded
from shared.projection.tables import cursors, parked_events, progress

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOSES, CLINIC = "trial.doses", "trial.clinic"


class DoseGiven(Event, type="projectiontest.dose-given", version=1):
    dose_id: UUID
    participant_id: str
    amount: Decimal
    note: str | None = None


class DoseCorrected(Event, type="projectiontest.dose-corrected", version=1):
    dose_id: UUID
    amount: Decimal | None


class DoseSplit(Event, type="projectiontest.dose-split", version=1):
    """The parts of a dose, all of them; an earlier split is void."""

    dose_id: UUID
    parts: tuple[int, ...]


class DoseRetracted(Event, type="projectiontest.dose-retracted", version=1):
    dose_id: UUID


class DoseDiscussed(Event, type="projectiontest.dose-discussed", version=1):
    """Nobody projects this."""

    dose_id: UUID


METADATA = MetaData()
projection_tables(METADATA)


class Tables(NamedTuple):
    doses: Table
    parts: Table
    firsts: Table


def _tables(prefix: str) -> Tables:
    doses = Table(
        f"{prefix}doses",
        METADATA,
        Column("dose_id", Uuid, primary_key=True),
        Column("participant_id", Text),
        Column("amount", ExactDecimal, comment="mg"),
        Column("status", Text, nullable=False, server_default="given"),
        Column("note", Text),
        Column("given_at", Instant),
        Column("given_on", Date),
        Column("tags", Json),
        Column("confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
        Column("position", Integer),
        UniqueConstraint("position", name=f"uq_{prefix}doses_position"),
        Index(f"ix_{prefix}doses_participant", "participant_id", "given_at"),
        comment="what was given",
    )
    parts = Table(
        f"{prefix}dose_parts",
        METADATA,
        Column("dose_id", Uuid, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("size", Integer),
    )
    firsts = Table(
        f"{prefix}first_doses",
        METADATA,
        Column("participant_id", Text, primary_key=True),
        Column("dose_id", Uuid),
        Column("doses_discussed", Integer),
    )
    return Tables(doses, parts, firsts)


TABLES = doses, parts, firsts = _tables("")
OTHER_TABLES = _tables("other_")


def a_projection(
    name: str = "doses", *, tables: Tables = TABLES, topics: Sequence[str] = (DOSES,), strict: bool = False
) -> Projection:
    """Takes no note that says "poison". `strict`: the database takes none that says "huge", and one "place" only."""
    doses, parts, firsts = tables
    projection = Projection(name, tables=tables, topics=topics)

    @projection.on(DoseGiven)
    def _(rows: Rows, event: DoseGiven, envelope: Envelope) -> None:
        rows.insert_once(firsts, {"participant_id": event.participant_id}, dose_id=event.dose_id)
        rows.upsert(
            doses,
            {"dose_id": event.dose_id},
            participant_id=event.participant_id,
            amount=event.amount,
            note=event.note,
            given_at=envelope.recorded_at,
            given_on=envelope.recorded_at.date(),
            tags={"version": envelope.version, "amount": str(event.amount)},
        )
        if strict and event.note in {"place", "huge"}:
            rows.upsert(doses, {"dose_id": event.dose_id}, position=1 if event.note == "place" else 2**80)
        if event.note == "poison":
            raise ValueError("no handler takes poison")

    @projection.on(DoseCorrected)
    def _(rows: Rows, event: DoseCorrected, envelope: Envelope) -> None:
        rows.upsert(doses, {"dose_id": event.dose_id}, amount=event.amount, status="corrected")

    @projection.on(DoseSplit)
    def _(rows: Rows, event: DoseSplit, envelope: Envelope) -> None:
        rows.delete(parts, {"dose_id": event.dose_id})
        for number, size in enumerate(event.parts):
            rows.upsert(parts, {"dose_id": event.dose_id, "number": number}, size=size)

    @projection.on(DoseRetracted)
    def _(rows: Rows, event: DoseRetracted, envelope: Envelope) -> None:
        rows.delete(doses, {"dose_id": event.dose_id})
        rows.delete(parts, {"dose_id": event.dose_id})

    return projection


class Dose:
    """A stream of events about one dose, in order."""

    def __init__(self, number: int = 1, participant: str = "CU-001") -> None:
        self.id = uuid5(NAMESPACE_OID, f"dose {number}")
        self.stream = f"dose:{self.id}"
        self.participant = participant
        self.envelopes: list[Envelope] = []

    def given(self, amount: str = "1.50", note: str | None = None) -> Envelope:
        event = DoseGiven(dose_id=self.id, participant_id=self.participant, amount=Decimal(amount), note=note)
        return self._add(event)

    def corrected(self, amount: str | None = "2.0") -> Envelope:
        return self._add(DoseCorrected(dose_id=self.id, amount=None if amount is None else Decimal(amount)))

    def split(self, *sizes: int) -> Envelope:
        return self._add(DoseSplit(dose_id=self.id, parts=sizes))

    def retracted(self) -> Envelope:
        return self._add(DoseRetracted(dose_id=self.id))

    def discussed(self) -> Envelope:
        return self._add(DoseDiscussed(dose_id=self.id))

    def _add(self, event: Event) -> Envelope:
        version = len(self.envelopes) + 1
        made = an_envelope(event, self.stream, version, self.participant)
        self.envelopes.append(made)
        return made


def an_envelope(event: Event, stream: str, version: int, subject: str, **changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "event_id": uuid5(NAMESPACE_OID, f"{stream}@{version}"),
        "stream": stream,
        "version": version,
        "type": event.event_type,
        "schema_version": event.schema_version,
        "subject": subject,
        "recorded_at": NOON + timedelta(minutes=version),
        "actor": "dr-somchai",
        "role": "investigator",
        "reason": None,
        "correlation_id": uuid5(NAMESPACE_OID, "correlation"),
        "causation_id": uuid5(NAMESPACE_OID, f"command {stream}@{version}"),
        "traceparent": None,
        "data": event.to_json(),
    }
    return Envelope(**{**fields, **changes})


def delivered(envelopes: Iterable[Any], *, start: int = 0, topic: str = DOSES) -> list[Delivery]:
    """As the bus delivers them, one after the other in one partition."""
    return [Delivery(topic, 0, offset, envelope) for offset, envelope in enumerate(envelopes, start)]


def arriving(envelopes: Iterable[Any], *, start: int = 0, topic: str = DOSES) -> Any:
    wanted = {kind.event_type for kind in (DoseGiven, DoseCorrected, DoseSplit, DoseRetracted)}
    return decoded(delivered(envelopes, start=start, topic=topic), wanted)


async def rows_of(db: Database, *tables: Table) -> str:
    """Everything in these tables, as text: what is byte-equal is equal."""
    found: dict[str, Any] = {}
    async with db.connect() as connection:
        for table in tables or TABLES:
            rows = (await connection.execute(sa.select(table).order_by(*table.primary_key))).all()
            found[table.name] = [list(map(repr, row)) for row in rows]
    return json.dumps(found, indent=1)


async def known_of(db: Database, name: str = "doses") -> str:
    """What the runtime says of a projection, but for the epoch, a random number."""
    found: list[str] = []
    said = "events", "last_recorded_at", "last_event_id", "categories", "halted_reason"
    columns = [progress.c[column] for column in said]
    async with db.connect() as connection:
        found += map(repr, await connection.execute(sa.select(*columns).where(progress.c.projection == name)))
        query = sa.select(cursors.c.stream, cursors.c.version).where(cursors.c.projection == name)
        found += map(repr, await connection.execute(query.order_by(cursors.c.stream)))
    return "\n".join(found)


async def waiting_in(db: Database, name: str = "doses") -> list[tuple[str, str, int]]:
    columns = parked_events.c.subject, parked_events.c.stream, parked_events.c.version
    query = sa.select(*columns).where(parked_events.c.projection == name).order_by(parked_events.c.position)
    async with db.connect() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def empty(db: Database, *tables: Table) -> None:
    async with db.begin() as connection:
        for table in tables or METADATA.sorted_tables:
            await connection.execute(sa.delete(table))
