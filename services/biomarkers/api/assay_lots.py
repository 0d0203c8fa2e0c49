"""Lots of assays: register one with its limits, withdraw it, read which there are."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel, Field

from services.biomarkers.api.permissions import MayCorrect, MayRead
from services.biomarkers.assay_registry import AssayRegistry
from services.biomarkers.domain.analytes import AnalyteNotInPanel
from services.biomarkers.domain.assays import (
    AssayLotOnRecord,
    AssayLotRegisteredTwice,
    LotExpiresBeforeItBegins,
    NoSuchAssayLot,
    RegisterAssayLot,
    Registry,
    WithdrawAssayLot,
)
from services.biomarkers.domain.cytokines import AnalyteTwice
from services.biomarkers.domain.laboratory_report import ContradictoryReport, ZeroWithoutLimit
from services.biomarkers.domain.units import UnitNotConvertible
from shared.contracts.biomarkers_assays import AssayLimits, AssayLotRegistered, AssayLotSheet
from shared.contracts.terms import Reason
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.identities import Mint
from shared.http.service_app import router as make_router

router = make_router("/v1/assay-lots", "Assay lots")

AssayLotId = Annotated[UUID, Path(description="The lot's id")]


class AssayLot(BaseModel):
    """A registered lot. `withdrawn_because` null: panels may name it."""

    assay_lot_id: UUID
    sheet: AssayLotSheet
    limits: list[AssayLimits] = Field(description="The same in pg/mL, by the protocol's keys")
    withdrawn_because: Reason | None

    @classmethod
    def of(cls, lot: AssayLotRegistered, registry: Registry) -> Self:
        because = registry.reason_withdrawn(lot.assay_lot_id)
        return cls(assay_lot_id=lot.assay_lot_id, sheet=lot.sheet, limits=list(lot.limits), withdrawn_because=because)


async def _assay_registry(request: Request) -> AssayRegistry:
    registry: AssayRegistry = request.app.state.assay_registry
    return registry


RegistryDep = Annotated[AssayRegistry, Depends(_assay_registry)]


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(
            AssayLotOnRecord,
            AssayLotRegisteredTwice,
            OtherContentOnRecord,
            LotExpiresBeforeItBegins,
            AnalyteNotInPanel,
            AnalyteTwice,
            ZeroWithoutLimit,
            ContradictoryReport,
            UnitNotConvertible,
        ),
        **answers.CREATED,
    },
)
async def register_assay_lot(
    command: RegisterAssayLot,
    registry: RegistryDep,
    actor: MayCorrect,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Register a lot with its limits per analyte. A panel that names it takes those that its results do not state."""
    assay_lot_id = mint(command.assay_lot_id)
    command = command.model_copy(update={"assay_lot_id": assay_lot_id})
    receipt = await registry.register(assay_lot_id, command, by=actor)
    return answers.created(request, response, receipt, assay_lot_id, f"/v1/assay-lots/{assay_lot_id}")


@router.post(
    "/{assay_lot_id}/withdraw",
    responses={**problems.of(NoSuchAssayLot, OtherContentOnRecord), **answers.CHANGED},
)
async def withdraw_assay_lot(
    assay_lot_id: AssayLotId,
    command: WithdrawAssayLot,
    registry: RegistryDep,
    actor: MayCorrect,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Take a lot out of use. Panels on record keep the limits that they took; no new one may name it."""
    receipt = await registry.withdraw(assay_lot_id, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, assay_lot_id)


@router.get("", responses=problems.of())
async def list_assay_lots(_: MayRead, registry: RegistryDep) -> list[AssayLot]:
    """Every lot, in the order in which they were registered."""
    found = await registry.registry()
    return [AssayLot.of(lot, found) for lot in found.registered]


@router.get("/history", responses=problems.of())
async def get_assay_lots_history(_: MayRead, registry: RegistryDep) -> list[HistoryEntry]:
    """Who registered or withdrew which lot, when, and why. Empty: nothing yet."""
    life = await registry.history()
    return answers.history(life, missing=NoSuchAssayLot()) if life else []


@router.get("/{assay_lot_id}", responses=problems.of(NoSuchAssayLot))
async def get_assay_lot(_: MayRead, assay_lot_id: AssayLotId, registry: RegistryDep) -> AssayLot:
    """One lot."""
    found = await registry.registry()
    return AssayLot.of(found.named(assay_lot_id), found)
