"""Rows of laboratories that wait in quarantine: which, since when and why, and nothing that stands in them."""

from typing import Any

from sqlalchemy import Boolean, Column, Table, Text, Uuid, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope
from services.projector.tables import METADATA, SAFETY
from shared.contracts.safety_laboratory import LaboratoryRowDiscarded, LaboratoryRowQuarantined, LaboratoryRowReleased
from shared.db import Instant
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

quarantined_rows = Table(
    "quarantined_rows",
    METADATA,
    Column("quarantine_id", Uuid, primary_key=True),
    Column("laboratory_id", Text),
    Column("site_id", Text),
    Column("problem", Text),
    Column("received_at", Instant),
    Column("settled", Boolean, nullable=False, server_default=false()),
)

PROJECTION = Projection("quarantined-rows", tables=[quarantined_rows], topics=[SAFETY])


@PROJECTION.on(LaboratoryRowQuarantined)
def _(rows: Rows, event: LaboratoryRowQuarantined, _envelope: Envelope) -> None:
    told = event.model_dump(include={"laboratory_id", "site_id", "received_at"})
    rows.upsert(quarantined_rows, {"quarantine_id": event.quarantine_id}, **told, problem=event.problem.value)


@PROJECTION.on(LaboratoryRowReleased, LaboratoryRowDiscarded)
def _(rows: Rows, event: LaboratoryRowReleased | LaboratoryRowDiscarded, _envelope: Envelope) -> None:
    rows.upsert(quarantined_rows, {"quarantine_id": event.quarantine_id}, settled=True)


async def waiting(connection: AsyncConnection, scope: Scope) -> list[dict[str, Any]]:
    """The rows that wait at the caller's sites, the oldest first."""
    waits = quarantined_rows.c.settled.is_(False) & quarantined_rows.c.received_at.is_not(None)
    query = select(quarantined_rows).where(waits)
    if scope.sites is not None:
        query = query.where(quarantined_rows.c.site_id.in_(sorted(scope.sites)))
    query = query.order_by(quarantined_rows.c.received_at, quarantined_rows.c.quarantine_id)
    return [dict(row) for row in (await connection.execute(query)).mappings().all()]
