"""The terms in which enrollment speaks of the product: what each step of its chain tells, and how it was judged.

Identifiers are codes of things. A participant is known by the subject number; no label holds a name.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.contracts.enrollment_terms import UcumUnit
from shared.contracts.terms import Code, Day, Flag, Instant, Measurement, Reason


def _numbered(text: str) -> str:
    if not any(character.isdigit() for character in text):
        raise ValueError("a label has a digit; a word alone could be a name")
    return text


Label = Annotated[
    Code,
    AfterValidator(_numbered),
    Field(description="What is printed on a bag, a lot or an apheresis: a code with a digit", examples=["CMD03-0007"]),
]
Percent = Annotated[Measurement, Field(ge=0, le=100, description="Percent")]
Cells = Annotated[Measurement, Field(gt=0, le=Decimal("1e12"), description="Cells", examples=["45000000"])]
Millilitres = Annotated[Measurement, Field(gt=0, le=10_000, description="mL")]
Celsius = Annotated[Measurement, Field(ge=-273, le=60, description="Degrees Celsius (UCUM Cel), as measured")]


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProductStatus(StrEnum):
    """Where a product stands: its last step but for tests and approvals."""

    COLLECTED = "collected"
    AT_MANUFACTURER = "at-manufacturer"
    IN_MANUFACTURE = "in-manufacture"
    MANUFACTURED = "manufactured"
    MANUFACTURE_FAILED = "manufacture-failed"
    RELEASED = "released"
    REJECTED = "rejected"
    SHIPPED = "shipped"
    AT_SITE = "at-site"
    THAWED = "thawed"
    INFUSED = "infused"
    DIVERTED = "diverted"  # given to somebody else
    TESTED = "tested"  # a step, and never where a product stands


class ProductCondition(StrEnum):
    """How a product was when it came."""

    ACCEPTABLE = "acceptable"
    LEAKING = "leaking"
    DAMAGED = "damaged"
    THAWED = "thawed"
    CLOTTED = "clotted"
    LABEL_UNREADABLE = "label-unreadable"


class Transport(StrEnum):
    """How cold a product is kept on its way."""

    AMBIENT = "ambient"
    REFRIGERATED = "refrigerated"
    LIQUID_NITROGEN = "liquid-nitrogen"  # in its vapour
    DRY_ICE = "dry-ice"


class ManufactureFailure(StrEnum):
    """Why no product came of it."""

    TOO_FEW_CELLS = "too-few-cells"
    NO_EXPANSION = "no-expansion"
    NO_TRANSDUCTION = "no-transduction"
    CONTAMINATED = "contaminated"
    EQUIPMENT = "equipment"
    MATERIAL_LOST = "material-lost"
    OTHER = "other"


class RejectionGround(StrEnum):
    """Why a product is not given."""

    OUT_OF_SPECIFICATION = "out-of-specification"
    TEMPERATURE = "temperature"
    DAMAGED = "damaged"
    IDENTITY = "identity"
    EXPIRED = "expired"
    PARTICIPANT_CANNOT_RECEIVE = "participant-cannot-receive"
    OTHER = "other"


class Collection(Fact):
    """A leukapheresis: what was collected from the participant, and under which number."""

    collected_at: Instant
    collection_site: Code = Field(description="Where, such as the apheresis unit's code", examples=["CU-APH"])
    apheresis_id: Label = Field(description="Donation identification number (ISBT 128), or the like")
    volume_ml: Millilitres | None = None
    total_nucleated_cells: Cells | None = None
    cd3_percent: Percent | None = None


class ManufacturerReceipt(Fact):
    """The collected cells came to the manufacturer."""

    received_at: Instant
    manufacturer: Code = Field(examples=["CU-GMP"])
    condition: ProductCondition
    transport: Transport | None = None
    lowest_c: Celsius | None = Field(None, description="On the way, by its logger")
    highest_c: Celsius | None = None
    logger: Code | None = None


class ManufactureStart(Fact):
    """A lot was begun of the collected cells. Its number is the trial's only one."""

    started_at: Instant
    lot: Label
    vector_lot: Label = Field(examples=["LV-2024-11"])


class Bag(Fact):
    """One bag of a lot, as it was frozen."""

    bag: Label = Field(examples=["CMD03-0007-B1"])
    volume_ml: Millilitres | None = None
    viable_cells: Cells
    viability_percent: Percent | None = Field(None, description="At freezing")
    car_positive_percent: Percent


