"""Custody of specimens: the steps that stand, one row each, and the results that name a specimen."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, Integer, RowMapping, Table, Text, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, about
from services.projector.tables import BIOMARKERS, METADATA
from shared.contracts.biomarkers_specimens import (
    AliquotMade,
    ResultKind,
    SpecimenAliquoted,
    SpecimenAnalysed,
    SpecimenAnalysisWithdrawn,
    SpecimenCollected,
    SpecimenLost,
    SpecimenNotCollected,
    SpecimenReceived,
    SpecimenRejected,
    SpecimenShipped,
    SpecimenStepCorrected,
    SpecimenStepRetracted,
)
from shared.db import Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

custody_steps = Table(
    "custody_steps",
    METADATA,
    Column("specimen_id", Uuid, primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False, comment="the event that recorded it"),
    Column("participant_id", Uuid, index=True),
    Column("status", Text, comment="where the specimen stands after it"),
    Column("at", Instant),
    Column("parent_id", Uuid),
    Column("details", Json, comment="as the event tells them"),
)

specimen_analyses = Table(
    "specimen_analyses",
    METADATA,
    Column("specimen_id", Uuid, primary_key=True),
    Column("result_kind", Text, primary_key=True),
    Column("result_id", Uuid, primary_key=True),
    Column("step", Integer),
)

PROJECTION = Projection("specimens", tables=[custody_steps, specimen_analyses], topics=[BIOMARKERS])

_INSTANTS = ("collected_at", "shipped_at", "received_at", "aliquoted_at", "rejected_at", "noted_at")


def _at(details: Any) -> Any:
    return next((getattr(details, name) for name in _INSTANTS if hasattr(details, name)), None)


def _keep(rows: Rows, event: Any, envelope: Envelope, status: str, details: Any, **more: Any) -> None:
    rows.upsert(
        custody_steps,
        {"specimen_id": event.specimen_id, "step": envelope.version},
        participant_id=event.participant_id,
        status=status,
        details=details.model_dump(mode="json"),
        **({"at": _at(details)} | more),
    )


@PROJECTION.on(SpecimenCollected)
def _(rows: Rows, event: SpecimenCollected, envelope: Envelope) -> None:
    _keep(rows, event, envelope, "collected", event.collection)


@PROJECTION.on(SpecimenNotCollected)
def _(rows: Rows, event: SpecimenNotCollected, envelope: Envelope) -> None:
    _keep(rows, event, envelope, "missing", event.absence)


@PROJECTION.on(AliquotMade)
def _(rows: Rows, event: AliquotMade, envelope: Envelope) -> None:
    place = "received" if event.at_laboratory else "collected"
    made = {"at": event.aliquoted_at, "parent_id": event.parent_id}
    _keep(rows, event, envelope, place, event.aliquot, **made)


@PROJECTION.on(SpecimenShipped)
def _(rows: Rows, event: SpecimenShipped, envelope: Envelope) -> None:
    _keep(rows, event, envelope, "in-transit", event.shipment)


@PROJECTION.on(SpecimenReceived)
def _(rows: Rows, event: SpecimenReceived, envelope: Envelope) -> None:
    _keep(rows, event, envelope, "received", event.receipt)


@PROJECTION.on(SpecimenAliquoted)
def _(rows: Rows, event: SpecimenAliquoted, envelope: Envelope) -> None:
    _keep(rows, event, envelope, "aliquoted", event.aliquoting)


@PROJECTION.on(SpecimenRejected)
def _(rows: Rows, event: SpecimenRejected, envelope: Envelope) -> None:
    _keep(rows, event, envelope, "rejected", event.rejection)


@PROJECTION.on(SpecimenLost)
def _(rows: Rows, event: SpecimenLost, envelope: Envelope) -> None:
    _keep(rows, event, envelope, "lost", event.loss)


@PROJECTION.on(SpecimenAnalysed)
def _(rows: Rows, event: SpecimenAnalysed, envelope: Envelope) -> None:
    rows.upsert(specimen_analyses, _analysis(event), step=envelope.version)


@PROJECTION.on(SpecimenAnalysisWithdrawn)
def _(rows: Rows, event: SpecimenAnalysisWithdrawn, _envelope: Envelope) -> None:
    rows.delete(specimen_analyses, _analysis(event))


@PROJECTION.on(SpecimenStepCorrected)
def _(rows: Rows, event: SpecimenStepCorrected, _envelope: Envelope) -> None:
    key = {"specimen_id": event.specimen_id, "step": event.step}
    rows.upsert(custody_steps, key, at=_at(event.details), details=event.details.model_dump(mode="json"))


@PROJECTION.on(SpecimenStepRetracted)
def _(rows: Rows, event: SpecimenStepRetracted, _envelope: Envelope) -> None:
    rows.delete(custody_steps, {"specimen_id": event.specimen_id, "step": event.step})


def _analysis(event: SpecimenAnalysed | SpecimenAnalysisWithdrawn) -> dict[str, Any]:
    return {
        "specimen_id": event.specimen_id,
        "result_kind": event.result.kind.value,
        "result_id": event.result.id,
    }


async def steps(connection: AsyncConnection, scope: Scope) -> dict[UUID, list[RowMapping]]:
    """The steps that stand of each specimen that there is, in order."""
    query = select(custody_steps).where(about(custody_steps.c.participant_id, scope))
    found: dict[UUID, list[RowMapping]] = {}
    ordered = query.order_by(custody_steps.c.specimen_id, custody_steps.c.step)
    for row in (await connection.execute(ordered)).mappings().all():
        found.setdefault(row["specimen_id"], []).append(row)
    return found


async def analyses(connection: AsyncConnection) -> dict[UUID, list[int]]:
    """The number of each analysis among the steps of its specimen, in order."""
    found: dict[UUID, list[int]] = {}
    for row in (await connection.execute(select(specimen_analyses).order_by(specimen_analyses.c.step))).all():
        found.setdefault(row.specimen_id, []).append(row.step)
    return found


async def named_by_results(connection: AsyncConnection) -> dict[tuple[ResultKind, UUID], UUID]:
    """The specimen that each result names; a result without one is not among them."""
    rows = (await connection.execute(select(specimen_analyses))).all()
    return {(ResultKind(row.result_kind), row.result_id): row.specimen_id for row in rows}
