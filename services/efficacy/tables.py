"""The tables of efficacy's database: its event store, and what it knows of participants."""

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

from shared.eventstore.tables import event_store_tables
from shared.known_consents import known_consents_table
from shared.projection import projection_tables

METADATA = MetaData()
event_store_tables(METADATA)
projection_tables(METADATA)
known_consents = known_consents_table(METADATA)

participants = Table(
    "participants",
    METADATA,
    Column("participant_id", Text, primary_key=True, comment="as in events.subject"),
    Column("site_id", Text),
    Column("time_zone", Text, comment="the site's, in which dates of the participant are meant"),
    Column("diagnosis", Text, comment="by which the protocol chooses the criteria"),
)

# Whom files name: participants by subject number.
subjects = Table(
    "subjects",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("subject_number", Text),
    Index("ix_subjects_number", "subject_number"),
)

# Which readings have responses, and which criteria assigned them: for the watch over criteria.
assigned_burdens = Table(
    "assigned_burdens",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("evaluator", Text, primary_key=True),
    Column("version", Integer, comment="of the last response that was assigned"),
)

criteria_looks = Table(
    "criteria_looks",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("evaluator", Text, primary_key=True),
    Column("version", Integer, nullable=False, comment="of the reading, when it looked"),
    Column("diagnosis", Text, comment="as in participants when it looked"),
    Column("protocol", Text, nullable=False),
)
