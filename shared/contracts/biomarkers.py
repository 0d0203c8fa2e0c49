"""What the biomarkers service publishes: CAR-T counts by flow cytometry and cytokine panels.

Each event carries the laboratory's own report, unchanged, and beside it what this service read from it. A
censored value has a limit and no number, so that nobody averages a zero that was never measured. Whether a
sample lies before the infusion, and a fold change over the baseline, are not said here: both rest on facts
that may arrive later (the infusion, a late baseline), so readers derive them by
`shared.protocol.fold_change`.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.contracts.biomarkers_assayed import AssayNamed, AssayUsed, Diluted, Provenance
from shared.contracts.saying import Says
from shared.contracts.terms import Code, Flag, Instant, Measurement, ParticipantId, ProtocolRef, Reason
from shared.kernel.events import Event


def _nine_places(value: Decimal) -> Decimal:
    """Leaves room for three more places, so that any accepted unit is converted without rounding."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -9:
        raise ValueError("at most 9 decimal places")
    return value


Percent = Annotated[Measurement, AfterValidator(_nine_places), Field(ge=0, le=100)]
Count = Annotated[Measurement, AfterValidator(_nine_places), Field(ge=0, le=10**12)]
Concentration = Annotated[Measurement, AfterValidator(_nine_places), Field(ge=0, le=10**9)]
Unit = Annotated[
    str,
    Field(pattern=r"^[!-~]{1,24}$", description="A UCUM unit", examples=["pg/mL"]),
    Says("a UCUM unit of at most 24 characters without blanks, such as pg/mL"),
]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Qualifier(StrEnum):
    """The value lies beyond a limit of quantification (FHIR `Quantity.comparator`)."""

    BELOW = "<"
    ABOVE = ">"


class Ground(StrEnum):
    """Why a result no longer counts (FHIR `Observation.status`)."""

    CANCELLED = "cancelled"  # the measurement cannot be used: a clotted tube, a failed run
    ENTERED_IN_ERROR = "entered-in-error"  # it never was: another child's tube, a slip of the keyboard


class FlowSpecimenType(StrEnum):
    """Where the cells were found. The trial asks for blood; the others are optional compartments (CPSPEC)."""

    BLOOD = "blood"  # C12434
    CEREBROSPINAL_FLUID = "cerebrospinal-fluid"  # C12692
    BONE_MARROW = "bone-marrow"  # C12431
    EFFUSION = "effusion"
    TUMOUR = "tumour"


class FlowSpecimen(_Fact):
    """The sample that went through the cytometer."""

    type: FlowSpecimenType = FlowSpecimenType.BLOOD
    collected_at: Instant
    specimen_id: UUID | None = Field(None, description="The specimen on record; without it nothing tells its custody")


class ParentPopulation(StrEnum):
    """What a percentage of CAR+ cells is a percentage of: one sample gives four different numbers."""

    CD3 = "cd3"
    LYMPHOCYTES = "lymphocytes"
    CD4 = "cd4"
    CD8 = "cd8"


class CountingPlatform(StrEnum):
    """How the laboratory came to an absolute count."""

    SINGLE = "single"  # counting beads in the tube
    DUAL = "dual"  # the percentage, and lymphocytes from a haematology analyser


class LymphocyteCount(_Fact):
    """The absolute lymphocyte count (ALC, LOINC 731-0) of the same draw."""

    value: Count
    unit: Unit = Field(examples=["10*9/L"])
    drawn_at: Instant


class CarSubsets(_Fact):
    """Distribution of the CAR+ cells, each in percent of all CAR+ cells. None: not measured."""

    cd4_percent: Percent | None = None
    cd8_percent: Percent | None = None
    naive_percent: Percent | None = Field(None, description="CD45RA+ CCR7+, stem-cell-like memory included")
    central_memory_percent: Percent | None = Field(None, description="CD45RA- CCR7+")
    effector_memory_percent: Percent | None = Field(None, description="CD45RA- CCR7-")
    temra_percent: Percent | None = Field(None, description="CD45RA+ CCR7-")


