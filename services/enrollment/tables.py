"""The tables of enrollment's database: its event store, and nothing else. It needs nothing of other services."""

from sqlalchemy import MetaData

from shared.eventstore.tables import event_store_tables

METADATA = MetaData()
event_store_tables(METADATA)
