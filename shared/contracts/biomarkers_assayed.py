"""How a cytokine came to its number: dilution, replicates, and the lot of the assay."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.contracts.terms import Code, Flag, Instant, Measurement


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _two_places(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2:
        raise ValueError("at most 2 decimal places")
    return value


DilutionFactor = Annotated[Measurement, AfterValidator(_two_places), Field(ge=1, le=10**6)]


class Diluted(_Fact):
    """What a line of a report says of its dilution."""

    dilution_factor: DilutionFactor | None = Field(None, description="10: one part in ten; left out: undiluted")
    dilution_corrected: Flag | None = Field(
        None, description="true: the numbers of this line are multiplied by the factor already; false: not yet"
    )


class AssayNamed(_Fact):
    """What a report says of the assay that was run."""

    assay_lot_id: UUID | None = Field(
        None, description="The registered lot of the assay: its limits hold where a result states none"
    )
    assayed_at: Instant | None = Field(None, description="When the assay was run; it must be while the lot was valid")


class LimitFrom(StrEnum):
    """Where a limit of quantification comes from."""

    RESULT = "result"  # the report states it
    ASSAY_LOT = "assay-lot"  # the registry, as it was when the panel went on record
    REPLICATES = "replicates"  # the bound of a mean of which a part lies beyond a limit


class ReplicateRule(StrEnum):
    """How one result was made of replicates."""

    MEAN = "mean"  # arithmetic; rounded to one decimal place more than the replicates have
    REPORTED = "reported"  # the laboratory's own value, which lies between the lowest and the highest
    # With each replicate beyond a limit at that limit the mean is a bound: the true one lies below it, or above.
    BOUNDED_MEAN = "bounded-mean"


class ReplicateSummary(_Fact):
    """Replicates in pg/mL. CV: 100 x SD (n - 1) / mean, to a tenth; null where one lies beyond a limit."""

    n: int
    n_below_lloq: int
    n_above_uloq: int
    mean_pg_ml: Measurement | None
    cv_percent: Measurement | None
    cv_limit_percent: Measurement
    rule: ReplicateRule


class AssayUsed(_Fact):
    """The registered lot whose limits were taken, as it was then."""

    assay_lot_id: UUID
    platform: Code
    kit: Code
    lot: Code


class Provenance(_Fact):
    """Where a result's limits come from, its dilution, and its replicates."""

    lloq_from: LimitFrom | None = None
    uloq_from: LimitFrom | None = None
    dilution_factor: Measurement | None = None
    replicates: ReplicateSummary | None = None
