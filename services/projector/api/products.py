"""Products across participants: the chain of each, and what is alerted about them."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.projector.api.answering import Listing, PagingDep, listed, page
from services.projector.api.asking import AskedDep, key, text
from services.projector.exports import product_sheets
from services.projector.product_tables import ProductTables
from services.projector.readmodels.products import AlertKey, ProductAlert, ProductStep, StepKey
from shared.auth.permissions import ReadsProducts
from shared.http.negotiation import WantsCsv
from shared.http.paging import instant
from shared.http.service_app import router as _router

router = _router("/v1/products", "Products")
alerts = _router("/v1/product-alerts", "Products")


async def _tables(request: Request) -> ProductTables:
    tables: ProductTables = request.app.state.product_tables
    return tables


TablesDep = Annotated[ProductTables, Depends(_tables)]
Of = Annotated[UUID | None, Query(description="Of this participant alone")]


@router.get("", response_model=Listing[ProductStep], responses=listed())
async def products(
    actor: ReadsProducts,
    asked: AskedDep,
    csv: WantsCsv,
    tables: TablesDep,
    paging: PagingDep,
    participant_id: Of = None,
) -> Listing[ProductStep] | Response:
    """Every step of every chain that stands: when, by whom, its temperatures, and its tests with their limits."""
    question = asked.by(actor, participant_id)
    parts = key(paging.cursor, text, UUID, int)
    found = await tables.products(question, None if parts is None else StepKey(*parts), paging.one_more)
    return page(paging, question, found, cursor_of_step, product_sheets.products, as_csv=csv)


@alerts.get("", response_model=Listing[ProductAlert], responses=listed())
async def product_alerts(
    actor: ReadsProducts,
    asked: AskedDep,
    csv: WantsCsv,
    tables: TablesDep,
    paging: PagingDep,
    participant_id: Of = None,
) -> Listing[ProductAlert] | Response:
    """Scans that were refused, infusions that deviate, transports out of their limits; the newest first."""
    question = asked.by(actor, participant_id)
    parts = key(paging.cursor, instant, text)
    found = await tables.alerts(question, None if parts is None else AlertKey(*parts), paging.one_more)
    return page(paging, question, found, cursor_of_alert, product_sheets.alerts, as_csv=csv)


def cursor_of_step(step: ProductStep) -> tuple[str, str, int]:
    return step.subject_number, str(step.product_id), step.step


def cursor_of_alert(alert: ProductAlert) -> tuple[str, str]:
    return alert.raised_at.isoformat(), alert.alert_id
