"""Samples of CAR-T cells or transgene copies, as the tables and figures of persistence take them: one series each."""

from sqlalchemy import RowMapping

from services.projector.custody import Custody, custody_of
from services.projector.domain.car_t_series import Quantity, Sample, Series
from services.projector.domain.figures import Value
from services.projector.reading import Reading
from services.projector.readmodels import flow_results, specimens, transgene_results
from shared.contracts.biomarkers import CarSubsets, FlowSpecimenType
from shared.contracts.biomarkers_specimens import ResultKind
from shared.kernel.errors import Unacceptable
from shared.projection import Projection
from shared.protocol import ParentPopulation

CELLS_PER_UL, PERCENT, COPIES_PER_UG = "/uL", "%", "{copies}/ug"


class NoPercentOfCopies(Unacceptable):
    """Transgene copies are no share of a population of cells."""


def quantity_of(series: Series, specimen: FlowSpecimenType, percent_of: ParentPopulation | None = None) -> Quantity:
    """Raises: NoPercentOfCopies."""
    if series is Series.TRANSGENE and percent_of is not None:
        raise NoPercentOfCopies("percent_of is of the series flow: leave it out, or ask for that series")
    unit = CELLS_PER_UL if percent_of is None else PERCENT
    unit = COPIES_PER_UG if series is Series.TRANSGENE else unit
    return Quantity(series=series, specimen=specimen.value, unit=unit, percent_of=percent_of)


def of_series(series: Series) -> tuple[Projection, ...]:
    """The read models that samples of a series rest on."""
    measured = transgene_results if series is Series.TRANSGENE else flow_results
    return measured.PROJECTION, specimens.PROJECTION


async def samples_of(reading: Reading, quantity: Quantity) -> list[Sample]:
    """Every sample of one series in one compartment, with what is to be known of its specimen."""
    custody, compartment = await custody_of(reading), FlowSpecimenType(quantity.specimen)
    if quantity.series is Series.TRANSGENE:
        rows = await transgene_results.that_count(reading.connection, reading.scope, compartment)
        return [_copies(row, custody) for row in rows]
    rows = await flow_results.that_count(reading.connection, reading.scope, compartment)
    of = quantity.percent_of
    return [sample_of(row, of, custody) for row in rows if of in {None, row["parent_population"]}]


def sample_of(row: RowMapping, percent_of: ParentPopulation | None, custody: Custody | None = None) -> Sample:
    """What a flow result says, as cells/uL or in percent of a population; without a custody, no flags."""
    number, lloq = ("cells_per_ul", "lloq_cells_per_ul") if percent_of is None else ("percent", "lloq_percent")
    return Sample(
        result_id=row["flow_result_id"],
        participant_id=row["participant_id"],
        collected_at=row["collected_at"],
        value=_value(row, number, lloq),
        detectable=row["detectable"],
        subsets=None if row["subsets"] is None else CarSubsets.model_validate(row["subsets"]),
        specimen_flags=() if custody is None else custody.flags(ResultKind.FLOW_RESULT, row["flow_result_id"], row),
    )


def _copies(row: RowMapping, custody: Custody) -> Sample:
    return Sample(
        result_id=row["transgene_result_id"],
        participant_id=row["participant_id"],
        collected_at=row["collected_at"],
        value=_value(row, "copies_per_ug", "lloq_copies_per_ug"),
        detectable=row["detectable"],
        method=row["method"],
        specimen_flags=custody.flags(ResultKind.TRANSGENE_RESULT, row["transgene_result_id"], row),
    )


def _value(row: RowMapping, number: str, lloq: str) -> Value | None:
    if row["below_lloq"]:
        return Value(row[lloq], "<")
    return None if row[number] is None else Value(row[number])
