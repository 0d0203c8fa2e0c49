"""New anticancer therapy: what participants began against the tumour after the infusion, as it is on record now."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, Table, Text, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.tables import ENROLLMENT, METADATA
from shared.contracts.enrollment_anticancer_therapy import (
    AnticancerTherapyCorrected,
    AnticancerTherapyRecorded,
    AnticancerTherapyRetracted,
    TherapyKind,
)
from shared.contracts.terms import PartialDate
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

anticancer_therapies = Table(
    "anticancer_therapies",
    METADATA,
    Column("participant_id", Uuid, primary_key=True),
    Column("therapy_id", Uuid, primary_key=True),
    Column("kind", Text),
    Column("started_on", Text, comment="a date as far as it is known"),
)

PROJECTION = Projection("anticancer-therapies", tables=[anticancer_therapies], topics=[ENROLLMENT])


@PROJECTION.on(AnticancerTherapyRecorded, AnticancerTherapyCorrected)
def _(rows: Rows, event: AnticancerTherapyRecorded | AnticancerTherapyCorrected, _envelope: Envelope) -> None:
    rows.upsert(anticancer_therapies, _key(event), kind=event.kind.value, started_on=event.started_on)


@PROJECTION.on(AnticancerTherapyRetracted)
def _(rows: Rows, event: AnticancerTherapyRetracted, _envelope: Envelope) -> None:
    rows.delete(anticancer_therapies, _key(event))


def _key(event: Any) -> dict[str, UUID]:
    return {"participant_id": event.participant_id, "therapy_id": event.therapy_id}


class AnticancerTherapy(BaseModel):
    """One therapy (CM, PR), begun after the infusion."""

    model_config = ConfigDict(from_attributes=True)

    therapy_id: UUID
    kind: TherapyKind
    started_on: PartialDate


async def of(connection: AsyncConnection, participant_id: UUID) -> tuple[AnticancerTherapy, ...]:
    """The therapies of one participant, the first one before the others."""
    own = select(anticancer_therapies).where(anticancer_therapies.c.participant_id == participant_id)
    ordered = own.order_by(anticancer_therapies.c.started_on, anticancer_therapies.c.therapy_id)
    return tuple(AnticancerTherapy.model_validate(row) for row in (await connection.execute(ordered)).all())


async def begun(connection: AsyncConnection) -> dict[UUID, list[str]]:
    """When each participant began new therapies, as far as the dates are known."""
    found: dict[UUID, list[str]] = {}
    query = select(anticancer_therapies.c.participant_id, anticancer_therapies.c.started_on)
    for row in (await connection.execute(query)).all():
        found.setdefault(row.participant_id, []).append(row.started_on)
    return found
