"""Where participants were before a transfer. Those of before are known once the projection is rebuilt."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "former_sites",
        Column("participant_id", Text, primary_key=True),
        Column("site_id", Text, primary_key=True),
        Column("until", Text, comment="the day of the transfer"),
    )
