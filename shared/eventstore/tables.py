"""The tables of an event store, the same in every service. Migrations make them: see `shared.eventstore.ddl`.

`events` is the record of the trial: neither application nor administrator can change a row without first
dropping a trigger, which leaves its own trace. `outbox` holds the positions that the relay still has to
publish. PostgreSQL fills it in the append's own statement; SQLite knows no data-modifying CTE, so a trigger does.
"""

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from shared.db import Instant, Position


def event_store_tables(metadata: MetaData) -> None:
    """Add the event store's tables to a service's metadata."""
    Table(
        "events",
        metadata,
        Column("position", Position, primary_key=True, autoincrement=True),
        Column("stream", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("schema_version", SmallInteger, nullable=False),
        Column("subject", Text, nullable=False, comment="participant id, or site id: the key on the bus"),
        Column("recorded_at", Instant, nullable=False),
        Column("actor", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("reason", Text),
        Column("correlation_id", Uuid, nullable=False),
        Column("causation_id", Uuid, nullable=False, comment="the id of the command"),
        Column("traceparent", Text),
        Column("fingerprint", String(64), nullable=False, comment="SHA-256 of the command's content"),
        Column("data", Text, nullable=False, comment="the event as JSON, byte for byte as published"),
        UniqueConstraint("stream", "version", name="uq_events_stream"),
        sqlite_autoincrement=True,
    )
    Table("outbox", metadata, Column("position", Position, primary_key=True, autoincrement=False))
    leases_table(metadata)


def leases_table(metadata: MetaData) -> None:
    """Add the leases alone: a database without events of its own has one worker at a time, too."""
    Table(
        "leases",
        metadata,
        Column("name", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("expires_at", Instant, nullable=False),
    )


TABLES = MetaData()
event_store_tables(TABLES)
events = TABLES.tables["events"]
outbox = TABLES.tables["outbox"]
leases = TABLES.tables["leases"]
