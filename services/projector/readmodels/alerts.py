"""Alerts of serious adverse events: raised in the event's stream, delivered and acknowledged in the alert's own."""

from typing import Any

from sqlalchemy import Column, Integer, Table, Text, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.functions import coalesce

from services.projector.readmodels.adverse_events import adverse_events
from services.projector.readmodels.participants import Scope, participants
from services.projector.tables import METADATA, SAFETY
from shared.contracts.safety import AlertAcknowledged, AlertDelivered, SeriousAdverseEventIdentified
from shared.db import Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

alerts = Table(
    "alerts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("adverse_event_id", Uuid),
    Column("participant_id", Uuid),
    Column("site_id", Text),
    Column("number", Integer),
    Column("because", Text),
    Column("seriousness", Json),
    Column("grade", Integer),
    Column("became_aware_at", Instant),
    Column("notices", Json),
    Column("raised_at", Instant),
    Column("delivered_at", Instant),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", Text),
    Column("note", Text),
)

PROJECTION = Projection("alerts", tables=[alerts], topics=[SAFETY])


@PROJECTION.on(SeriousAdverseEventIdentified)
def _(rows: Rows, event: SeriousAdverseEventIdentified, envelope: Envelope) -> None:
    told = event.model_dump(include={"adverse_event_id", "participant_id", "site_id", "number", "grade"})
    rows.upsert(
        alerts,
        {"alert_id": event.alert_id},
        **told,
        because=event.because.value,
        seriousness=[criterion.value for criterion in event.seriousness],
        became_aware_at=event.became_aware_at,
        notices=[notice.model_dump(mode="json") for notice in event.notices],
        raised_at=envelope.recorded_at,
    )


@PROJECTION.on(AlertDelivered)
def _(rows: Rows, event: AlertDelivered, _envelope: Envelope) -> None:
    rows.upsert(alerts, {"alert_id": event.alert_id}, delivered_at=event.delivered_at)


@PROJECTION.on(AlertAcknowledged)
def _(rows: Rows, event: AlertAcknowledged, envelope: Envelope) -> None:
    taken = {"acknowledged_at": envelope.recorded_at, "acknowledged_by": envelope.actor, "note": event.note}
    rows.upsert(alerts, {"alert_id": event.alert_id}, **taken)


async def raised(connection: AsyncConnection, scope: Scope) -> list[dict[str, Any]]:
    """Every alert, with its adverse event and its participant as they stand now, as far as they have arrived.

    Its site is where the participant is now, who may have been transferred since.
    """
    event, who = adverse_events.c, participants.c
    about = alerts.outerjoin(adverse_events, event.adverse_event_id == alerts.c.adverse_event_id)
    about = about.outerjoin(participants, who.participant_id == alerts.c.participant_id)
    here = coalesce(who.site_id, alerts.c.site_id)
    told = [each for each in alerts.c if each.name != "site_id"]
    now = (
        here.label("site_id"),
        who.subject_number,
        event.term,
        event.onset,
        event.ended_on,
        event.outcome,
        event.retracted,
    )
    query = select(*told, *now).select_from(about).where(alerts.c.raised_at.is_not(None))
    if scope.sites is not None:
        query = query.where(here.in_(sorted(scope.sites)))
    found = (await connection.execute(query.order_by(alerts.c.alert_id))).mappings().all()
    return [{str(name): value for name, value in row.items()} for row in found]
