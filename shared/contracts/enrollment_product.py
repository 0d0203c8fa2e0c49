"""What enrollment tells the trial of the product: one chain for each, from the leukapheresis to the infusion.

Who took a step and when it was recorded stand beside the event; the step's own instant stands in it. A lot belongs to
one participant for good. A scan that finds another one is an alert in a stream of its own, and no step of any chain.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.contracts.enrollment_product_terms import (
    BagGiven,
    Collection,
    Diverted,
    DoseCheck,
    Infused,
    JudgedTest,
    ManufactureEnd,
    ManufacturerReceipt,
    ManufactureStart,
    ProductFinding,
    Rejection,
    Release,
    ReleaseTesting,
    ScanPoint,
    Shipment,
    SiteReceipt,
    TemperatureVerdict,
    Thaw,
    Verification,
)
from shared.contracts.terms import Code, Flag, Instant, ParticipantId, ProtocolRef, Reason, SiteId
from shared.kernel.events import Event

Findings = Annotated[tuple[ProductFinding, ...], Field(description="What is not as it should be")]


class LeukapheresisCollected(Event, type="enrollment.leukapheresis-collected", version=1):
    """Cells were collected from a participant, of which a product will be made. Its chain begins."""

    product_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    collection: Collection


class ProductReceivedByManufacturer(Event, type="enrollment.product-received-by-manufacturer", version=1):
    """The collected cells came to the manufacturer."""

    product_id: UUID
    participant_id: ParticipantId
    receipt: ManufacturerReceipt
    temperature: TemperatureVerdict
    protocol: ProtocolRef


class ManufactureStarted(Event, type="enrollment.manufacture-started", version=1):
    """A lot was begun of the collected cells."""

    product_id: UUID
    participant_id: ParticipantId
    start: ManufactureStart


class ManufactureEnded(Event, type="enrollment.manufacture-ended", version=1):
    """The lot was harvested and frozen, or its manufacture failed."""

    product_id: UUID
    participant_id: ParticipantId
    end: ManufactureEnd


class ReleaseTestsRecorded(Event, type="enrollment.release-tests-recorded", version=1):
    """Tests of the lot were reported, each held against the protocol's limit."""

    product_id: UUID
    participant_id: ParticipantId
    testing: ReleaseTesting
    verdicts: tuple[JudgedTest, ...]
    protocol: ProtocolRef


class ExceptionalReleaseApproved(Event, type="enrollment.exceptional-release-approved", version=1):
    """One of those who must approves that the lot is given although it is not within its specification."""

    product_id: UUID
    participant_id: ParticipantId
    approved_by: str
    role: str
    not_passed: tuple[Code, ...]
    reason: Reason


class ProductReleased(Event, type="enrollment.product-released", version=1):
    """The lot may be given. `by_exception`: `not_passed` are the required tests that it has not passed."""

    product_id: UUID
    participant_id: ParticipantId
    release: Release
    by_exception: Flag
    not_passed: tuple[Code, ...]
    protocol: ProtocolRef


class ProductRejected(Event, type="enrollment.product-rejected", version=1):
    """The lot is not given."""

    product_id: UUID
    participant_id: ParticipantId
    rejection: Rejection


class ProductShipped(Event, type="enrollment.product-shipped", version=1):
    """The lot left the manufacturer."""

    product_id: UUID
    participant_id: ParticipantId
    shipment: Shipment


class ProductReceivedAtSite(Event, type="enrollment.product-received-at-site", version=1):
    """The lot came to the site, and its temperatures on the way were held against the protocol's limits."""

    product_id: UUID
    participant_id: ParticipantId
    receipt: SiteReceipt
    temperature: TemperatureVerdict
    protocol: ProtocolRef


class ProductThawed(Event, type="enrollment.product-thawed", version=1):
    """A bag of the lot was thawed."""

    product_id: UUID
    participant_id: ParticipantId
    thaw: Thaw


class ProductIdentityVerified(Event, type="enrollment.product-identity-verified", version=1):
    """Labels were scanned, and are those of this product and its participant."""

    product_id: UUID
    participant_id: ParticipantId
    verification: Verification


