from services.biomarkers.tables import METADATA
from shared.migrations import run

run(METADATA)
