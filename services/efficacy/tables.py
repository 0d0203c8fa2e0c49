"""The tables of efficacy's database: its event store, and what it knows of participants."""

from sqlalchemy import Column, MetaData, Table, Text

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
    Column("diagnosis", Text, comment="by which the protocol chooses the criteria"),
)
