"""The sets of response criteria as data: what each measures, its limits, and where they are from."""

from decimal import Decimal
from typing import Self

from pydantic import BaseModel, Field

from services.efficacy.api.permissions import EfficacyDep
from services.efficacy.domain.criteria.limits import Confirmed, Limit, Reference
from services.efficacy.domain.criteria.readings import CriteriaEngine
from shared.auth.permissions import ReadsTrialData
from shared.contracts.efficacy_terms import Criteria, Response
from shared.contracts.terms import Measurement
from shared.http import problems
from shared.http.service_app import router as make_router

router = make_router("/v1/criteria", "Criteria")


class LimitView(BaseModel):
    """A change in percent over a reference. `strict`: exactly that much is not yet enough."""

    percent: Measurement
    strict: bool
    reference: Reference
    least_mm: Measurement | None = Field(description="A rise counts only if it is at least this much, too")

    @classmethod
    def of(cls, limit: Limit) -> Self:
        return cls(percent=limit.percent, strict=limit.strict, reference=limit.reference, least_mm=limit.least_mm)


class MinimumSizeView(BaseModel):
    """What a target measures at baseline, at least. 0: that axis is free."""

    longest_mm: Decimal
    perpendicular_mm: Decimal
    node_short_axis_mm: Decimal


class TargetsView(BaseModel):
    """How many lesions are targets at most. null: the source sets no number."""

    at_most: int | None
    at_most_per_organ: int | None
    minimum_size: MinimumSizeView | None = Field(description="null: every lesion recorded as a target is followed")


class ConfirmationView(BaseModel):
    """What a later assessment has to confirm, and after how many days at least. null: no interval is stated."""

    of: Confirmed
    minimum_days: int | None


class CriteriaView(BaseModel):
    """One set of criteria. Its decision table is in the source."""

    name: Criteria
    measure: str
    unit: str
    progression: LimitView
    progression_of_each_lesion: bool = Field(description="Of any one lesion over its own smallest size, not of the sum")
    response: LimitView
    minor_response: LimitView | None
    covers_nodes: bool
    node_normal_below_mm: Measurement = Field(description="A node below this in its short axis counts as gone")
    too_small_mm: Measurement = Field(description="Both diameters of a target too small to measure")
    targets: TargetsView
    confirmation: ConfirmationView
    asks: tuple[str, ...] = Field(description="What it needs beside diameters")
    responses: tuple[Response, ...] = Field(description="The words it knows")
    source: str

    @classmethod
    def of(cls, engine: CriteriaEngine) -> Self:
        sizes = engine.diameters
        least, minor = sizes.minimum, sizes.minor_response
        return cls(
            name=engine.name,
            measure=sizes.measure.name,
            unit=sizes.measure.unit,
            progression=LimitView.of(sizes.progression),
            progression_of_each_lesion=sizes.each_lesion,
            response=LimitView.of(sizes.response),
            minor_response=None if minor is None else LimitView.of(minor),
            covers_nodes=sizes.covers_nodes,
            node_normal_below_mm=sizes.node_normal_below_mm,
            too_small_mm=sizes.too_small_mm,
            targets=TargetsView(
                at_most=sizes.targets.at_most,
                at_most_per_organ=sizes.targets.at_most_per_organ,
                minimum_size=None if least is None else MinimumSizeView.model_validate(least, from_attributes=True),
            ),
            confirmation=ConfirmationView(of=sizes.confirmation.of, minimum_days=sizes.confirmation.minimum_days),
            asks=engine.asks,
            responses=tuple(each for each in Response if each in engine.vocabulary),
            source=sizes.source,
        )


class AllCriteria(BaseModel):
    """Every set that there is, by name."""

    items: tuple[CriteriaView, ...]


@router.get("", responses=problems.of())
async def read_criteria(efficacy: EfficacyDep, _: ReadsTrialData) -> AllCriteria:
    """Every set of criteria with its measure, limits, references, sizes, number of targets and confirmation.

    The trial's own sets are as its protocol has them, the published ones as published.
    """
    return AllCriteria(items=tuple(CriteriaView.of(efficacy.engines[name]) for name in sorted(efficacy.engines)))
