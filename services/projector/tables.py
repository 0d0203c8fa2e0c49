"""The projector's database: its read models declare their tables here, each in its own module."""

from sqlalchemy import MetaData

from shared.eventstore.tables import event_store_tables
from shared.projection import projection_tables

METADATA = MetaData()
event_store_tables(METADATA)  # of which the projector uses the leases: one worker at a time
projection_tables(METADATA)

ENROLLMENT, SAFETY, EFFICACY, BIOMARKERS = "trial.enrollment", "trial.safety", "trial.efficacy", "trial.biomarkers"
