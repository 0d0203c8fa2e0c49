"""Calculators of CAR-T toxicities: they grade what they are given, keep nothing, and are about nobody."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.safety.api.calculators import MOST_ITEMS, ItemId
from services.safety.api.permissions import MayLookUp, SafetyDep
from services.safety.domain.astct import crs, icans
from services.safety.domain.astct.crs import CrsFindings
from services.safety.domain.astct.icans import IcansFindings
from services.safety.domain.astct.scale import Graded
from shared.http import problems
from shared.http.service_app import router as make_router

router = make_router("/v1/gradings", "Gradings")


class CrsItem(CrsFindings):
    """One instant of a cytokine release syndrome. null: not known, which is not "none"."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "1",
                    "fever": True,
                    "fever_masked": False,
                    "hypotension": "no-vasopressor",
                    "hypoxia": "high-flow",
                    "fio2": "0.35",
                    "death": False,
                }
            ]
        }
    )

    id: ItemId


class IcansItem(IcansFindings):
    """One instant of ICANS. null: not known, which is not "none"."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "1",
                    "age_years": 8,
                    "developmental_delay": False,
                    "ice": None,
                    "capd": 10,
                    "consciousness": "voice",
                    "seizure": "none",
                    "motor_weakness": False,
                    "oedema": "none",
                    "death": False,
                }
            ]
        }
    )

    id: ItemId


class CrsItems(BaseModel):
    """Up to 1,000 instants to grade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: Annotated[tuple[CrsItem, ...], Field(max_length=MOST_ITEMS)]


class IcansItems(BaseModel):
    """Up to 1,000 instants to grade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: Annotated[tuple[IcansItem, ...], Field(max_length=MOST_ITEMS)]


class GradedItem(BaseModel):
    """Both grades of one item, 0 to 5; 0: none. null: cannot be graded, and the explanation names what is missing."""

    id: ItemId
    astct_grade: int | None
    ctcae_grade: int | None
    explanation: str


class GradedItems(BaseModel):
    """The answers, in the order of the items."""

    items: Sequence[GradedItem]


@router.post("/crs", responses=problems.of())
async def grade_crs(asked: CrsItems, safety: SafetyDep, _: MayLookUp) -> GradedItems:
    """Grade cytokine release syndrome by the ASTCT and by CTCAE 5.0, side by side. Nothing is recorded."""
    choices = safety.protocol.car_t_toxicity
    from_fio2 = choices.crs_life_threatening_fio2_percent.value
    return GradedItems(items=[_answer(item.id, crs.astct(item), crs.ctcae(item, from_fio2)) for item in asked.items])


@router.post("/icans", responses=problems.of())
async def grade_icans(asked: IcansItems, safety: SafetyDep, _: MayLookUp) -> GradedItems:
    """Grade ICANS by the ASTCT, and as CTCAE 5.0 records it. Nothing is recorded."""
    from_age = safety.protocol.car_t_toxicity.ice_from_age_years.value
    return GradedItems(
        items=[_answer(item.id, icans.astct(item, from_age), icans.ctcae(item, from_age)) for item in asked.items]
    )


def _answer(item_id: str, astct: Graded, ctcae: Graded) -> GradedItem:
    return GradedItem(
        id=item_id,
        astct_grade=astct.grade,
        ctcae_grade=ctcae.grade,
        explanation=f"{astct.explanation} {ctcae.explanation}",
    )
