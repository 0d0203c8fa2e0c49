"""Transgene copies, a series of their own beside flow results."""

from alembic import op
from sqlalchemy import Boolean, Column, Text, Uuid, false

from shared.db import ExactDecimal, Instant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "transgene_results",
        Column("transgene_result_id", Uuid, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("specimen", Text),
        Column("collected_at", Instant),
        Column("method", Text),
        Column("below_lloq", Boolean),
        Column("detectable", Boolean),
        Column("copies_per_ug", ExactDecimal),
        Column("lloq_copies_per_ug", ExactDecimal),
        Column("cancelled", Boolean, nullable=False, server_default=false()),
    )
