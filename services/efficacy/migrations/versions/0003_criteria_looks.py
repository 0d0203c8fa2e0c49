"""What the watch over criteria looks at and remembers."""

from alembic import op
from sqlalchemy import Column, Integer, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "assigned_burdens",
        Column("participant_id", Text, primary_key=True),
        Column("evaluator", Text, primary_key=True),
        Column("version", Integer, comment="of the last response that was assigned"),
    )
    op.create_table(
        "criteria_looks",
        Column("participant_id", Text, primary_key=True),
        Column("evaluator", Text, primary_key=True),
        Column("version", Integer, nullable=False, comment="of the reading, when it looked"),
        Column("diagnosis", Text, comment="as in participants when it looked"),
        Column("protocol", Text, nullable=False),
    )
