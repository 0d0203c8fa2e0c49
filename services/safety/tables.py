"""The tables of safety's database: its event store, what it knows of participants, and its alerts to deliver."""

from sqlalchemy import Column, Integer, MetaData, Table, Text

from shared.db import Instant
from shared.eventstore.tables import event_store_tables
from shared.projection import projection_tables

METADATA = MetaData()
event_store_tables(METADATA)
projection_tables(METADATA)

participants = Table(
    "participants",
    METADATA,
    Column("participant_id", Text, primary_key=True, comment="as in events.subject"),
    Column("site_id", Text),
    Column("time_zone", Text, comment="the site's, in which dates of the participant are meant"),
    Column("status", Text),
    Column("sex", Text),
    Column("birth_month", Text, comment="YYYY-MM"),
    Column("infused_at", Instant, comment="the first infusion's start"),
)

alerts = Table(
    "alerts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("raised_at", Instant),
    Column("traceparent", Text),
    Column("delivered_at", Instant),
)

# The delivery's own memory, written by nothing else: rebuilding `alerts` neither forgets nor repeats a delivery.
delivery_attempts = Table(
    "delivery_attempts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("last_attempt_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("last_failure", Text, comment="what the receiver answered; None: no answer is known yet"),
    Column("delivered_at", Instant),
)