class GatedPopulation(StrEnum):
    """What a gate holds, of the populations that this trial reads. Gating order [U]: singlets to CAR+, then subsets."""

    SINGLETS = "singlets"
    VIABLE = "viable"
    LEUKOCYTES = "leukocytes"  # CD45+
    LYMPHOCYTES = "lymphocytes"
    CD3 = "cd3"
    CD4 = "cd4"
    CD8 = "cd8"
    CAR = "car"
    CAR_CD4 = "car-cd4"
    CAR_CD8 = "car-cd8"
    CAR_NAIVE = "car-naive"  # CD45RA+ CCR7+
    CAR_CENTRAL_MEMORY = "car-central-memory"  # CD45RA- CCR7+
    CAR_EFFECTOR_MEMORY = "car-effector-memory"  # CD45RA- CCR7-
    CAR_TEMRA = "car-temra"  # CD45RA+ CCR7-


class Gate(_Fact):
    """One gate of the hierarchy, with the events in it."""

    name: Code = Field(description="The gate's own name in the laboratory's analysis", examples=["CD3 pos"])
    parent: Code | None = Field(None, description="The gate it was set in; none: all events acquired")
    events: int = Field(strict=True, ge=0, le=10**9)
    population: GatedPopulation | None = Field(None, description="What it holds, if this trial reads it")


class Beads(_Fact):
    """Counting beads in the tube: a single platform."""

    in_tube: int = Field(strict=True, ge=1, le=10**9, description="Beads in the tube, as its lot says")
    acquired: int = Field(strict=True, ge=1, le=10**9, description="Bead events acquired")
    volume_ul: Annotated[Measurement, Field(gt=0, le=100_000, description="uL of specimen in the tube")]
    lot: Code | None = None


class FlowReport(_Fact):
    """What the laboratory reported, as it reported it."""

    specimen: FlowSpecimen
    parent_population: ParentPopulation
    percent: Percent | None = Field(None, description="CAR+ cells in percent of the parent", examples=["12.5"])
    cells_per_ul: Count | None = Field(None, description="CAR+ cells/uL, if the laboratory reports a count")
    qualifier: Qualifier | None = Field(None, description="`<`: below the limit of quantification")
    lloq_percent: Percent | None = Field(None, description="The laboratory's own limit, in percent of the parent")
    lloq_cells_per_ul: Count | None = Field(None, description="The laboratory's own limit, in CAR+ cells/uL")
    parent_events: int | None = Field(
        None, strict=True, ge=1, le=10**9, description="Events acquired in the parent gate"
    )
    car_events: int | None = Field(None, strict=True, ge=0, le=10**9, description="CAR+ events among them")
    events_acquired: int | None = Field(
        None, strict=True, ge=1, le=10**10, description="All events acquired, before any gate"
    )
    gates: Annotated[tuple[Gate, ...], Field(min_length=1, max_length=100)] | None = Field(
        None, description="The gating hierarchy; events that are left out beside it are read from it"
    )
    beads: Beads | None = None
    alc: LymphocyteCount | None = None
    cd3_percent_of_lymphocytes: Percent | None = None
    subsets: CarSubsets | None = None
    platform: CountingPlatform | None = None
    instrument: Code | None = None
    method: Code | None = Field(None, description="The laboratory's own code of panel and method")


class CountBasis(StrEnum):
    """Where the count of record comes from."""

    REPORTED = "reported"
    DERIVED = "derived"


class LimitBasis(StrEnum):
    """Where the limit of quantification comes from."""

    REPORTED = "reported"
    EVENTS = "events"  # least CAR+ events that can be counted, over the parent events acquired


class NoCount(StrEnum):
    """Why no absolute count could be derived from the percentage."""

    BELOW_LLOQ = "below-lloq"
    NO_PERCENT = "no-percent"
    NO_LYMPHOCYTE_COUNT = "no-lymphocyte-count"
    NO_CD3_FRACTION = "no-cd3-fraction"
    PARENT_UNSUITED = "parent-unsuited"  # a percent of CD4+ leaves out the CAR+ cells that are CD8+
    NOT_BLOOD = "not-blood"  # lymphocytes are counted in blood


