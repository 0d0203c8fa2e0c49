"""Reports of the trial that recur and wait: which, for whom, since when and until when."""

from typing import Any

from sqlalchemy import Boolean, Column, Table, Text, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.tables import METADATA, SAFETY
from shared.contracts.safety_periodic_reports import PeriodicClockMet, PeriodicClockStarted, PeriodicClockStopped
from shared.db import Instant
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

periodic_clocks = Table(
    "periodic_clocks",
    METADATA,
    Column("clock_id", Text, primary_key=True),
    Column("clock", Text),
    Column("to", Text),
    Column("since", Instant),
    Column("due_at", Instant),
    Column("over", Boolean, nullable=False, server_default=false(), comment="sent, or stopped"),
)

PROJECTION = Projection("periodic-clocks", tables=[periodic_clocks], topics=[SAFETY])


@PROJECTION.on(PeriodicClockStarted)
def _(rows: Rows, event: PeriodicClockStarted, _envelope: Envelope) -> None:
    told = event.model_dump(include={"clock", "to", "since", "due_at"})
    rows.upsert(periodic_clocks, {"clock_id": event.clock_id}, **told)


@PROJECTION.on(PeriodicClockMet, PeriodicClockStopped)
def _(rows: Rows, event: PeriodicClockMet | PeriodicClockStopped, _envelope: Envelope) -> None:
    rows.upsert(periodic_clocks, {"clock_id": event.clock_id}, over=True)


async def waiting(connection: AsyncConnection) -> list[dict[str, Any]]:
    """The periods whose report is not on record, the first due before the others."""
    waits = periodic_clocks.c.over.is_(False) & periodic_clocks.c.since.is_not(None)
    query = select(periodic_clocks).where(waits).order_by(periodic_clocks.c.due_at, periodic_clocks.c.clock_id)
    return [dict(row) for row in (await connection.execute(query)).mappings().all()]
