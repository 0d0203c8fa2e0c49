"""Intake: participants by subject number, and the messages of feeds with what waits of them."""

from alembic import op
from sqlalchemy import Column, Text

from shared.db import Instant, Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "subjects",
        Column("participant_id", Text, primary_key=True),
        Column("subject_number", Text),
        Column("site_id", Text),
    )
    op.create_index("ix_subjects_number", "subjects", ["subject_number"])
    op.create_table(
        "messages",
        Column("message_id", Text, primary_key=True),
        Column("source_id", Text, nullable=False),
        Column("site_id", Text, comment="None: the source was not registered when the message came"),
        Column("format", Text, nullable=False),
        Column("control_id", Text, comment="what the sender knows the message by"),
        Column("digest", Text, nullable=False, comment="of what was read of the message"),
        Column("answer", Json, nullable=False, comment="as it was given the first time"),
        Column("waiting", Json, nullable=False, comment="observations that could not be read, and why"),
        Column("received_at", Instant, nullable=False),
        Column("received_by", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("settled_at", Instant),
        Column("settled_by", Text),
        Column("reason", Text),
    )
    op.create_index("ix_messages_state", "messages", ["state"])
