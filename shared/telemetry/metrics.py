"""The figures of a process, in Prometheus' text format. One worker per container, so one registry is enough."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram(
    "trial_http_request_seconds",
    "Time to answer, by service, route and status",
    ["service", "method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
PROBLEMS = Counter("trial_problems_total", "Problem answers by code", ["service", "code"])
OUTBOX_DEPTH = Gauge("trial_outbox_depth", "Events that wait to be published", ["service"])
OUTBOX_AGE = Gauge("trial_outbox_oldest_seconds", "Age of the oldest event that waits", ["service"])
PUBLISHED = Counter("trial_relay_published", "Events published", ["service"])
RELAY_ACTIVE = Gauge("trial_relay_active", "1 where this process holds the relay's lease", ["service"])
