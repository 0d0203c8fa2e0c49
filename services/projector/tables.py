"""The projector's database: its read models declare their tables here, each in its own module."""

from sqlalchemy import MetaData

from shared.eventstore.tables import leases_table
from shared.projection import projection_tables

METADATA = MetaData()
leases_table(METADATA)
projection_tables(METADATA)

ENROLLMENT, SAFETY, EFFICACY, BIOMARKERS = "trial.enrollment", "trial.safety", "trial.efficacy", "trial.biomarkers"
