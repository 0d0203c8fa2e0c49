"""Products: the steps of each chain that stand, one row each, and what is alerted about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Column, Integer, Table, Text, Uuid, and_, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, about, participants
from services.projector.tables import ENROLLMENT, METADATA
from shared.contracts.enrollment_product import (
    InfusionAppraised,
    LeukapheresisCollected,
    ManufactureEnded,
    ManufactureStarted,
    ProductAlertAcknowledged,
    ProductAlertRaised,
    ProductDiverted,
    ProductInfused,
    ProductReceivedAtSite,
    ProductReceivedByManufacturer,
    ProductRejected,
    ProductReleased,
    ProductShipped,
    ProductStepCorrected,
    ProductStepRetracted,
    ProductThawed,
    ReleaseTestsRecorded,
)
from shared.contracts.enrollment_product_terms import ProductFinding, ProductStatus
from shared.db import Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

product_steps = Table(
    "product_steps",
    METADATA,
    Column("product_id", Uuid, primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False, comment="the event that recorded it"),
    Column("participant_id", Uuid, index=True),
    Column("status", Text, comment="where the product stands after it; tested: where it stood"),
    Column("at", Instant),
    Column("details", Json, comment="as the event tells them"),
    Column("verdicts", Json, comment="of release tests, by the limits of that day"),
    Column("temperature", Json, comment="held against the limits of that day"),
    Column("actor", Text),
    Column("role", Text),
    Column("recorded_at", Instant),
)

product_alerts = Table(
    "product_alerts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("product_id", Uuid),
    Column("point", Text),
    Column("at", Instant),
    Column("lot", Text),
    Column("bag", Text),
    Column("findings", Json),
    Column("given_despite", Text),
    Column("raised_at", Instant),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", Text),
    Column("note", Text),
)

PROJECTION = Projection("products", tables=[product_steps, product_alerts], topics=[ENROLLMENT])

# The part of each event that tells of its step, where the product stands then, and the part's instant.
_STEPS: dict[type[Any], tuple[str, ProductStatus, str]] = {
    LeukapheresisCollected: ("collection", ProductStatus.COLLECTED, "collected_at"),
    ProductReceivedByManufacturer: ("receipt", ProductStatus.AT_MANUFACTURER, "received_at"),
    ManufactureStarted: ("start", ProductStatus.IN_MANUFACTURE, "started_at"),
    ManufactureEnded: ("end", ProductStatus.MANUFACTURED, "ended_at"),
    ReleaseTestsRecorded: ("testing", ProductStatus.TESTED, "reported_at"),
    ProductReleased: ("release", ProductStatus.RELEASED, "decided_at"),
    ProductRejected: ("rejection", ProductStatus.REJECTED, "decided_at"),
    ProductShipped: ("shipment", ProductStatus.SHIPPED, "shipped_at"),
    ProductReceivedAtSite: ("receipt", ProductStatus.AT_SITE, "received_at"),
    ProductThawed: ("thaw", ProductStatus.THAWED, "thawed_at"),
    ProductInfused: ("infused", ProductStatus.INFUSED, "infused_at"),
    ProductDiverted: ("diverted", ProductStatus.DIVERTED, "diverted_at"),
}
_INSTANTS = tuple(dict.fromkeys(instant for _, _, instant in _STEPS.values()))


def _judged(event: Any) -> dict[str, Any]:
    temperature = getattr(event, "temperature", None)
    return {
        "verdicts": [verdict.model_dump(mode="json") for verdict in getattr(event, "verdicts", ())],
        "temperature": None if temperature is None else temperature.model_dump(mode="json"),
    }


def _alert_of_transport(rows: Rows, event: Any, step: int, at: datetime, envelope: Envelope) -> None:
    """A transport that was not within its limits is listed with what was refused, until it is put right."""
    key = {"alert_id": f"temperature-{event.product_id}-{step}"}
    if event.temperature is None or event.temperature.within is not False:
        rows.delete(product_alerts, key)
        return
    whose = {"participant_id": event.participant_id, "product_id": event.product_id}
    findings = [ProductFinding.TEMPERATURE_OUT_OF_LIMITS.value]
    rows.upsert(
        product_alerts, key, **whose, point="transport", at=at, findings=findings, raised_at=envelope.recorded_at
    )


@PROJECTION.on(*_STEPS)
def _(rows: Rows, event: Any, envelope: Envelope) -> None:
    part, status, instant = _STEPS[type(event)]
    details = getattr(event, part)
    if getattr(details, "failed", None) is not None:
        status = ProductStatus.MANUFACTURE_FAILED
    rows.upsert(
        product_steps,
        {"product_id": event.product_id, "step": envelope.version},
        participant_id=event.participant_id,
        status=status.value,
        at=getattr(details, instant),
        details=details.model_dump(mode="json"),
        **envelope.model_dump(include={"actor", "role", "recorded_at"}),
        **_judged(event),
    )
    if hasattr(event, "temperature"):
        _alert_of_transport(rows, event, envelope.version, getattr(details, instant), envelope)


@PROJECTION.on(ProductStepCorrected)
def _(rows: Rows, event: ProductStepCorrected, envelope: Envelope) -> None:
    at = next(getattr(event.details, name) for name in _INSTANTS if hasattr(event.details, name))
    key = {"product_id": event.product_id, "step": event.step}
    rows.upsert(product_steps, key, at=at, details=event.details.model_dump(mode="json"), **_judged(event))
    _alert_of_transport(rows, event, event.step, at, envelope)


@PROJECTION.on(ProductStepRetracted)
def _(rows: Rows, event: ProductStepRetracted, _envelope: Envelope) -> None:
    rows.delete(product_steps, {"product_id": event.product_id, "step": event.step})
    rows.delete(product_alerts, {"alert_id": f"temperature-{event.product_id}-{event.step}"})


@PROJECTION.on(ProductAlertRaised)
def _(rows: Rows, event: ProductAlertRaised, envelope: Envelope) -> None:
    told = event.model_dump(include={"participant_id", "product_id", "at", "lot", "bag"})
    findings = [finding.value for finding in event.findings]
    key = {"alert_id": str(event.alert_id)}
    rows.upsert(product_alerts, key, **told, point=event.point.value, findings=findings, raised_at=envelope.recorded_at)


@PROJECTION.on(ProductAlertAcknowledged)
def _(rows: Rows, event: ProductAlertAcknowledged, envelope: Envelope) -> None:
    taken = {"acknowledged_at": envelope.recorded_at, "acknowledged_by": envelope.actor, "note": event.note}
    rows.upsert(product_alerts, {"alert_id": str(event.alert_id)}, **taken)


@PROJECTION.on(InfusionAppraised)
def _(rows: Rows, event: InfusionAppraised, envelope: Envelope) -> None:
    """An infusion that deviates is listed with what was refused, until it is put right."""
    key = {"alert_id": f"infusion-{event.participant_id}-{event.infusion_number}"}
    if not event.findings:
        rows.delete(product_alerts, key)
        return
    told = event.model_dump(include={"participant_id", "product_id", "lot", "given_despite"})
    findings = [finding.value for finding in event.findings]
    rows.upsert(product_alerts, key, **told, point="given", findings=findings, raised_at=envelope.recorded_at)


class ProductStep(BaseModel):
    """One step of a chain that stands, as it was last put right."""

    participant_id: UUID
    subject_number: str
    site_id: str
    product_id: UUID
    step: int
    status: ProductStatus
    at: datetime
    details: dict[str, Any] = Field(description="As the step was recorded, or last put right")
    verdicts: list[dict[str, Any]] = Field(description="Release tests, each with what was asked, and whether it passed")
    temperature: dict[str, Any] | None
    actor: str
    role: str
    recorded_at: datetime


class ProductAlert(BaseModel):
    """What was refused (`point` says where it was scanned), an infusion that deviates (`given`), or a `transport`."""

    alert_id: str
    participant_id: UUID
    subject_number: str
    site_id: str
    product_id: UUID | None
    point: str
    at: datetime | None
    lot: str | None
    bag: str | None
    findings: list[ProductFinding]
    given_despite: str | None
    raised_at: datetime
    acknowledged_at: datetime | None = Field(description="Null: nobody has it in hand")
    acknowledged_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class StepKey:
    """Where a step stands in the order of the list."""

    subject_number: str
    product_id: UUID
    step: int


@dataclass(frozen=True, slots=True)
class AlertKey:
    """Where an alert stands in the order of the list."""

    raised_at: datetime
    alert_id: str


_WHO = (participants.c.subject_number, participants.c.site_id)
_ORDER = (participants.c.subject_number, product_steps.c.product_id, product_steps.c.step)


async def steps(connection: AsyncConnection, scope: Scope, after: StepKey | None, limit: int) -> list[ProductStep]:
    """The next steps after a key, in order of participants, products and steps."""
    joined = product_steps.join(participants, participants.c.participant_id == product_steps.c.participant_id)
    query = select(product_steps, *_WHO).select_from(joined).where(about(product_steps.c.participant_id, scope))
    if after is not None:
        bounds = (literal(after.subject_number), literal(after.product_id, Uuid), literal(after.step))
        query = query.where(tuple_(*_ORDER) > tuple_(*bounds))
    rows = await connection.execute(query.order_by(*_ORDER).limit(limit))
    return [ProductStep.model_validate(dict(row)) for row in rows.mappings()]


async def alerts(connection: AsyncConnection, scope: Scope, after: AlertKey | None, limit: int) -> list[ProductAlert]:
    """The next alerts after a key, the newest first."""
    joined = product_alerts.join(participants, participants.c.participant_id == product_alerts.c.participant_id)
    query = select(product_alerts, *_WHO).select_from(joined).where(about(product_alerts.c.participant_id, scope))
    raised_at, alert_id = product_alerts.c.raised_at, product_alerts.c.alert_id
    query = query.where(raised_at.is_not(None))
    if after is not None:
        older = raised_at < literal(after.raised_at, Instant)
        at_once = and_(raised_at == literal(after.raised_at, Instant), alert_id > after.alert_id)
        query = query.where(or_(older, at_once))
    rows = await connection.execute(query.order_by(raised_at.desc(), alert_id).limit(limit))
    return [ProductAlert.model_validate(dict(row)) for row in rows.mappings()]
