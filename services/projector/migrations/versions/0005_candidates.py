"""Adverse event candidates of laboratory values, and what was decided about them."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, Text, Uuid, false

from shared.db import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "adverse_event_candidates",
        Column("candidate_id", Uuid, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("term", Text),
        Column("onset", Text),
        Column("worst_grade", Integer),
        Column("ended_on", Text),
        Column("withdrawn", Boolean, nullable=False, server_default=false()),
        Column("opened_at", Instant),
        Column("decision", Text),
        Column("decided_grade", Integer, comment="the worst grade at the decision"),
        Column("decided_at", Instant),
        Column("adverse_event_id", Uuid),
    )
