from services.projector.readmodels import all as _declared  # noqa: F401 - read models declare their tables at import
from services.projector.tables import METADATA
from shared.migrations import run

run(METADATA)
