"""The tables of enrollment's database: its event store, and what it has heard of halts of dosing."""

from sqlalchemy import Boolean, Column, MetaData, Table, Text

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
