"""Read models: what they are made of, how they follow the bus, how they are mended and rebuilt."""

from shared.projection.health import ProjectionHealth
from shared.projection.parking import ParkedEvent, Replayed, parked, replay_parked, resume
from shared.projection.projection import Projection
from shared.projection.rebuild import rebuild
from shared.projection.rows import Rows
from shared.projection.runtime import Runner
from shared.projection.tables import projection_tables
from shared.projection.waiting import AsOf, NotYetProjected, UnknownPosition, as_of, wait_for

__all__ = [
    "AsOf",
    "NotYetProjected",
    "ParkedEvent",
    "Projection",
    "ProjectionHealth",
    "Replayed",
    "Rows",
    "Runner",
    "UnknownPosition",
    "as_of",
    "parked",
    "projection_tables",
    "rebuild",
    "replay_parked",
    "resume",
    "wait_for",
]
