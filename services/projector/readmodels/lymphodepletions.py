"""Lymphodepletion: the chemotherapy that prepared participants for their infusions, as it is on record now."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, Date, Integer, Table, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.tables import ENROLLMENT, METADATA
from shared.contracts.enrollment_lymphodepletion import (
    DrugGiven,
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.db import Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

lymphodepletions = Table(
    "lymphodepletions",
    METADATA,
    Column("participant_id", Uuid, primary_key=True),
    Column("lymphodepletion_id", Uuid, primary_key=True),
    Column("prepares_infusion", Integer),
    Column("began_on", Date),
    Column("first_dose_at", Instant),
    Column("drugs", Json, comment="as the event tells them"),
)

PROJECTION = Projection("lymphodepletions", tables=[lymphodepletions], topics=[ENROLLMENT])


@PROJECTION.on(LymphodepletionRecorded, LymphodepletionCorrected)
def _(rows: Rows, event: LymphodepletionRecorded | LymphodepletionCorrected, _envelope: Envelope) -> None:
    told = event.model_dump(include={"prepares_infusion", "began_on", "first_dose_at"})
    rows.upsert(lymphodepletions, _key(event), **told, drugs=[each.model_dump(mode="json") for each in event.drugs])


@PROJECTION.on(LymphodepletionRetracted)
def _(rows: Rows, event: LymphodepletionRetracted, _envelope: Envelope) -> None:
    rows.delete(lymphodepletions, _key(event))


def _key(event: Any) -> dict[str, UUID]:
    return {"participant_id": event.participant_id, "lymphodepletion_id": event.lymphodepletion_id}


class Lymphodepletion(BaseModel):
    """One course (EX), and the number of the infusion that it prepared."""

    model_config = ConfigDict(from_attributes=True)

    lymphodepletion_id: UUID
    prepares_infusion: int
    began_on: date = Field(description="The first day on which a drug was given, at the site")
    first_dose_at: datetime | None = Field(description="Null: nobody knows the hour")
    drugs: tuple[DrugGiven, ...]


async def of(connection: AsyncConnection, participant_id: UUID) -> tuple[Lymphodepletion, ...]:
    """The courses of one participant, the first one before the others."""
    own = select(lymphodepletions).where(lymphodepletions.c.participant_id == participant_id)
    ordered = own.order_by(lymphodepletions.c.began_on, lymphodepletions.c.lymphodepletion_id)
    return tuple(Lymphodepletion.model_validate(row) for row in (await connection.execute(ordered)).all())
