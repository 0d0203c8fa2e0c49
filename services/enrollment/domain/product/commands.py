"""What may be sent about a product: each command is the body of its request, and holds the step it puts on record."""

from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from shared.contracts.enrollment_product_terms import (
    Collection,
    ManufactureEnd,
    ManufacturerReceipt,
    ManufactureStart,
    Rejection,
    Release,
    ReleaseTesting,
    Shipment,
    SiteReceipt,
    Thaw,
    Verification,
)
from shared.contracts.terms import Code, Instant, ParticipantId, Reason
from shared.kernel.decider import Command

_PARTICIPANT = "018f3a52-0000-7000-8000-000000000001"


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class CollectLeukapheresis(Command, Collection):
    """Put on record that cells were collected from a participant. The chain of a product begins."""

    model_config = _example(
        participant_id=_PARTICIPANT,
        collected_at="2026-02-02T09:00:00+07:00",
        collection_site="CU-APH",
        apheresis_id="A9999-26-000123",
        volume_ml="120",
        total_nucleated_cells="9000000000",
        cd3_percent="55",
    )

    product_id: UUID | None = None
    participant_id: ParticipantId


class ReceiveAtManufacturer(Command, ManufacturerReceipt):
    """The collected cells came to the manufacturer."""

    model_config = _example(
        received_at="2026-02-02T14:00:00+07:00",
        manufacturer="CU-GMP",
        condition="acceptable",
        transport="refrigerated",
        lowest_c="3.1",
        highest_c="6.4",
        logger="TL-0412",
    )


class StartManufacture(Command, ManufactureStart):
    """A lot was begun. Its number is taken for this participant."""

    model_config = _example(started_at="2026-02-02T16:00:00+07:00", lot="CMD03-0007", vector_lot="LV-2025-11")


class EndManufacture(Command, ManufactureEnd):
    """Cells were harvested and frozen in bags, or the manufacture failed."""

    model_config = _example(
        ended_at="2026-02-14T12:00:00+07:00",
        transduced_on="2026-02-04",
        transduction_percent="41",
        expansion_days=10,
        expansion_fold="32.5",
        harvested_viable_cells="98000000",
        expires_on="2027-02-13",
        bags=[
            {
                "bag": "CMD03-0007-B1",
                "volume_ml": "20",
                "viable_cells": "25000000",
                "viability_percent": "92",
                "car_positive_percent": "38",
            }
        ],
    )


class RecordReleaseTests(Command, ReleaseTesting):
    """Tests of the lot were reported. Each is held against the protocol's limit."""

    model_config = _example(
        reported_at="2026-02-20T15:00:00+07:00",
        results=[
            {"test": "viability", "tested_on": "2026-02-14", "value": "92", "unit": "%"},
            {"test": "sterility", "tested_on": "2026-02-14", "finding": "negative"},
        ],
    )


class ReleaseProduct(Command, Release):
    """The lot is within its specification, and may be given."""

    model_config = _example(decided_at="2026-02-21T10:00:00+07:00")


class ApproveExceptionalRelease(Command):
    """Approve that the lot is given although it is not within its specification. The second approval releases it."""

    model_config = _example(
        decided_at="2026-02-21T10:00:00+07:00", reason="Viability of 68 %; the tumour grows, and no cells are left"
    )

    decided_at: Instant
    reason: Reason


class RejectProduct(Command, Rejection):
    """The lot is not given."""

    model_config = _example(decided_at="2026-02-21T10:00:00+07:00", because="out-of-specification")


class ShipProduct(Command, Shipment):
    """The lot left the manufacturer."""

    model_config = _example(
        shipped_at="2026-03-02T08:00:00+07:00",
        shipper="COURIER-2",
        destination="CU",
        transport="liquid-nitrogen",
        logger="TL-0588",
    )


class ReceiveAtSite(Command, SiteReceipt):
    """The lot came to the site: scan it, and read its logger."""

    model_config = _example(
        received_at="2026-03-02T15:00:00+07:00",
        lot="CMD03-0007",
        condition="acceptable",
        lowest_c="-188",
        highest_c="-161",
        logger="TL-0588",
    )


class ThawBag(Command, Thaw):
    """A bag was thawed: scan lot and bag."""

    model_config = _example(
        thawed_at="2026-03-16T09:40:00+07:00",
        lot="CMD03-0007",
        bag="CMD03-0007-B1",
        viability_percent="85",
    )


class VerifyIdentity(Command, Verification):
    """Scan the lot, a bag and the participant's wristband: are they one another's, and may the lot be given?"""

    model_config = _example(
        scanned_at="2026-03-16T09:55:00+07:00",
        point="bedside",
        lot="CMD03-0007",
        bag="CMD03-0007-B1",
        subject_number="CU-001",
    )

    scan_id: UUID | None = Field(None, description="Made by the caller; also the id of the alert, if it is refused")
    subject_number: Code = Field(description="As the wristband has it. One that differs is not kept")


class CorrectProductStep(Command):
    """Put right what was recorded of one step, whole: give the step's number and the one part of its kind."""

    model_config = _example(
        step=3,
        start={"started_at": "2026-02-02T16:30:00+07:00", "lot": "CMD03-0007", "vector_lot": "LV-2025-11"},
        reason="The batch record tells another time",
    )

    step: int = Field(strict=True, ge=1, description="The step's number, as the chain shows it")
    collection: Collection | None = None
    manufacturer_receipt: ManufacturerReceipt | None = None
    start: ManufactureStart | None = None
    end: ManufactureEnd | None = None
    testing: ReleaseTesting | None = None
    rejection: Rejection | None = None
    shipment: Shipment | None = None
    site_receipt: SiteReceipt | None = None
    thaw: Thaw | None = None
    reason: Reason


class RetractProductStep(Command):
    """Take back the last step, which never took place. Without its first step there never was the product."""

    model_config = _example(step=3, reason="Entered for another product")

    step: int = Field(strict=True, ge=1, description="The step's number, as the chain shows it")
    reason: Reason


Next = (
    ReceiveAtManufacturer
    | StartManufacture
    | EndManufacture
    | RecordReleaseTests
    | ReleaseProduct
    | RejectProduct
    | ShipProduct
    | ReceiveAtSite
    | ThawBag
)
Amendment = CorrectProductStep | RetractProductStep
LaterCommand = Next | ApproveExceptionalRelease | VerifyIdentity | Amendment
ProductCommand = CollectLeukapheresis | LaterCommand
