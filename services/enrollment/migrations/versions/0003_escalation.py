"""What the escalation of the dose rests on beside enrollment's own streams, and what its watch remembers."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, Text

from shared.db import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "toxicity_decisions",
        Column("dlt_id", Text, primary_key=True),
        Column("participant_id", Text),
        Column("proposed", Boolean, comment="false: withdrawn, since no rule holds any more"),
        Column("decision", Text, comment="confirmed, refuted; null: nobody has decided"),
    )
    op.create_index("ix_toxicity_decisions_participant_id", "toxicity_decisions", ["participant_id"])
    op.create_table(
        "halt_steps",
        Column("stream", Text, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("rule", Text),
        Column("halts", Boolean, comment="false: reviewed, so that dosing resumes"),
        Column("at", Instant),
    )
    op.create_table(
        "infused_once",
        Column("participant_id", Text, primary_key=True, comment="infused, as was recorded at least once"),
    )
    op.create_table(
        "escalation_basis",
        Column("topic", Text, primary_key=True),
        Column("changed_by", Text, comment="the last event that may change what a decision rests on"),
    )
    op.create_table(
        "escalation_looks",
        Column("topic", Text, primary_key=True),
        Column("looked_for", Text, nullable=False, comment="escalation_basis.changed_by when it looked"),
    )
