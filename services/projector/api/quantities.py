"""What is counted, as requests ask for it: cells or copies, in one compartment."""

from typing import Annotated

from fastapi import Depends, Query

from services.projector.car_t_samples import quantity_of
from services.projector.domain.car_t_series import Quantity, Series
from shared.contracts.biomarkers import FlowSpecimenType
from shared.protocol import ParentPopulation

CountedSeries = Annotated[Series, Query(description="Cells by flow cytometry, or transgene copies by PCR")]
Compartment = Annotated[FlowSpecimenType, Query(description="The compartment in which they were counted")]


async def _counted(series: CountedSeries = Series.FLOW, specimen: Compartment = FlowSpecimenType.BLOOD) -> Quantity:
    return quantity_of(series, specimen)


async def _tabulated(
    series: CountedSeries = Series.FLOW,
    specimen: Compartment = FlowSpecimenType.BLOOD,
    percent_of: Annotated[
        ParentPopulation | None, Query(description="Percent of this population; left out: CAR+ cells/uL")
    ] = None,
) -> Quantity:
    return quantity_of(series, specimen, percent_of)


CountedDep = Annotated[Quantity, Depends(_counted)]
TabulatedDep = Annotated[Quantity, Depends(_tabulated)]
