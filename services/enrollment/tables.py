"""The tables of enrollment's database: its event store, and what it has heard of toxicity and halts of dosing."""

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text

from shared.db import Instant
from shared.eventstore.tables import event_store_tables
from shared.projection import projection_tables

METADATA = MetaData()
event_store_tables(METADATA)
projection_tables(METADATA)

dosing_halts = Table(
    "dosing_halts",
    METADATA,
    Column("rule", Text, primary_key=True, comment="a stopping rule of the protocol that has fired"),
    Column("halts", Boolean, comment="false: reviewed, so that dosing resumes"),
)

# What the escalation of the dose rests on beside enrollment's own streams.
toxicity_steps = Table(
    "toxicity_steps",
    METADATA,
    Column("stream", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("dlt_id", Text),
    Column("participant_id", Text),
    Column("said", Text, comment="proposed, withdrawn, confirmed or refuted"),
    Column("at", Instant),
)

halt_steps = Table(
    "halt_steps",
    METADATA,
    Column("stream", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("rule", Text),
    Column("halts", Boolean, comment="false: reviewed, so that dosing resumes"),
    Column("at", Instant),
)

infused_once = Table(
    "infused_once",
    METADATA,
    Column("participant_id", Text, primary_key=True, comment="infused, as was recorded at least once"),
)

escalation_basis = Table(
    "escalation_basis",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("changed_by", Text, comment="the last event that may change what a decision rests on"),
)

# The watch's own memory, written by nothing else: what it has looked at.
escalation_looks = Table(
    "escalation_looks",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("looked_for", Text, nullable=False, comment="escalation_basis.changed_by when it looked"),
)
