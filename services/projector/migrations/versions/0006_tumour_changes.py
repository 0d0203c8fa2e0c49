"""How the measured tumour compares with the baseline, as figures draw it."""

from alembic import op
from sqlalchemy import Column, Text, Uuid

from shared.db import ExactDecimal

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "tumour_changes",
        Column("assessment_id", Uuid, primary_key=True),
        Column("participant_id", Uuid),
        Column("evaluator", Text),
        Column("baseline_on", Text),
        Column("percent_from_baseline", ExactDecimal, comment="NULL: no sum here, or none at baseline"),
    )
    op.create_index("ix_tumour_changes_participant_id", "tumour_changes", ["participant_id"])
