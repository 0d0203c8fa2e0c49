"""Lymphodepletion of participants."""

from alembic import op
from sqlalchemy import Column, Date, Integer, Uuid

from shared.db import Instant, Json

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "lymphodepletions",
        Column("participant_id", Uuid, primary_key=True),
        Column("lymphodepletion_id", Uuid, primary_key=True),
        Column("prepares_infusion", Integer),
        Column("began_on", Date),
        Column("first_dose_at", Instant),
        Column("drugs", Json, comment="as the event tells them"),
    )
