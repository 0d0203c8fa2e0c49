"""What an operator sees of projections: figures for the health page and for Prometheus.

Both are shown to whoever asks, so they hold no text that could quote a stream or an address. At which event a
projection has halted is told by the command `parked NAME`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter, Gauge

from shared.projection.ledger import Place, Standing
from shared.projection.planning import Step
from shared.projection.projection import Projection

_LABELS = ["service", "projection"]
LAG_EVENTS = Gauge("trial_projection_lag_events", "Events on the bus that are not taken in yet", _LABELS)
LAG_SECONDS = Gauge("trial_projection_lag_seconds", "Age of the newest event taken in, while others wait", _LABELS)
PARKED = Gauge("trial_projection_parked_events", "Events set aside", _LABELS)
HALTED = Gauge("trial_projection_halted", "1 where a gap has halted the projection", _LABELS)
APPLIED = Counter("trial_projection_applied", "Events that a handler took in", _LABELS)
IGNORED = Counter("trial_projection_ignored", "Events of kinds without a handler: the cursor moved on", _LABELS)
DUPLICATES = Counter("trial_projection_duplicates", "Events seen before, skipped", _LABELS)
SET_ASIDE = Counter("trial_projection_set_aside", "Events that were parked", _LABELS)
FOREIGN = Counter("trial_projection_foreign", "Messages that are none of our events, kept aside", _LABELS)


@dataclass(frozen=True, slots=True)
class ProjectionHealth:
    """How one projection stands."""

    name: str
    events: int
    lag_events: int
    lag_seconds: float
    parked: int
    halted: bool


def health_of(projection: Projection, standing: Standing, ends: Mapping[Place, int], now: datetime) -> ProjectionHealth:
    lag = sum(
        max(0, end - standing.offsets.get(place, 0)) for place, end in ends.items() if place[0] in projection.topics
    )
    since = standing.newest[0] if lag and standing.newest else now
    return ProjectionHealth(
        name=projection.name,
        events=standing.events,
        lag_events=lag,
        lag_seconds=max(0.0, (now - since).total_seconds()),
        parked=standing.parked_events,
        halted=standing.halted is not None,
    )


def count(service: str, step: Step) -> None:
    labels = service, step.projection.name
    for counter, number in (
        (APPLIED, step.counts.applied),
        (IGNORED, step.counts.ignored),
        (DUPLICATES, step.counts.duplicates),
        (SET_ASIDE, step.counts.parked),
        (FOREIGN, step.counts.foreign),
    ):
        if number:
            counter.labels(*labels).inc(number)


def show(service: str, health: ProjectionHealth) -> None:
    labels = service, health.name
    LAG_EVENTS.labels(*labels).set(health.lag_events)
    LAG_SECONDS.labels(*labels).set(health.lag_seconds)
    PARKED.labels(*labels).set(health.parked)
    HALTED.labels(*labels).set(health.halted)
