"""What is known of lymphodepletion, and what the watch over baselines looks at and remembers."""

from alembic import op
from sqlalchemy import Column, Date, Integer, Text

from shared.db import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    changed_by = Column("treatment_changed_by", Text, comment="the last event about when treatment began")
    op.add_column("participants", changed_by)
    op.create_table(
        "lymphodepletions",
        Column("participant_id", Text, primary_key=True),
        Column("lymphodepletion_id", Text, primary_key=True),
        Column("prepares_infusion", Integer),
        Column("began_on", Date, comment="the first day on which a drug was given, at the site"),
        Column("first_dose_at", Instant, comment="None: nobody knows the hour"),
    )
    op.create_table(
        "laboratory_courses",
        Column("participant_id", Text, primary_key=True),
        Column("version", Integer, comment="of the last event that brought, changed or cancelled a result"),
    )
    op.create_table(
        "laboratory_looks",
        Column("participant_id", Text, primary_key=True),
        Column("version", Integer, nullable=False, comment="of the results"),
        Column("treatment_changed_by", Text, comment="as in participants when it looked"),
        Column("protocol", Text, nullable=False),
    )
