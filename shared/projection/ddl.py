"""The projections' own tables as migrations make them. A version of this shape is frozen once it is released:
services' histories call it by its number, and a later shape is a new function.
"""

from typing import Any

import sqlalchemy as sa

from shared.db import Instant, Position


def create_projection_tables_v1(op: Any) -> None:
    """Tables `projection_cursors`, `projection_progress`, `projection_offsets`, `parked_events`. `op` is alembic's."""
    op.create_table(
        "projection_cursors",
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, comment="the last version of the stream that was taken in"),
    )
    op.create_table(
        "projection_progress",
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False, comment="another number after every change"),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("last_recorded_at", Instant),
        sa.Column("last_event_id", sa.Uuid),
        sa.Column("categories", sa.Text, nullable=False, comment="kinds of streams it has met, comma separated"),
        sa.Column("halted_reason", sa.Text),
        sa.Column("rebuild", sa.Text, comment="the rebuild that may write to the tables aside"),
    )
    op.create_table(
        "projection_offsets",
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "parked_events",
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