class FlowFlag(StrEnum):
    """What a reader should know before relying on a result."""

    COUNTS_DISAGREE = "counts-disagree"  # the reported and the derived count; both are kept
    LLOQ_UNKNOWN = "lloq-unknown"
    SPECIMEN_OUTSIDE_PROTOCOL = "specimen-outside-protocol"
    PARENT_OUTSIDE_PROTOCOL = "parent-outside-protocol"
    SUBSETS_OF_FEW_EVENTS = "subsets-of-few-events"  # subsets of CAR+ cells too few to be counted


class CountFormula(StrEnum):
    """How the count of record follows from the report."""

    AS_REPORTED = "as-reported"
    BEADS = "beads"  # single platform: CAR+ events / bead events x beads in the tube / uL in the tube
    LYMPHOCYTES = "lymphocytes"  # dual platform: ALC x CAR+ fraction of lymphocytes
    CD3 = "cd3"  # dual platform: ALC x CD3+ fraction of lymphocytes x CAR+ fraction of CD3+


class CarTCount(_Fact):
    """What the report says about CAR-T cells. Below the limit of quantification there is no number.

    `cells_per_ul` is the count of record: the bead count of a single platform, else the derived one, else the
    reported one. `detectable` follows the protocol's rule (limit of quantification, or of detection).
    """

    below_lloq: bool
    detectable: bool
    percent: Percent | None = Field(description="None below the limit of quantification, or if none was reported")
    lloq_percent: Percent | None
    lloq_basis: LimitBasis | None
    cells_per_ul: Measurement | None
    cells_basis: CountBasis | None
    lloq_cells_per_ul: Measurement | None
    derived_cells_per_ul: Measurement | None
    not_derived: NoCount | None
    flags: tuple[FlowFlag, ...]
    formula: CountFormula | None = Field(None, description="None: no count, or recorded before formulas were")
    lod_percent: Percent | None = Field(None, description="The limit of detection that follows from the events")
    parent_events: int | None = Field(None, description="As reported, else as the gates have them")
    car_events: int | None = Field(None, description="As reported, else as the gates have them")
    subsets: CarSubsets | None = Field(None, description="As reported, else as the gates have them")


class FlowResultRecorded(Event, type="biomarkers.flow-result-recorded", version=1):
    """A laboratory's flow cytometry of CAR-T cells in one sample went on record."""

    flow_result_id: UUID
    participant_id: ParticipantId
    report: FlowReport
    count: CarTCount
    protocol: ProtocolRef


class FlowResultCorrected(Event, type="biomarkers.flow-result-corrected", version=1):
    """A corrected report supersedes the one before it, which stays on record."""

    flow_result_id: UUID
    participant_id: ParticipantId
    report: FlowReport
    count: CarTCount
    reason: Reason
    protocol: ProtocolRef


class FlowResultCancelled(Event, type="biomarkers.flow-result-cancelled", version=1):
    """The result no longer counts. What it said stays readable."""

    flow_result_id: UUID
    participant_id: ParticipantId
    ground: Ground
    reason: Reason


class CytokineSpecimenType(StrEnum):
    """LBSPEC."""

    SERUM = "serum"  # C13325
    PLASMA = "plasma"  # C13356


class CytokineSpecimen(_Fact):
    """The sample that was assayed."""

    type: CytokineSpecimenType = CytokineSpecimenType.SERUM
    collected_at: Instant
    specimen_id: UUID | None = Field(None, description="The specimen on record; without it nothing tells its custody")


class NotMeasured(StrEnum):
    """Why a cytokine of the panel has no result. Absent is not zero, and not below the limit either."""

    NOT_REPORTED = "not-reported"  # the laboratory's report does not name it
    NOT_PERFORMED = "not-performed"
    INSUFFICIENT_VOLUME = "insufficient-volume"
    UNSUITABLE_SPECIMEN = "unsuitable-specimen"  # haemolysed, thawed too long
    ASSAY_FAILED = "assay-failed"


