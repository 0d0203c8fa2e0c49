from services.efficacy.tables import METADATA
from shared.migrations import run

run(METADATA)
