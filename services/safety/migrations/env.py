from services.safety.tables import METADATA
from shared.migrations import run

run(METADATA)
