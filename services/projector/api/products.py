"""Products across participants: the chain of each, and what is alerted about them."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import AskedDep
from services.projector.exports import product_sheets
from services.projector.product_tables import ProductTables
from services.projector.readmodels.products import ProductAlert, ProductStep
from shared.auth.permissions import ReadsProducts
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/products", "Products")
alerts = _router("/v1/product-alerts", "Products")


async def _tables(request: Request) -> ProductTables:
    tables: ProductTables = request.app.state.product_tables
    return tables


TablesDep = Annotated[ProductTables, Depends(_tables)]
Of = Annotated[UUID | None, Query(description="Of this participant alone")]


@router.get("", response_model=Answer[list[ProductStep]], responses=tabular())
async def products(
    actor: ReadsProducts, asked: AskedDep, csv: WantsCsv, tables: TablesDep, participant_id: Of = None
) -> Answer[list[ProductStep]] | Response:
    """Every step of every chain that stands: when, by whom, its temperatures, and its tests with their limits."""
    question = asked.by(actor, participant_id)
    return table(question, await tables.products(question), product_sheets.products, as_csv=csv)


@alerts.get("", response_model=Answer[list[ProductAlert]], responses=tabular())
async def product_alerts(
    actor: ReadsProducts, asked: AskedDep, csv: WantsCsv, tables: TablesDep, participant_id: Of = None
) -> Answer[list[ProductAlert]] | Response:
    """What was refused for the sake of identity, and infusions that deviate; the newest first."""
    question = asked.by(actor, participant_id)
    return table(question, await tables.alerts(question), product_sheets.alerts, as_csv=csv)
