"""What is measured: the analytes that CTCAE terms are graded from, and the names laboratories give them."""

import csv
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType

from shared.kernel.errors import Unacceptable
from shared.measurement import units
from shared.measurement.units import Unit

_FILE = Path(__file__).with_name("analytes.csv")


class UnknownAnalyte(Unacceptable):
    """No analyte of the table has this name or LOINC code, so no CTCAE term is graded from it."""


@dataclass(frozen=True, slots=True)
class Analyte:
    """An analyte and the kinds of quantity it is reported in.

    `mmol_per_g` leads from mass to substance, `valence` from equivalents to substance. `read_from` names the analyte
    that is graded in place of this one.
    """

    key: str
    name: str
    quantities: tuple[str, ...]
    mmol_per_g: Fraction | None
    valence: Fraction | None
    loinc: str | None
    read_from: str | None

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units it may be reported in."""
        return tuple(unit for quantity in self.quantities for unit in units.of_quantity(quantity))

    @property
    def graded_as(self) -> str:
        """The key of the analyte that it is graded as: its own, or that of the one it stands for."""
        return self.read_from or self.key

    @property
    def unit_of_pure_number(self) -> str | None:
        """The code of a number that is complete without a unit, such as an INR or a pH."""
        return {"ratio": "1", "acidity": "[pH]"}.get(";".join(self.quantities))

    def factor(self, source: Unit, target: Unit) -> Fraction | None:
        """What a number in `source` is multiplied by to be one in `target`, exactly; None where nothing leads there."""
        across = self._across(source.quantity, target.quantity)
        return None if across is None else source.factor * across / target.factor

    def _across(self, source: str, target: str) -> Fraction | None:
        if source == target:
            return Fraction(1)
        to_substance = self._to_substance(source)
        back = self._to_substance(target)
        return None if to_substance is None or back is None else to_substance / back

    def _to_substance(self, quantity: str) -> Fraction | None:
        match quantity:
            case "mass":
                return self.mmol_per_g
            case "equivalents":
                return None if self.valence is None else 1 / self.valence
            case "substance":
                return Fraction(1)
            case _:
                return None


def named(name: str) -> Analyte:
    """The analyte of a short name, a CDISC test code or a usual name, upper and lower case alike.

    Raises:
        UnknownAnalyte: there is none.
    """
    found = _by_name().get(" ".join(name.casefold().split()))
    if found is None:
        raise UnknownAnalyte(
            "no CTCAE v5.0 term is graded from an analyte of this name; send a CDISC test code such as ALT, BILI, "
            "CREAT, NEUT or PLAT, a LOINC code in `loinc`, or the CTCAE term in `term`"
        )
    return found


def of_loinc(code: str) -> Analyte:
    """The analyte of a LOINC code.

    Raises:
        UnknownAnalyte: there is none.
    """
    found = _by_loinc().get(code.strip())
    if found is None:
        raise UnknownAnalyte("no analyte with this LOINC code is graded; send its CDISC test code in `analyte`")
    return found


def by_key(key: str) -> Analyte:
    """An analyte of the table by its key."""
    return _by_key()[key]


@cache
def _by_key() -> MappingProxyType[str, Analyte]:
    return MappingProxyType({analyte.key: analyte for analyte, _ in _rows()})


@cache
def _by_name() -> MappingProxyType[str, Analyte]:
    return MappingProxyType({name.casefold(): analyte for analyte, names in _rows() for name in names})


@cache
def _by_loinc() -> MappingProxyType[str, Analyte]:
    return MappingProxyType({analyte.loinc: analyte for analyte, _ in _rows() if analyte.loinc})


@cache
def _rows() -> tuple[tuple[Analyte, tuple[str, ...]], ...]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple((_analyte(row), _names(row)) for row in csv.DictReader(file))


def _analyte(row: dict[str, str]) -> Analyte:
    return Analyte(
        key=row["analyte"],
        name=row["name"],
        quantities=tuple(row["quantities"].split(";")),
        mmol_per_g=Fraction(row["mmol_per_g"]) if row["mmol_per_g"] else None,
        valence=Fraction(row["valence"]) if row["valence"] else None,
        loinc=row["loinc"] or None,
        read_from=row["read_from"] or None,
    )


def _names(row: dict[str, str]) -> tuple[str, ...]:
    names = (row["analyte"], row["name"], row["cdisc_testcd"], *row["other_names"].split(";"))
    return tuple(filter(None, names))
