"""Gate sets: gates that a laboratory applies to its files again and again."""

from alembic import op
from sqlalchemy import Column, Text

from shared.db import Instant, Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "gate_sets",
        Column("gate_set_id", Text, primary_key=True),
        Column("site_id", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("gating_ml", Text, nullable=False),
        Column("populations", Json, nullable=False, comment="what gates hold, by their name or path"),
        Column("saved_at", Instant, nullable=False),
        Column("saved_by", Text, nullable=False),
    )
    op.create_index("ix_gate_sets_site_id", "gate_sets", ["site_id"])
