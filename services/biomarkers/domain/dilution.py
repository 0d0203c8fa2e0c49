"""A line of a cytokine report in pg/mL of the undiluted sample, with the limits that hold for it.

What a line states is all before the correction for its dilution, or all after it: `dilution_corrected` says which. The
limits of a registered lot are those of an undiluted sample, so they are always multiplied by the factor. Exact.
"""

from decimal import Decimal

from services.biomarkers.domain.units import EXACT, to_pg_per_ml
from shared.contracts.biomarkers import Qualifier, ReportedCytokine
from shared.contracts.biomarkers_assays import AssayLimits
from shared.kernel.errors import Unacceptable

PLACES = -12  # what a stored measurement has room for
UNDILUTED = Decimal(1)


class DilutionUnclear(Unacceptable):
    """It is not said whether numbers stand before or after the correction for a dilution."""


def in_pg_per_ml(line: ReportedCytokine, key: str) -> ReportedCytokine:
    """Raises: DilutionUnclear, UnitNotConvertible."""
    if (line.dilution_factor is None) != (line.dilution_corrected is None):
        raise DilutionUnclear(
            f"{key}: send dilution_factor and dilution_corrected together; true: the numbers are multiplied already"
        )
    factor = UNDILUTED if line.dilution_corrected or line.dilution_factor is None else line.dilution_factor

    def read(number: Decimal | None) -> Decimal | None:
        assert line.unit is not None  # noqa: S101 - looked at before
        return None if number is None else _times(to_pg_per_ml(number, line.unit, key), factor, key)

    replicates = line.replicates and tuple(
        each.model_copy(update={"value": read(each.value)}) for each in line.replicates
    )
    numbers = {name: read(getattr(line, name)) for name in ("value", "lloq", "uloq")}
    return line.model_copy(update={**numbers, "replicates": replicates, "unit": "pg/mL"})


def with_limits_of(line: ReportedCytokine, limits: AssayLimits | None) -> ReportedCytokine:
    """The line, in pg/mL, with a lot's limit where it states none; the value beside a qualifier is its limit."""
    if limits is None:
        return line
    factor = line.dilution_factor or UNDILUTED
    stated = line.qualifier if line.value is not None else None
    taken = {}
    if line.lloq is None and limits.lloq_pg_ml is not None and stated is not Qualifier.BELOW:
        taken["lloq"] = _times(limits.lloq_pg_ml, factor, limits.analyte)
    if line.uloq is None and limits.uloq_pg_ml is not None and stated is not Qualifier.ABOVE:
        taken["uloq"] = _times(limits.uloq_pg_ml, factor, limits.analyte)
    return line.model_copy(update=taken)


def _times(number: Decimal, factor: Decimal, key: str) -> Decimal:
    product = EXACT.multiply(number, factor)
    exponent = product.as_tuple().exponent
    if isinstance(exponent, int) and exponent < PLACES:
        raise DilutionUnclear(f"{key}: number times dilution_factor has more than 12 decimal places; send fewer")
    return product
