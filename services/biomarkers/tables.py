"""The tables of the biomarkers database: its event store, and what it knows of participants."""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table, Text

from shared.db import Instant, Json
from shared.eventstore.tables import event_store_tables
from shared.former_sites import former_sites_table
from shared.known_consents import known_consents_table
from shared.projection import projection_tables

METADATA = MetaData()
event_store_tables(METADATA)
projection_tables(METADATA)
known_consents = known_consents_table(METADATA)
former_sites = former_sites_table(METADATA)

events = METADATA.tables["events"]
Index("ix_events_subject", events.c.subject)  # a fold change looks at all panels of its participant

participants = Table(
    "participants",
    METADATA,
    Column("participant_id", Text, primary_key=True, comment="as in events.subject"),
    Column("site_id", Text),
    Column("day_zero", Instant, comment="the infusion from which the schedule counts"),
)

# Whom feeds name: participants by subject number.
subjects = Table(
    "subjects",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("subject_number", Text),
    Column("site_id", Text),
    Index("ix_subjects_number", "subject_number"),
)

# Messages of feeds: that each is answered once, and what waits of it. Nothing here names a person but by number.
messages = Table(
    "messages",
    METADATA,
    Column("message_id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("site_id", Text, comment="None: the source was not registered when the message came"),
    Column("format", Text, nullable=False),
    Column("control_id", Text, comment="what the sender knows the message by"),
    Column("digest", Text, nullable=False, comment="of what was read of the message"),
    Column("answer", Json, nullable=False, comment="as it was given the first time"),
    Column("waiting", Json, nullable=False, comment="observations that could not be read, and why"),
    Column("lacks_consent", Boolean, nullable=False, comment="whether any of them waits for a consent"),
    Column("received_at", Instant, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("settled_at", Instant),
    Column("settled_by", Text),
    Column("reason", Text),
)

# The watch's own memory, written by nothing else: how much of consent had been heard when it looked.
consent_looks = Table(
    "consent_looks",
    METADATA,
    Column("message_id", Text, primary_key=True),
    Column("heard", Integer, nullable=False, comment="events of consent"),
)

# Gates that a laboratory applies again and again. No events: Gating-ML may hold free text, and events cannot be erased.
gate_sets = Table(
    "gate_sets",
    METADATA,
    Column("gate_set_id", Text, primary_key=True),
    Column("site_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("gating_ml", Text, nullable=False),
    Column("populations", Json, nullable=False, comment="what gates hold, by their name or path"),
    Column("saved_at", Instant, nullable=False),
    Column("saved_by", Text, nullable=False),
)
