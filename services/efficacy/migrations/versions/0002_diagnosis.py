"""The diagnosis of participants, by which the protocol chooses the criteria."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("participants", Column("diagnosis", Text, comment="by which the protocol chooses the criteria"))
