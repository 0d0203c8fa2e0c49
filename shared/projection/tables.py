"""The tables in which projections keep what they have taken in, and what they could not.

They stand in the same database as the read models, so that rows and cursors move in one transaction: that, and
nothing else, is what makes a projection exact when messages repeat and processes die.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import Instant

# JSON-ready values; None is SQL's NULL, not JSON's.
Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def projection_tables(metadata: sa.MetaData) -> None:
    """Add the runtime's tables to a service's metadata."""
    for name, parts in _PARTS.items():
        sa.Table(name, metadata, *parts())


def create_projection_tables_v1(op: Any) -> None:
    """The same tables as a migration makes them. `op` is alembic's."""
    for name, parts in _PARTS.items():
        op.create_table(name, *parts())


def _cursors() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, comment="the last version of the stream that was taken in"),
    ]


def _progress() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False, comment="another number after every change"),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("last_recorded_at", Instant),
        sa.Column("last_event_id", sa.Uuid),
        sa.Column("categories", sa.Text, nullable=False, comment="kinds of streams it has met, comma separated"),
        sa.Column("halted_reason", sa.Text),
        sa.Column("rebuild", sa.Text, comment="the rebuild that may write to the tables aside"),
    ]


def _offsets() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    ]


def _parked() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("position", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("projection", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False, comment="empty: a message that is none of our events"),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("parked_at", Instant, nullable=False),
        sa.UniqueConstraint("projection", "stream", "version", name="uq_parked_events_projection"),
    ]


_PARTS = {
    "projection_cursors": _cursors,
    "projection_progress": _progress,
    "projection_offsets": _offsets,
    "parked_events": _parked,
}

TABLES = sa.MetaData()
projection_tables(TABLES)
cursors = TABLES.tables["projection_cursors"]
progress = TABLES.tables["projection_progress"]
offsets = TABLES.tables["projection_offsets"]
parked_events = TABLES.tables["parked_events"]
