"""The tables in which projections keep what they have taken in, and what they could not.

They stand in the same database as the read models, so that rows and cursors move in one transaction: that, and
nothing else, is what makes a projection exact when messages repeat and processes die. Migrations make them: see
`shared.projection.ddl`.
"""

import sqlalchemy as sa

from shared.db import Instant, Position


def projection_tables(metadata: sa.MetaData) -> None:
    """Add the runtime's tables to a service's metadata."""
    sa.Table(
        "projection_cursors",
        metadata,
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, comment="the last version of the stream that was taken in"),
    )
    sa.Table(
        "projection_progress",
        metadata,
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False, comment="another number after every change"),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("last_recorded_at", Instant),
        sa.Column("last_event_id", sa.Uuid),
        sa.Column("categories", sa.Text, nullable=False, comment="kinds of streams it has met, comma separated"),
        sa.Column("halted_reason", sa.Text),
        sa.Column("rebuild", sa.Text, comment="the rebuild that may write to the tables aside"),
    )
    sa.Table(
        "projection_offsets",
        metadata,
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )
    sa.Table(
        "parked_events",
        metadata,
        sa.Column("position", Position, primary_key=True, autoincrement=True),
        sa.Column("projection", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False, comment="empty: a message that is none of our events"),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("parked_at", Instant, nullable=False),
        sa.UniqueConstraint("projection", "stream", "version", name="uq_parked_events_projection"),
    )


TABLES = sa.MetaData()
projection_tables(TABLES)
cursors = TABLES.tables["projection_cursors"]
progress = TABLES.tables["projection_progress"]
offsets = TABLES.tables["projection_offsets"]
parked_events = TABLES.tables["parked_events"]
