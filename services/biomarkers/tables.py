"""The tables of the biomarkers database: its event store, and what it knows of participants."""

from sqlalchemy import Column, Index, MetaData, Table, Text

from shared.db import Instant
from shared.eventstore.tables import event_store_tables
from shared.projection import projection_tables

METADATA = MetaData()
event_store_tables(METADATA)
projection_tables(METADATA)

events = METADATA.tables["events"]
Index("ix_events_subject", events.c.subject)  # a fold change looks at all panels of its participant

participants = Table(
    "participants",
    METADATA,
    Column("participant_id", Text, primary_key=True, comment="as in events.subject"),
    Column("site_id", Text),
    Column("day_zero", Instant, comment="the infusion from which the schedule counts"),
)
