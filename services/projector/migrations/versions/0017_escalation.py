"""The trial's escalation, event by event."""

from alembic import op
from sqlalchemy import Column, Integer, Text

from shared.db import Instant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "escalation_events",
        Column("stream", Text, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("type", Text),
        Column("schema_version", Integer),
        Column("recorded_at", Instant),
        Column("actor", Text),
        Column("role", Text),
        Column("data", Text, comment="the event as JSON, as it was stored"),
    )
