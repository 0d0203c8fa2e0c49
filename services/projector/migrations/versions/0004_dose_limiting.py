"""Dose-limiting toxicities, halts of dosing, the time zone of each participant's site, and whom a clock concerns."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, Text, Uuid, false

from shared.db import ExactDecimal, Instant, Json

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("participants", Column("time_zone", Text, comment="the site's"))
    op.add_column("case_clocks", Column("participant_id", Uuid))
    op.create_table(
        "dose_limiting_toxicities",
        Column("dlt_id", Uuid, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("source_kind", Text),
        Column("source_id", Uuid),
        Column("basis", Json, comment="what the rules find now, as in the event"),
        Column("withdrawn", Boolean, nullable=False, server_default=false()),
        Column("proposed_at", Instant),
        Column("decision", Text),
        Column("reason", Text),
        Column("decided_on", Json, comment="the basis at the decision"),
        Column("decided_at", Instant),
        Column("decided_by", Text),
        Column("version", Integer, comment="of the participant's stream: the ETag to decide with"),
    )
    op.create_table(
        "dosing_halts",
        Column("rule", Text, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("participants", Json, comment="those with the event, as last said"),
        Column("evaluable", Integer),
        Column("posterior", ExactDecimal),
        Column("triggered_at", Instant),
        Column("holds", Boolean),
        Column("decision", Text),
        Column("reason", Text),
        Column("reviewed_at", Instant),
        Column("reviewed_by", Text),
    )
