"""The alerts that were raised, and which of them the receiver has: from safety's own events, for the delivery alone."""

from services.safety.tables import alerts
from shared.contracts.safety import AlertDelivered, SeriousAdverseEventIdentified
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("alerts", tables=[alerts], topics=["trial.safety"])


@PROJECTION.on(SeriousAdverseEventIdentified)
def _(rows: Rows, event: SeriousAdverseEventIdentified, envelope: Envelope) -> None:
    rows.upsert(alerts, {"alert_id": event.alert_id}, raised_at=envelope.recorded_at, traceparent=envelope.traceparent)


@PROJECTION.on(AlertDelivered)
def _(rows: Rows, event: AlertDelivered, _envelope: Envelope) -> None:
    rows.upsert(alerts, {"alert_id": event.alert_id}, delivered_at=event.delivered_at)
