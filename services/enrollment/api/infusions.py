"""Infusions of the product."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from services.enrollment.api.changes import changes
from services.enrollment.api.permissions import MayEnterData
from services.enrollment.api.products import ProductsDep
from services.enrollment.domain.cohorts.escalation import InfusionNotPermitted
from services.enrollment.domain.infusion import (
    DoseDisagrees,
    DoseIncomplete,
    InfusionBeforeEnrolment,
    InfusionOutOfOrder,
    NoSuchInfusion,
    NotTheLastInfusion,
    RetractInfusion,
)
from services.enrollment.domain.product.facts import ProductRefused
from services.enrollment.domain.product.infusing import CorrectGivenInfusion, GiveInfusion, MoreThanTheBagHeld
from services.enrollment.products import InfusionCommand, Products
from shared.contracts.enrollment_product_terms import DoseCheck, ProductFinding
from shared.http import answers
from shared.http.answers import Recorded
from shared.http.etags import IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as service_router
from shared.kernel.actor import Actor

router = service_router("/v1/participants/{participant_id}", "infusions")


class InfusionRecorded(Recorded):
    """An infusion is on record. Beside it, the dose that the record of its product gives, and how it deviates."""

    product_id: UUID | None = Field(description="The product that the lot is; null: no product of this lot is known")
    dose: DoseCheck | None = Field(description="Null: no product is known")
    findings: tuple[ProductFinding, ...] = Field(description="What is not as it should be; on record as deviations")


@dataclass(frozen=True, slots=True)
class InfusionChange:
    """Carries out one command on the infusions of the participant named in the path."""

    participant_id: UUID
    expected: int
    command_id: UUID
    products: Products
    response: Response

    async def __call__(self, command: InfusionCommand, actor: Actor) -> InfusionRecorded:
        receipt, appraisal = await self.products.infuse(
            self.participant_id, command, expected=self.expected, command_id=self.command_id, by=actor
        )
        recorded = answers.changed(self.response, receipt, self.participant_id)
        return InfusionRecorded(
            **recorded.model_dump(),
            product_id=None if appraisal is None else appraisal.product_id,
            dose=None if appraisal is None else appraisal.dose,
            findings=() if appraisal is None else appraisal.findings,
        )


async def _change(
    participant_id: UUID, expected: IfMatch, mint: Mint, products: ProductsDep, response: Response
) -> InfusionChange:
    return InfusionChange(participant_id, expected, mint(None), products, response)


Change = Annotated[InfusionChange, Depends(_change)]

_DOES_NOT_FIT = (
    *(DoseIncomplete, DoseDisagrees, InfusionBeforeEnrolment, InfusionOutOfOrder),
    *(ProductRefused, MoreThanTheBagHeld, InfusionNotPermitted),
)


@router.post("/record-infusion", summary="Record an infusion", responses=changes(*_DOES_NOT_FIT))
async def record_infusion(command: GiveInfusion, actor: MayEnterData, change: Change) -> InfusionRecorded:
    """Record an infusion as it was given. The first is day 0, from which the schedule follows.

    A lot that is a product must be this participant's, released and not expired: else 409, and an alert is on record.
    With `given_despite` it goes on record all the same, as a deviation. A dose out of range is told, never refused.
    Where the protocol enforces its dose escalation, 409 `infusion-not-permitted` lists all that forbids it, and until
    when; `given_despite` records it as a deviation here too.
    """
    return await change(command, actor)


@router.post(
    "/correct-infusion",
    summary="Correct the record of an infusion",
    responses=changes(NoSuchInfusion, *_DOES_NOT_FIT),
)
async def correct_infusion(command: CorrectGivenInfusion, actor: MayEnterData, change: Change) -> InfusionRecorded:
    """Correct one infusion, by its number: send all of it, as it should have been. The schedule follows."""
    return await change(command, actor)


@router.post(
    "/retract-infusion",
    summary="Take back an infusion that never took place",
    responses=changes(NoSuchInfusion, NotTheLastInfusion),
)
async def retract_infusion(command: RetractInfusion, actor: MayEnterData, change: Change) -> InfusionRecorded:
    """Take back the last infusion on record, as when it was entered for the wrong participant."""
    return await change(command, actor)