class Replicate(_Fact):
    """One of several wells of one sample, in the unit of its line. A qualifier says that it lies beyond a limit."""

    value: Concentration | None = None
    qualifier: Qualifier | None = None


class ReportedCytokine(Diluted):
    """One line of a laboratory's report. Either a value, replicates, a qualifier with its limit, or why there is none.

    All numbers of a line (value, replicates and its own limits) stand either before or after the correction for a
    dilution, as `dilution_corrected` says. Limits of a registered lot are those of the undiluted sample.
    """

    analyte: Code = Field(description="Key or LOINC code of the analyte", examples=["IL6", "26881-3"])
    value: Concentration | None = Field(None, examples=["38.4"])
    qualifier: Qualifier | None = None
    lloq: Concentration | None = Field(None, description="Lower limit of quantification, in the same unit")
    uloq: Concentration | None = Field(None, description="Upper limit of quantification, in the same unit")
    unit: Unit | None = Field(None, description="UCUM; needed unless not measured", examples=["pg/mL"])
    not_measured: NotMeasured | None = None
    replicates: Annotated[tuple[Replicate, ...], Field(min_length=2, max_length=12)] | None = Field(
        None, description="The single wells; without `value` their mean is the result"
    )


class CytokineReport(AssayNamed):
    """What the laboratory reported, as it reported it."""

    specimen: CytokineSpecimen
    platform: Code = Field(description="The assay platform: fold changes across platforms are void")
    kit: Code | None = None
    lot: Code | None = None
    after_tocilizumab: Flag | None = Field(
        None, description="Drawn after tocilizumab, which raises serum IL-6 by blocking its receptor"
    )
    results: tuple[ReportedCytokine, ...] = Field(min_length=1, max_length=100)


class CytokineFlag(StrEnum):
    """What a reader should know before relying on a value."""

    AFTER_TOCILIZUMAB = "after-tocilizumab"
    REPLICATES_DISAGREE = "replicates-disagree"  # their CV is above the protocol's limit
    REPLICATES_BEYOND_LIMIT = "replicates-beyond-limit"  # so that they have neither mean nor CV


class CytokineResult(Provenance):
    """One cytokine in pg/mL, under the protocol's key.

    Exactly one of `value_pg_ml`, `qualifier` and `not_measured` is given.
    `<` means below `lloq_pg_ml`, `>` above `uloq_pg_ml`. All are corrected for the dilution.
    """

    analyte: str
    value_pg_ml: Measurement | None = None
    qualifier: Qualifier | None = None
    lloq_pg_ml: Measurement | None = None
    uloq_pg_ml: Measurement | None = None
    not_measured: NotMeasured | None = None
    flags: tuple[CytokineFlag, ...] = ()


class CytokinePanelRecorded(Event, type="biomarkers.cytokine-panel-recorded", version=1):
    """A laboratory's cytokine panel of one sample went on record.

    `results` holds every analyte of the protocol, with a reason where it has no value.
    """

    cytokine_panel_id: UUID
    participant_id: ParticipantId
    report: CytokineReport
    results: tuple[CytokineResult, ...]
    protocol: ProtocolRef
    assay: AssayUsed | None = None


class CytokinePanelCorrected(Event, type="biomarkers.cytokine-panel-corrected", version=1):
    """A corrected report supersedes the one before it, which stays on record."""

    cytokine_panel_id: UUID
    participant_id: ParticipantId
    report: CytokineReport
    results: tuple[CytokineResult, ...]
    reason: Reason
    protocol: ProtocolRef
    assay: AssayUsed | None = None


class CytokinePanelCancelled(Event, type="biomarkers.cytokine-panel-cancelled", version=1):
    """The panel no longer counts, neither as a value nor as a baseline. What it said stays readable."""

    cytokine_panel_id: UUID
    participant_id: ParticipantId
    ground: Ground
    reason: Reason
