"""A product as people read it: where it stands, and its chain with who and when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.enrollment.domain.product.chain import Chain, Step
from services.enrollment.domain.product.release_tests import not_passed
from shared.contracts.enrollment_product import ProductStepCorrected, StepDetails
from shared.contracts.enrollment_product_terms import (
    JudgedTest,
    ProductStatus,
    Release,
    TemperatureVerdict,
    Verification,
)
from shared.kernel.events import Envelope
from shared.protocol import Protocol


class Recorded(BaseModel):
    """Who put something on record, and when."""

    by: str
    role: str
    recorded_at: datetime


class StepCorrection(Recorded):
    """A step was put right; what stood before is in the history."""

    reason: str


class ChainStep(Recorded):
    """One step that stands, as it was last put right."""

    number: int = Field(description="For a correction or a retraction")
    step: ProductStatus
    at: datetime
    details: StepDetails | Release
    verdicts: tuple[JudgedTest, ...] = Field(description="Of release tests, by the limits of that day")
    temperature: TemperatureVerdict | None
    corrections: list[StepCorrection]


class ProductView(BaseModel):
    """A product with its whole chain."""

    product_id: UUID
    participant_id: UUID
    site_id: str
    status: ProductStatus | None = Field(description="Null: retracted, there never was one")
    lot: str | None
    not_passed: tuple[str, ...] = Field(description="Required release tests that it has not passed, or not reported")
    approvals: int = Field(description="Of a release despite the specification, since the last tests")
    verifications: tuple[Verification, ...] = Field(description="Scans that found what they should")
    chain: list[ChainStep]
    version: int


def product(chain: Chain, history: Sequence[Envelope], protocol: Protocol) -> ProductView:
    asked = () if protocol.product is None else not_passed(chain.verdicts, protocol.product)
    return ProductView(
        product_id=chain.product_id,
        participant_id=chain.participant_id,
        site_id=chain.site_id,
        status=chain.status,
        lot=chain.lot,
        not_passed=asked,
        approvals=len(chain.approvals),
        verifications=chain.verifications,
        chain=[_step(step, history) for step in chain.steps],
        version=len(history),
    )


def _step(step: Step, history: Sequence[Envelope]) -> ChainStep:
    told = [(envelope, envelope.event()) for envelope in history]
    corrections = [
        StepCorrection(**_who(envelope), reason=event.reason)
        for envelope, event in told
        if isinstance(event, ProductStepCorrected) and event.step == step.number
    ]
    return ChainStep(
        **_who(history[step.number - 1]),
        number=step.number,
        step=step.kind,
        at=step.at,
        details=step.details,
        verdicts=step.verdicts,
        temperature=step.temperature,
        corrections=corrections,
    )


def _who(envelope: Envelope) -> dict[str, Any]:
    return {"by": envelope.actor, "role": envelope.role, "recorded_at": envelope.recorded_at}
