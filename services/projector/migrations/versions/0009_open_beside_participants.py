"""What is open and about no participant: rows of laboratories in quarantine, reports that recur."""

from alembic import op
from sqlalchemy import Boolean, Column, Text, Uuid, false

from shared.db import Instant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "quarantined_rows",
        Column("quarantine_id", Uuid, primary_key=True),
        Column("laboratory_id", Text),
        Column("site_id", Text),
        Column("problem", Text),
        Column("received_at", Instant),
        Column("settled", Boolean, nullable=False, server_default=false()),
    )
    op.create_table(
        "periodic_clocks",
        Column("clock_id", Text, primary_key=True),
        Column("clock", Text),
        Column("to", Text),
        Column("since", Instant),
        Column("due_at", Instant),
        Column("over", Boolean, nullable=False, server_default=false(), comment="sent, or stopped"),
    )
