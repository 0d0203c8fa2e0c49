"""Responses that somebody stated, beside those that the criteria assign."""

from alembic import op
from sqlalchemy import Column, Text, Uuid

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "reported_responses",
        Column("assessment_id", Uuid, primary_key=True),
        Column("evaluator", Text, primary_key=True),
        Column("criteria", Text, primary_key=True),
        Column("participant_id", Uuid),
        Column("response", Text, comment="as somebody stated it, overall"),
    )
    op.create_index("ix_reported_responses_participant_id", "reported_responses", ["participant_id"])
