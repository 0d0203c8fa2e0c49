"""Participants by subject number: a file may say whose it is."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "subjects",
        Column("participant_id", Text, primary_key=True),
        Column("subject_number", Text),
    )
    op.create_index("ix_subjects_number", "subjects", ["subject_number"])