class ManufactureEnd(Fact):
    """Cells were harvested and frozen in bags; or nothing came of it, and why."""

    ended_at: Instant
    failed: ManufactureFailure | None = None
    transduced_on: Day | None = None
    transduction_percent: Percent | None = None
    expansion_days: Annotated[int, Field(strict=True, ge=0, le=60)] | None = None
    expansion_fold: Annotated[Measurement, Field(gt=0)] | None = None
    harvested_viable_cells: Cells | None = None
    expires_on: Day | None = Field(None, description="The last day on which it may be given; null: no date is set")
    bags: tuple[Bag, ...] = Field((), max_length=50)

    @model_validator(mode="after")
    def _has_bags_or_says_why_not(self) -> Self:
        if bool(self.bags) is (self.failed is not None):
            raise ValueError("send the bags, or why the manufacture failed, and not both")
        if len({each.bag for each in self.bags}) < len(self.bags):
            raise ValueError("two bags bear the same code: give each its own")
        return self


class Qualifier(StrEnum):
    """A result that is known as a bound alone."""

    BELOW = "<"
    ABOVE = ">"


class Finding(StrEnum):
    """A result that is no number."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    INDETERMINATE = "indeterminate"


class ReportedTest(Fact):
    """One release test: a value with its unit, or a finding."""

    test: Code = Field(description="As the protocol names it", examples=["viability"])
    tested_on: Day
    value: Annotated[Measurement, Field(ge=0)] | None = None
    qualifier: Qualifier | None = None
    unit: UcumUnit | None = None
    finding: Finding | None = None
    method: Code | None = None

    @model_validator(mode="after")
    def _is_a_value_or_a_finding(self) -> Self:
        if (self.value is None) is (self.finding is None):
            raise ValueError("send a value or a finding, and not both")
        if (self.value is None) is not (self.unit is None) or (self.value is None and self.qualifier is not None):
            raise ValueError("a unit, and a qualifier where it is a bound, belong to a value")
        return self


class ReleaseTesting(Fact):
    """Release tests that were reported together."""

    reported_at: Instant
    results: tuple[ReportedTest, ...] = Field(min_length=1, max_length=50)


class WhyVerdict(StrEnum):
    """What a verdict rests on."""

    COMPARED = "compared"
    LIMIT_UNSET = "limit-unset"  # the protocol knows no number
    OTHER_UNIT = "other-unit"  # than the protocol's
    OTHER_KIND = "other-kind"  # a finding where a number is asked, or the like
    BOUND_TELLS_NOT = "bound-tells-not"  # such as <10 where at most 5 is allowed
    INDETERMINATE = "indeterminate"
    NOT_IN_PROTOCOL = "not-in-protocol"
    NOT_LOGGED = "not-logged"  # a temperature


class JudgedTest(Fact):
    """A result held against the protocol's limit, as it stood then. `passed` null: it cannot be told, `why` says so."""

    test: Code
    passed: Flag | None
    why: WhyVerdict
    asked: str | None = Field(description="What the protocol asks, in words", examples=["at least 70 %"])
    required: Flag
    mark: str | None = Field(description="How well the limit is known")
    source: str | None


class Release(Fact):
    """A lot may be given."""

    decided_at: Instant


class Rejection(Fact):
    """A lot is not given."""

    decided_at: Instant
    because: RejectionGround
    note: Reason | None = None


class Shipment(Fact):
    """A released lot left the manufacturer."""

    shipped_at: Instant
    shipper: Code = Field(examples=["COURIER-2"])
    destination: Code = Field(examples=["CU"])
    transport: Transport
    logger: Code | None = Field(None, description="The temperature logger's number")
    tracking: Code | None = None


class SiteReceipt(Fact):
    """The lot came to the site: scanned, and its logger read."""

    received_at: Instant
    lot: Label = Field(description="As scanned")
    condition: ProductCondition
    lowest_c: Celsius | None = Field(None, description="On the way, by its logger; null: not read")
    highest_c: Celsius | None = None
    logger: Code | None = None


class TemperatureVerdict(Fact):
    """What a logger saw, held against the protocol's limits. `within` null: it cannot be told, `why` says so."""

    within: Flag | None
    why: WhyVerdict
    transport: Transport | None
    allowed_lowest_c: Celsius | None
    allowed_highest_c: Celsius | None


