"""The trial's escalation: everything its stream has told, so that the board folds it as enrollment does."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, cast, get_args

from sqlalchemy import Column, Integer, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.tables import ENROLLMENT, METADATA
from shared.contracts.enrollment_escalation import EscalationEvent
from shared.db import Instant
from shared.kernel.events import Envelope, decode
from shared.projection import Projection, Rows

escalation_events = Table(
    "escalation_events",
    METADATA,
    Column("stream", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("type", Text),
    Column("schema_version", Integer),
    Column("recorded_at", Instant),
    Column("actor", Text),
    Column("role", Text),
    Column("data", Text, comment="the event as JSON, as it was stored"),
)

PROJECTION = Projection("escalation", tables=[escalation_events], topics=[ENROLLMENT])


@PROJECTION.on(*get_args(EscalationEvent))
def _(rows: Rows, _event: EscalationEvent, envelope: Envelope) -> None:
    told = envelope.model_dump(include={"type", "schema_version", "recorded_at", "actor", "role", "data"})
    rows.insert_once(escalation_events, {"stream": envelope.stream, "version": envelope.version}, **told)


class ToldOfEscalation(NamedTuple):
    """An event, who recorded it, and when."""

    event: EscalationEvent
    actor: str
    role: str
    recorded_at: datetime


async def told(connection: AsyncConnection) -> Sequence[ToldOfEscalation]:
    """All of it, in order."""
    query = select(escalation_events).order_by(escalation_events.c.stream, escalation_events.c.version)
    rows = (await connection.execute(query)).all()
    return [
        ToldOfEscalation(
            cast("EscalationEvent", decode(row.type, row.schema_version, row.data)),
            row.actor,
            row.role,
            row.recorded_at,
        )
        for row in rows
    ]
