"""Rows of laboratories that could not be read, kept as they were sent."""

from alembic import op
from sqlalchemy import Column, Text

from shared.db import Instant, Json

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "lab_quarantine",
        Column("quarantine_id", Text, primary_key=True),
        Column("laboratory_id", Text, nullable=False),
        Column("site_id", Text, nullable=False),
        Column("row_key", Text, comment="what the laboratory knows the row by"),
        Column("row", Json, nullable=False),
        Column("problem", Text, nullable=False),
        Column("says", Text, nullable=False),
        Column("received_at", Instant, nullable=False),
        Column("received_by", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("settled_at", Instant),
        Column("settled_by", Text),
        Column("reason", Text),
    )
    op.create_index("ix_lab_quarantine_state", "lab_quarantine", ["state"])
    op.create_index("ix_lab_quarantine_row", "lab_quarantine", ["laboratory_id", "row_key"])
