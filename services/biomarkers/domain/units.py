"""Conversion of laboratory units, exact in decimals. The table is `units.csv`, with a source for each factor."""

import csv
import re
from decimal import Context, Decimal, Inexact
from functools import cache
from importlib.resources import files

from shared.kernel.errors import Unacceptable

# A conversion that would have to round raises instead.
EXACT = Context(prec=60, traps=[Inexact])


class UnitNotConvertible(Unacceptable):
    """The unit is unknown, or no factor leads from it to the trial's unit."""


def to_pg_per_ml(value: Decimal, unit: str, analyte: str) -> Decimal:
    """A mass concentration in pg/mL. International units are refused for an analyte without a known factor."""
    return _converted(value, _factor("mass concentration", unit, analyte))


def to_cells_per_ul(value: Decimal, unit: str) -> Decimal:
    """A cell count in cells/uL: 1 x 10*9/L is 1000 cells/uL, 1 x 10*6/L is 1."""
    return _converted(value, _factor("cells", unit, ""))


def to_copies_per_ug(value: Decimal, unit: str) -> Decimal:
    """Copies of a gene per microgram of genomic DNA. Copies per cell are another quantity, and refused."""
    return _converted(value, _factor("copies by mass of DNA", unit, ""))


def to_copies_per_ml(value: Decimal, unit: str) -> Decimal:
    """Copies of a gene per mL of the specimen."""
    return _converted(value, _factor("copies by volume", unit, ""))


def to_ng(value: Decimal, unit: str) -> Decimal:
    """A mass of DNA in ng."""
    return _converted(value, _factor("mass of DNA", unit, ""))


def _converted(value: Decimal, factor: Decimal) -> Decimal:
    """The product with as many significant digits as the value has: 0.0384 ng/mL are 38.4 pg/mL, not 38.4000."""
    product = EXACT.multiply(value, factor)
    exponent = product.as_tuple().exponent
    return EXACT.quantize(product, Decimal(1)) if isinstance(exponent, int) and exponent > 0 else product


def _factor(quantity: str, unit: str, analyte: str) -> Decimal:
    table = _table()[quantity]
    plain = re.sub(r"\{[^{}]*\}", "", unit)  # UCUM: an annotation in braces is no part of the unit
    factor = table.get((plain, analyte)) or table.get((plain, ""))
    if factor is not None:
        return factor
    known = ", ".join(sorted({name for (name, _), number in table.items() if number is not None}))
    why = "has no general factor to a mass" if (plain, "") in table else "is not a unit of this quantity"
    raise UnitNotConvertible(f"a unit {why}; send one of {known}")


@cache
def _table() -> dict[str, dict[tuple[str, str], Decimal | None]]:
    table: dict[str, dict[tuple[str, str], Decimal | None]] = {}
    text = files(__package__).joinpath("units.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        factor = Decimal(row["factor"]).normalize() if row["factor"] else None
        table.setdefault(row["quantity"], {})[row["unit"], row["analyte"]] = factor
    return table