class Thaw(Fact):
    """A bag was thawed: scanned, and perhaps counted."""

    thawed_at: Instant
    lot: Label = Field(description="As scanned")
    bag: Label = Field(description="As scanned", examples=["CMD03-0007-B1"])
    viability_percent: Percent | None = Field(None, description="After the thaw")
    viable_cells: Cells | None = Field(None, description="Counted after the thaw")


class BagGiven(Fact):
    """A bag that was infused; `volume_ml` null: the whole of it."""

    bag: Label = Field(examples=["CMD03-0007-B1"])
    volume_ml: Millilitres | None = None


class CellsBasis(StrEnum):
    """What the cells of a bag are computed from."""

    COUNTED_AFTER_THAW = "counted-after-thaw"
    VIABILITY_AFTER_THAW = "viability-after-thaw"  # the frozen cells, less those that the thaw took
    AS_FROZEN = "as-frozen"  # nothing after the thaw that could be used


class NoDose(StrEnum):
    """Why a dose cannot be computed, or not be compared."""

    BAG_UNKNOWN = "bag-unknown"
    NO_BAG_NAMED = "no-bag-named"
    VOLUME_UNKNOWN = "volume-unknown"  # a part of a bag whose volume nobody recorded
    WEIGHT_MISSING = "weight-missing"
    NO_DOSE_LEVEL = "no-dose-level"


class BagDose(Fact):
    """The viable CAR+ T cells that one bag gave."""

    bag: Code
    viable_car_positive_cells: Measurement
    basis: CellsBasis


class DoseCheck(Fact):
    """The dose as the product's own record gives it, beside the level that was planned."""

    bags: tuple[BagDose, ...]
    viable_car_positive_cells: Measurement | None
    weight_kg: Measurement | None = Field(description="As it counts: not above the protocol's cap")
    cells_per_kg: Measurement | None
    dose_level: Code | None
    planned_cells_per_kg: Measurement | None
    percent_of_planned: Measurement | None
    tolerance_percent: Measurement | None
    within: Flag | None = Field(description="Null: it cannot be told, `missing` says why")
    missing: NoDose | None


class Infused(Fact):
    """The lot was infused, in whole or in part."""

    infused_at: Instant
    infusion_number: int
    bags: tuple[BagGiven, ...]
    dose: DoseCheck


class Diverted(Fact):
    """Cells of the lot were infused into somebody else. Whom, the other one's record tells."""

    diverted_at: Instant
    diversion_id: UUID
    bags: tuple[BagGiven, ...]


class ScanPoint(StrEnum):
    """Where a label was scanned."""

    RECEIPT = "receipt"
    THAW = "thaw"
    BEDSIDE = "bedside"
    INFUSION = "infusion"  # the record of an infusion names the lot


class ProductFinding(StrEnum):
    """What is not as it should be, of a scan, an infusion or a transport."""

    LOT_OF_ANOTHER_PARTICIPANT = "lot-of-another-participant"
    SCANNED_FOR_ANOTHER_PARTICIPANT = "scanned-for-another-participant"  # as told to whose lot it is
    LOT_UNKNOWN = "lot-unknown"
    LOT_DIFFERS = "lot-differs"  # another lot of the same participant
    BAG_UNKNOWN = "bag-unknown"  # not of this lot
    BAG_USED = "bag-used"
    PARTICIPANT_DIFFERS = "participant-differs"  # the wristband is not that of the product's participant
    NOT_RELEASED = "not-released"
    REJECTED = "rejected"
    RELEASE_TEST_FAILED = "release-test-failed"  # reported after the release, as of a culture that takes weeks
    EXPIRED = "expired"
    SECOND_INFUSION_NOT_ALLOWED = "second-infusion-not-allowed"
    SECOND_INFUSION_TOO_EARLY = "second-infusion-too-early"
    DOSE_OUT_OF_RANGE = "dose-out-of-range"
    BAG_NOT_THAWED = "bag-not-thawed"  # on record
    IDENTITY_NOT_VERIFIED = "identity-not-verified"  # at the bedside, before the infusion
    TEMPERATURE_OUT_OF_LIMITS = "temperature-out-of-limits"  # on the way


class Verification(Fact):
    """A scan at the bedside, or wherever a label is read, that found what it should."""

    scanned_at: Instant
    point: ScanPoint
    lot: Label
    bag: Label | None = None
