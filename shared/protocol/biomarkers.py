"""What the laboratory measures: CAR-T cells in blood, and cytokines in serum."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.protocol.marked import Mark, Part, Setting, Text
from shared.protocol.units import Unit

Count = Annotated[int, Field(gt=0)]
AnalyteKey = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*$")]
Factor = Annotated[Decimal, Field(gt=0)]


class ParentPopulation(StrEnum):
    """Of which cells a percentage of CAR+ cells is counted."""

    LYMPHOCYTES = "lymphocytes"
    CD3 = "cd3"
    CD4 = "cd4"
    CD8 = "cd8"


class SpecimenType(StrEnum):
    BLOOD = "blood"  # SPECTYPE C12434
    CEREBROSPINAL_FLUID = "cerebrospinal-fluid"  # C12692
    BONE_MARROW = "bone-marrow"  # C12431
    EFFUSION = "effusion"
    TUMOUR = "tumour"


class BelowLimit(StrEnum):
    """What stands for a value below the limit of quantification where a number is needed."""

    ZERO = "zero"
    HALF_LLOQ = "half-lloq"
    LLOQ = "lloq"
    MISSING = "missing"
    EXCLUDED = "excluded"


class DetectableFrom(StrEnum):
    """From where on CAR+ cells count as detected."""

    LLOQ = "lloq"  # from the limit of quantification on
    LOD = "lod"  # from the limit of detection on, though too few to be counted


class BelowLimitInCurve(Part):
    """Values below the limit within one participant's curve, by where they lie."""

    before_first: Setting[BelowLimit]
    between: Setting[BelowLimit]
    after_last: Setting[BelowLimit]

    @model_validator(mode="after")
    def _a_curve_can_be_made(self) -> Self:
        if BelowLimit.LLOQ in {self.before_first.value, self.between.value}:
            raise ValueError("below_lloq: no curve runs through the limit itself; use zero, half-lloq or missing")
        if self.after_last.value not in {BelowLimit.EXCLUDED, BelowLimit.MISSING}:
            raise ValueError("below_lloq.after_last: a curve ends with its last quantifiable value; use excluded")
        return self


class AucMethod(StrEnum):
    """How the area under a curve is computed between two values (`shared.kinetics.areas`)."""

    LINEAR = "linear"
    LINEAR_UP_LOG_DOWN = "linear-up-log-down"


class Kinetics(Part):
    """Non-compartmental analysis of each participant's curve."""

    auc_method: Setting[AucMethod]
    interval_from_day: Setting[Annotated[int, Field(ge=0)]]
    interval_until_day: Setting[Count]
    predose_zero: Setting[bool]
    lambda_z_minimum_points: Setting[Annotated[int, Field(ge=3)]]
    lambda_z_minimum_adjusted_r2: Setting[Annotated[Decimal, Field(ge=0, le=1)]]

    @model_validator(mode="after")
    def _interval_begins_before_it_ends(self) -> Self:
        if self.interval_from_day.value >= self.interval_until_day.value:
            raise ValueError("kinetics: interval_from_day must lie before interval_until_day")
        return self


class Persistence(Part):
    """CAR-T cells by flow cytometry."""

    concentration_unit: Setting[Unit]
    parent_populations: Setting[tuple[ParentPopulation, ...]]
    absolute_from: Setting[tuple[ParentPopulation, ...]]
    alc_same_day: Setting[bool]
    lod_events: Setting[Count]
    lloq_events: Setting[Count]
    detectable_from: Setting[DetectableFrom]
    count_tolerance_percent: Setting[Annotated[Decimal, Field(ge=0)]]
    below_lloq: BelowLimitInCurve
    kinetics: Kinetics
    loss_consecutive_visits: Setting[Count]
    specimen_types: Setting[tuple[SpecimenType, ...]]

    @model_validator(mode="after")
    def _limits_and_populations_agree(self) -> Self:
        if self.lloq_events.value < self.lod_events.value:
            raise ValueError("lloq_events must not lie below lod_events: what is counted must first be seen")
        unlisted = set(self.absolute_from.value) - set(self.parent_populations.value)
        if unlisted:
            raise ValueError(f"absolute_from names {', '.join(sorted(unlisted))}, not among the parent_populations")
        return self


class LoincStatus(StrEnum):
    VERIFIED = "verified"
    GENERAL_KNOWLEDGE = "general-knowledge"  # the check digit is valid; confirm before release


class Analyte(Part):
    """A measured substance and its codes."""

    key: AnalyteKey
    name: Text
    loinc: Annotated[str, StringConstraints(pattern=r"^\d{1,5}-\d$")]
    loinc_status: LoincStatus
    cdisc_testcd: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]  # LBTESTCD
    cdisc_code: Annotated[str, StringConstraints(pattern=r"^C\d+$")]
    mark: Mark
    source: Text
    note: Text | None = None

    @model_validator(mode="after")
    def _loinc_checks(self) -> Self:
        number, digit = self.loinc.split("-")
        if _mod_10(number) != int(digit):
            raise ValueError(f"{self.key}: {self.loinc} is no LOINC code, its check digit should be {_mod_10(number)}")
        return self


def _mod_10(number: str) -> int:
    """The check digit of a LOINC code.

    Source: LOINC Users' Guide, appendix "Calculating Mod 10 check digits" (the Luhn algorithm).
    """
    doubled = "".join(str(int(digit) * (2 if place % 2 == 0 else 1)) for place, digit in enumerate(reversed(number)))
    return -sum(map(int, doubled)) % 10


class CytokineBaseline(StrEnum):
    LAST_BEFORE_INFUSION = "last-before-infusion"


class Cytokines(Part):
    """Serum cytokines. `unit_factors` multiply a value to reach `unit`."""

    analytes: tuple[Analyte, ...]
    unit: Setting[Unit]
    unit_factors: Setting[Mapping[Unit, Factor]]
    baseline: Setting[CytokineBaseline]
    fold_baseline_below_lloq: Setting[BelowLimit]
    fold_value_below_lloq: Setting[BelowLimit]
    same_platform_for_fold: Setting[bool]
    peak_from_day: Setting[Annotated[int, Field(ge=0)]]
    peak_until_day: Setting[Count]
    flag_after_tocilizumab: Setting[tuple[AnalyteKey, ...]]
    replicate_cv_percent_limit: Setting[Annotated[Decimal, Field(gt=0, le=100)]]

    @model_validator(mode="after")
    def _unit_and_peak_make_sense(self) -> Self:
        if self.unit_factors.value.get(self.unit.value) != 1:
            raise ValueError(f"unit_factors must hold {self.unit.value}, the unit itself, with the factor 1")
        if self.peak_from_day.value > self.peak_until_day.value:
            raise ValueError("peak_from_day lies after peak_until_day")
        return self
