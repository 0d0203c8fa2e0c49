"""Runs enrollment's migrations; see `shared.migrations`."""

from services.enrollment.tables import METADATA
from shared.migrations import run

run(METADATA)
