"""Gate sets: Gating-ML saved once, and applied to FCS files by its id."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.biomarkers.api.intake_permissions import MayKeepSources
from services.biomarkers.api.permissions import MayRead
from services.biomarkers.intake.apart import FileUnreadable
from services.biomarkers.intake.gate_sets import GateSet, GateSetOnRecord, GateSets, NoSuchGateSet
from services.biomarkers.intake.gates import Populations
from shared.contracts.terms import Code, Instant, SiteId
from shared.http import problems
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.decider import Command

router: APIRouter = make_router("/v1/gate-sets", "Result files")

MOST_CHARACTERS = 512 * 1024
GateSetId = Annotated[UUID, Path(description="The gate set's id")]


class SaveGateSet(Command):
    """Save gates, so that files can name them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "site_id": "CU",
                    "name": "CAR-T panel 3",
                    "gating_ml": "<Gating-ML/>",
                    "populations": {"P4": "car"},
                }
            ]
        }
    )

    gate_set_id: UUID | None = None
    site_id: SiteId
    name: Code
    gating_ml: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS, description="A Gating-ML 2.0 document")]
    populations: Populations = Field(default_factory=dict)


class SavedGateSet(BaseModel):
    """A gate set without its gates."""

    model_config = ConfigDict(from_attributes=True)

    gate_set_id: UUID
    site_id: SiteId
    name: Code
    populations: Populations
    saved_at: Instant
    saved_by: str


class SavedGateSets(BaseModel):
    """Gate sets, without their gates."""

    items: list[SavedGateSet]


class WholeGateSet(SavedGateSet):
    """A gate set."""

    gating_ml: str

    @classmethod
    def of(cls, saved: GateSet) -> Self:
        return cls.model_validate(saved)


async def _gate_sets(request: Request) -> GateSets:
    found: GateSets = request.app.state.gate_sets
    return found


GateSetsDep = Annotated[GateSets, Depends(_gate_sets)]


@router.post("", status_code=201, responses=problems.of(NoSuchGateSet, GateSetOnRecord, FileUnreadable))
async def save_gate_set(
    command: SaveGateSet, gate_sets: GateSetsDep, actor: MayKeepSources, mint: Mint, response: Response
) -> SavedGateSet:
    """Save Gating-ML under an id. A set never changes; the same one again changes nothing."""
    given = command.model_dump(exclude={"gate_set_id"})
    saved = await gate_sets.save(mint(command.gate_set_id), **given, by=actor)
    response.headers["Location"] = f"/v1/gate-sets/{saved.gate_set_id}"
    return SavedGateSet.model_validate(saved)


@router.get("", responses=problems.of())
async def list_gate_sets(
    gate_sets: GateSetsDep,
    actor: MayRead,
    site: Annotated[SiteId | None, Query(description="Only gate sets of this site")] = None,
) -> SavedGateSets:
    """The gate sets of the caller's sites, in the order in which they were saved."""
    found = await gate_sets.listed(by=actor)
    return SavedGateSets(
        items=[SavedGateSet.model_validate(each) for each in found if site is None or each.site_id == site]
    )


@router.get("/{gate_set_id}", responses=problems.of(NoSuchGateSet))
async def get_gate_set(gate_set_id: GateSetId, gate_sets: GateSetsDep, actor: MayRead) -> WholeGateSet:
    """One gate set with its gates."""
    return WholeGateSet.of(await gate_sets.one(gate_set_id, by=actor))
