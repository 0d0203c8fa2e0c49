"""What is counted of CAR-T cells, where, and one sample of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Figure, Value
from shared.contracts.biomarkers import CarSubsets
from shared.contracts.specimen_flags import SpecimenFlag
from shared.protocol import ParentPopulation


@dataclass(frozen=True, slots=True)
class Sample:
    """One result that stands. `value` is the measure that is tabulated; None: the report does not give it."""

    result_id: UUID
    participant_id: UUID
    collected_at: datetime
    value: Value | None
    detectable: bool
    method: str | None = None
    specimen_flags: tuple[SpecimenFlag, ...] = ()
    subsets: CarSubsets | None = None


class Series(StrEnum):
    """What is counted. The two are never pooled: PCR finds copies longer than flow cytometry finds cells."""

    FLOW = "flow"  # CAR+ cells by flow cytometry
    TRANSGENE = "transgene"  # copies of the CAR's gene by qPCR or ddPCR


class Quantity(Figure):
    """What is tabulated: CAR+ cells/uL, CAR+ cells in percent of one parent population, or copies per ug of DNA."""

    series: Series = Series.FLOW
    specimen: str = Field(description="The compartment", examples=["blood"])
    unit: str = Field(description="UCUM", examples=["/uL", "%", "{copies}/ug"])
    percent_of: ParentPopulation | None = Field(None, description="The parent population of a percentage")
