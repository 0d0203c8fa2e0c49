"""Begin: the event store, what is known of participants, the alerts to deliver."""

from alembic import op
from sqlalchemy import Column, Integer, Text

from shared.db import Instant
from shared.eventstore.ddl import create_event_store_v1
from shared.projection.ddl import create_projection_tables_v1

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_event_store_v1(op)
    create_projection_tables_v1(op)
    op.create_table(
        "participants",
        Column("participant_id", Text, primary_key=True, comment="as in events.subject"),
        Column("site_id", Text),
        Column("time_zone", Text, comment="the site's, in which dates of the participant are meant"),
        Column("status", Text),
        Column("sex", Text),
        Column("birth_month", Text, comment="YYYY-MM"),
        Column("infused_at", Instant, comment="the first infusion's start"),
    )
    op.create_table(
        "alerts",
        Column("alert_id", Text, primary_key=True),
        Column("raised_at", Instant),
        Column("traceparent", Text),
        Column("delivered_at", Instant),
    )
    op.create_table(
        "delivery_attempts",
        Column("alert_id", Text, primary_key=True),
        Column("attempts", Integer, nullable=False),
        Column("last_attempt_at", Instant, nullable=False),
        Column("next_attempt_at", Instant, nullable=False),
        Column("last_failure", Text, comment="what the receiver answered; None: no answer is known yet"),
        Column("delivered_at", Instant),
    )
