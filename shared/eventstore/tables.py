"""The tables of an event store, the same in every service, and the statements that make them append-only.

`events` is the record of the trial: neither application nor administrator can change a row without first
dropping a trigger, which leaves its own trace. `outbox` holds the positions that the relay still has to
publish. PostgreSQL fills it in the append's own statement; SQLite knows no data-modifying CTE, so a trigger does.
"""

from sqlalchemy import (
    BigInteger,
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

from shared.db import Instant

# SQLite makes an ever-growing key of the exact type INTEGER alone.
Position = BigInteger().with_variant(Integer(), "sqlite")


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

APPEND_ONLY = {
    "postgresql": (
        """create function refuse_change() returns trigger language plpgsql as $$
           begin raise exception '% is append-only: correct by a new event', tg_table_name; end $$""",
        """create trigger events_append_only before update or delete or truncate on events
           for each statement execute function refuse_change()""",
    ),
    "sqlite": (
        """create trigger events_no_update before update on events
           begin select raise(abort, 'events is append-only: correct by a new event'); end""",
        """create trigger events_no_delete before delete on events
           begin select raise(abort, 'events is append-only: correct by a new event'); end""",
        """create trigger events_to_outbox after insert on events
           begin insert into outbox (position) values (new.position); end""",
    ),
}