class ProductInfused(Event, type="enrollment.product-infused", version=1):
    """The participant received cells of the lot; in the same append as the infusion."""

    product_id: UUID
    participant_id: ParticipantId
    infused: Infused


class ProductDiverted(Event, type="enrollment.product-diverted", version=1):
    """Cells of the lot were infused into somebody else."""

    product_id: UUID
    participant_id: ParticipantId
    diverted: Diverted


StepDetails = (
    Collection
    | ManufacturerReceipt
    | ManufactureStart
    | ManufactureEnd
    | ReleaseTesting
    | Rejection
    | Shipment
    | SiteReceipt
    | Thaw
    | Infused
    | Diverted
)


class ProductStepCorrected(Event, type="enrollment.product-step-corrected", version=1):
    """What was recorded of one step was wrong; this is what should have been. `step`: its event.

    Verdicts are those of the corrected step, where it has any.
    """

    product_id: UUID
    participant_id: ParticipantId
    step: int
    details: StepDetails
    verdicts: tuple[JudgedTest, ...]
    temperature: TemperatureVerdict | None
    reason: Reason


class ProductStepRetracted(Event, type="enrollment.product-step-retracted", version=1):
    """A step of the chain never took place; if it was the first, there never was such a product."""

    product_id: UUID
    participant_id: ParticipantId
    step: int
    reason: Reason


class LotAssigned(Event, type="enrollment.lot-assigned", version=1):
    """A lot's number was taken for one product, in the same append as the start of its manufacture."""

    lot: Code
    product_id: UUID
    participant_id: ParticipantId


class LotFreed(Event, type="enrollment.lot-freed", version=1):
    """A lot's number was entered in error, and is no product's any more."""

    lot: Code
    product_id: UUID
    participant_id: ParticipantId


class ApheresisIdAssigned(Event, type="enrollment.apheresis-id-assigned", version=1):
    """The number of an apheresis was taken for a product of its participant, in the same append as the collection."""

    apheresis_id: Code
    product_id: UUID
    participant_id: ParticipantId


class ApheresisIdFreed(Event, type="enrollment.apheresis-id-freed", version=1):
    """The number of an apheresis was entered in error, and is not this product's any more."""

    apheresis_id: Code
    product_id: UUID
    participant_id: ParticipantId


class ProductAlertRaised(Event, type="enrollment.product-alert-raised", version=1):
    """Something was refused: a scan, or the record of an infusion, named what is not this participant's to be given.

    `participant_id` is whose bedside, or whose product it was, never who else a lot may belong to.
    """

    alert_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    product_id: UUID | None
    point: ScanPoint
    at: Instant
    lot: Code
    bag: Code | None
    findings: Findings


class ProductAlertAcknowledged(Event, type="enrollment.product-alert-acknowledged", version=1):
    """Somebody has the alert in hand."""

    alert_id: UUID
    participant_id: ParticipantId
    note: Reason


class InfusionAppraised(Event, type="enrollment.infusion-appraised", version=1):
    """An infusion beside the record of its product: the dose that follows from it, and how it deviates.

    The latest one of an infusion stands. `product_id` None: no product of this lot is known. `given_despite` is why
    something was given that would have been refused.
    """

    participant_id: ParticipantId
    infusion_number: int
    product_id: UUID | None
    lot: Code | None
    bags: tuple[BagGiven, ...]
    dose: DoseCheck | None
    findings: Findings
    given_despite: Reason | None
    protocol: ProtocolRef


LaterProductEvent = (
    ProductReceivedByManufacturer
    | ManufactureStarted
    | ManufactureEnded
    | ReleaseTestsRecorded
    | ExceptionalReleaseApproved
    | ProductReleased
    | ProductRejected
    | ProductShipped
    | ProductReceivedAtSite
    | ProductThawed
    | ProductIdentityVerified
    | ProductInfused
    | ProductDiverted
    | ProductStepCorrected
    | ProductStepRetracted
)
ProductEvent = LeukapheresisCollected | LaterProductEvent
LotEvent = LotAssigned | LotFreed
ApheresisIdEvent = ApheresisIdAssigned | ApheresisIdFreed
ProductAlertEvent = ProductAlertRaised | ProductAlertAcknowledged
