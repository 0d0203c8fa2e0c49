"""What the biomarkers service publishes about assays: which lots are in use, and what each can quantify.

A lot never changes: one that was entered wrongly is withdrawn, and the right one registered. A panel that named a lot
keeps the limits it had then.
"""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.biomarkers import Concentration, Unit
from shared.contracts.terms import Code, Day, Measurement, ProtocolRef, Reason
from shared.kernel.events import Event


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AssayRange(_Fact):
    """What a lot can quantify of one analyte in an undiluted sample. null: no such limit is known."""

    analyte: Code = Field(description="Key or LOINC code of the analyte", examples=["IL6", "26881-3"])
    lloq: Concentration | None = None
    uloq: Concentration | None = None
    unit: Unit


class AssayLotSheet(_Fact):
    """A lot of an assay, as its certificate says."""

    platform: Code
    kit: Code
    lot: Code
    ranges: tuple[AssayRange, ...] = Field(min_length=1, max_length=100)
    valid_from: Day
    valid_until: Day | None = Field(None, description="The last day on which it may be used; null: no end is set")


class AssayLimits(_Fact):
    """The limits of one analyte in pg/mL, under the protocol's key."""

    analyte: str
    lloq_pg_ml: Measurement | None
    uloq_pg_ml: Measurement | None


class AssayLotRegistered(Event, type="biomarkers.assay-lot-registered", version=1):
    """A lot of an assay may be named by panels from now on."""

    assay_lot_id: UUID
    sheet: AssayLotSheet
    limits: tuple[AssayLimits, ...]
    protocol: ProtocolRef


class AssayLotWithdrawn(Event, type="biomarkers.assay-lot-withdrawn", version=1):
    """A lot was entered wrongly, or is not to be used: no new panel may name it."""

    assay_lot_id: UUID
    reason: Reason


AssayEvent = AssayLotRegistered | AssayLotWithdrawn
