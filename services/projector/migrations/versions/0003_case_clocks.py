"""The cases of serious adverse events: their clocks, their reports, the sponsor's judgement."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, Text, Uuid, false

from shared.db import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "case_clocks",
        Column("clock_id", Text, primary_key=True),
        Column("adverse_event_id", Uuid),
        Column("site_id", Text),
        Column("clock", Text),
        Column("to", Text),
        Column("number", Integer),
        Column("cause", Text),
        Column("reference", Text, comment="the alert's id, or the number of the identification or the report"),
        Column("since", Instant),
        Column("due_at", Instant),
        Column("due_soon", Boolean, nullable=False, server_default=false()),
        Column("escalation_level", Integer, nullable=False, server_default="0"),
        Column("missed", Boolean, nullable=False, server_default=false()),
        Column("met_at", Instant),
        Column("late", Boolean),
        Column("report_number", Integer),
        Column("stopped_because", Text),
    )
    op.create_table(
        "case_reports",
        Column("adverse_event_id", Uuid, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("site_id", Text),
        Column("kind", Text),
        Column("recipient", Text),
        Column("sent_at", Instant),
        Column("answered", Text),
        Column("answered_at", Instant),
    )
    op.create_table(
        "cases",
        Column("adverse_event_id", Uuid, primary_key=True),
        Column("site_id", Text),
        Column("susar", Text, comment="its urgency; none: no suspected unexpected serious adverse reaction"),
        Column("assessed_at", Instant),
    )
