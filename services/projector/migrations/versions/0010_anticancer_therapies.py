"""New anticancer therapy of participants."""

from alembic import op
from sqlalchemy import Column, Text, Uuid

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "anticancer_therapies",
        Column("participant_id", Uuid, primary_key=True),
        Column("therapy_id", Uuid, primary_key=True),
        Column("kind", Text),
        Column("started_on", Text, comment="a date as far as it is known"),
    )
