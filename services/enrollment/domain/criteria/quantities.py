"""The quantities that criteria ask for: their names and codes, the kinds of unit they come in, exact conversion.

`quantities.csv` holds them with their sources. A quantity that is not in it comes in the kind of unit of its criterion.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType

from services.enrollment.domain.criteria.reasons import Reason
from shared.measurement import units
from shared.protocol import Criterion
from shared.protocol import Unit as ProtocolUnit

_FILE = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True, slots=True)
class Quantity:
    """`mmol_per_g` leads from mass to substance. `completed`: whole units alone count, as with years of age.

    `most`: the greatest that can be, in the unit of the criterion; nothing that criteria ask for is below 0.
    """

    key: str
    analyte: str | None
    loinc: str | None
    kinds: tuple[str, ...]
    mmol_per_g: Fraction | None
    completed: bool
    most: Fraction | None = None


def of_analyte(name: str) -> frozenset[str]:
    """The quantities that a CDISC test code means, upper and lower case alike."""
    return frozenset(each.key for each in table().values() if each.analyte == name.upper())


def of_loinc(code: str) -> frozenset[str]:
    """The quantities that a LOINC code means."""
    return frozenset(each.key for each in table().values() if each.loinc == code)


def in_unit_of(
    criterion: Criterion, number: Decimal, unit: str | None, upper_limit_of_normal: Decimal | None
) -> Fraction | Reason:
    """A number in the unit of its criterion, exactly; or why it cannot be said in it.

    The upper limit of normal (ULN) is in the unit of the number.
    """
    target = units.by_code(str(criterion.unit))
    given = None if unit is None else units.read(unit)
    if given is None:
        return Reason.WRONG_UNIT
    quantity = table().get(criterion.quantity) or _only_of(criterion.quantity, target)
    if criterion.unit is ProtocolUnit.TIMES_ULN:
        converted = _times_limit(Fraction(number), given, quantity, upper_limit_of_normal)
    else:
        converted = _converted(Fraction(number), given, target, quantity)
    if isinstance(converted, Reason):
        return converted
    if converted < 0 or (quantity.most is not None and converted > quantity.most):
        return Reason.IMPOSSIBLE
    return converted


def _converted(number: Fraction, given: units.Unit, target: units.Unit, quantity: Quantity) -> Fraction | Reason:
    factor = _factor(given, target, quantity)
    if factor is None:
        return Reason.WRONG_UNIT
    return Fraction(number * factor // 1) if quantity.completed else number * factor


def _only_of(key: str, target: units.Unit) -> Quantity:
    return Quantity(key, None, None, (target.quantity,), None, completed=False)


def _times_limit(number: Fraction, given: units.Unit, quantity: Quantity, limit: Decimal | None) -> Fraction | Reason:
    if given.code == ProtocolUnit.TIMES_ULN:
        return number
    if given.quantity not in quantity.kinds:
        return Reason.WRONG_UNIT
    return Reason.LIMIT_MISSING if limit is None else number / Fraction(limit)


def _factor(given: units.Unit, target: units.Unit, quantity: Quantity) -> Fraction | None:
    if not {given.quantity, target.quantity} <= set(quantity.kinds):
        return None
    molar = {"substance": Fraction(1), "mass": quantity.mmol_per_g}
    if given.quantity == target.quantity:
        across: Fraction | None = Fraction(1)
    else:
        one, other = molar.get(given.quantity), molar.get(target.quantity)
        across = None if one is None or other is None else one / other
    return None if across is None else given.factor * across / target.factor


@cache
def table() -> Mapping[str, Quantity]:
    """Every quantity of the table by its key."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return MappingProxyType(
            {
                row["quantity"]: Quantity(
                    key=row["quantity"],
                    analyte=row["analyte"] or None,
                    loinc=row["loinc"] or None,
                    kinds=tuple(row["kinds"].split(";")),
                    mmol_per_g=Fraction(row["mmol_per_g"]) if row["mmol_per_g"] else None,
                    completed=row["completed"] == "yes",
                    most=Fraction(row["most"]) if row["most"] else None,
                )
                for row in csv.DictReader(file)
            }
        )
