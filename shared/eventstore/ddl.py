"""The event store as migrations make it. A version of this shape is frozen once it is released: services'
histories call it by its number, and a later shape is a new function.
"""

from typing import Any

import sqlalchemy as sa

from shared.db import Instant, Position

_APPEND_ONLY = {
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


def create_event_store_v1(op: Any) -> None:
    """Tables `events`, `outbox`, `leases`, and the triggers that make `events` append-only. `op` is alembic's."""
    op.create_table(
        "events",
        sa.Column("position", Position, primary_key=True, autoincrement=True),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("schema_version", sa.SmallInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False, comment="participant id, or site id: the key on the bus"),
        sa.Column("recorded_at", Instant, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("correlation_id", sa.Uuid, nullable=False),
        sa.Column("causation_id", sa.Uuid, nullable=False, comment="the id of the command"),
        sa.Column("traceparent", sa.Text),
        sa.Column("fingerprint", sa.String(64), nullable=False, comment="SHA-256 of the command's content"),
        sa.Column("data", sa.Text, nullable=False, comment="the event as JSON, byte for byte as published"),
        sa.UniqueConstraint("stream", "version", name="uq_events_stream"),
        sqlite_autoincrement=True,
    )
    op.create_table("outbox", sa.Column("position", Position, primary_key=True, autoincrement=False))
    create_leases_v1(op)
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def create_leases_v1(op: Any) -> None:
    """Table `leases` alone, for a database without events of its own. `op` is alembic's."""
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
    )
