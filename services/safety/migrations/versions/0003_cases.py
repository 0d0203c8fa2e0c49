"""What the clocks of cases look at, and remember; what reports tell of a participant."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, Text

from shared.db import ExactDecimal, Instant, Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "subjects",
        Column("participant_id", Text, primary_key=True),
        Column("subject_number", Text),
    )
    op.create_table(
        "infusions",
        Column("participant_id", Text, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("infusion", Json, comment="as a report tells it"),
        Column("weight_kg", ExactDecimal),
    )
    op.create_table(
        "cases",
        Column("adverse_event_id", Text, primary_key=True),
        Column("serious", Boolean, comment="an alert was raised; a later downgrade changes nothing here"),
        Column("adverse_event_version", Integer),
        Column("case_version", Integer),
        Column("traceparent", Text),
    )
    op.create_table(
        "expectations",
        Column("stream", Text, primary_key=True, comment="of the reference safety information"),
        Column("version", Integer, comment="how far it has come"),
    )
    op.create_table(
        "case_looks",
        Column("adverse_event_id", Text, primary_key=True),
        Column("adverse_event_version", Integer, nullable=False),
        Column("case_version", Integer, nullable=False),
        Column("expectations_version", Integer, nullable=False),
        Column("protocol", Text, nullable=False),
        Column("look_again_at", Instant, comment="when time alone brings about the next step"),
    )
