"""Products: the steps of each chain that stand, one row each, and what is alerted about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Column, Integer, Table, Text, Uuid, select
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


@PROJECTION.on(ProductStepCorrected)
def _(rows: Rows, event: ProductStepCorrected, _envelope: Envelope) -> None:
    at = next(getattr(event.details, name) for name in _INSTANTS if hasattr(event.details, name))
    key = {"product_id": event.product_id, "step": event.step}
    rows.upsert(product_steps, key, at=at, details=event.details.model_dump(mode="json"), **_judged(event))


@PROJECTION.on(ProductStepRetracted)
def _(rows: Rows, event: ProductStepRetracted, _envelope: Envelope) -> None:
    rows.delete(product_steps, {"product_id": event.product_id, "step": event.step})


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
    """What was refused (`point` says where it was scanned), or an infusion that was given and deviates (`given`)."""

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


_WHO = (participants.c.subject_number, participants.c.site_id)


async def steps(connection: AsyncConnection, scope: Scope) -> list[ProductStep]:
    """Every chain, in order of participants, products and steps."""
    joined = product_steps.join(participants, participants.c.participant_id == product_steps.c.participant_id)
    query = select(product_steps, *_WHO).select_from(joined).where(about(product_steps.c.participant_id, scope))
    ordered = query.order_by(participants.c.subject_number, product_steps.c.product_id, product_steps.c.step)
    return [ProductStep.model_validate(dict(row)) for row in (await connection.execute(ordered)).mappings()]


async def alerts(connection: AsyncConnection, scope: Scope) -> list[ProductAlert]:
    """Every alert, the newest first."""
    joined = product_alerts.join(participants, participants.c.participant_id == product_alerts.c.participant_id)
    query = select(product_alerts, *_WHO).select_from(joined).where(about(product_alerts.c.participant_id, scope))
    ordered = query.where(product_alerts.c.raised_at.is_not(None)).order_by(
        product_alerts.c.raised_at.desc(), product_alerts.c.alert_id
    )
    return [ProductAlert.model_validate(dict(row)) for row in (await connection.execute(ordered)).mappings()]
