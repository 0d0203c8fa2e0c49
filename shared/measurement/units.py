"""Units of measurements: UCUM codes and the spellings laboratories use, as in `units.csv`."""

import csv
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("units.csv")
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_POWER = re.compile(r"^x?10(?:\^|\*\*|\*|e)(?=\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of one kind of quantity: `factor` leads to the first unit of that kind."""

    code: str
    quantity: str
    factor: Fraction


@lru_cache(maxsize=1024)
def read(text: str) -> Unit | None:
    """The unit that a text means, or None. The very spelling counts before upper and lower case are taken as one."""
    tidy = _tidy(text)
    return next((found for form in _forms(tidy) if (found := _by_spelling().get(form))), None)


def by_code(code: str) -> Unit:
    """A unit of the table."""
    return _by_spelling()[_tidy(code)]


def of_quantity(quantity: str) -> tuple[Unit, ...]:
    """The units of one kind of quantity, the most usual first."""
    return tuple(unit for unit, _ in _rows() if unit.quantity == quantity)


def _forms(tidy: str) -> tuple[str, ...]:
    plain = _ANNOTATION.sub("", tidy)
    return tidy, tidy.casefold(), plain, plain.casefold()


def _tidy(text: str) -> str:
    """Micro signs as `u`, powers of ten as UCUM writes them, no blanks."""
    joined = "".join(text.split()).replace("µ", "u").replace("μ", "u").replace("×", "x")
    return _POWER.sub("10*", joined)


@cache
def _by_spelling() -> MappingProxyType[str, Unit]:
    """Units by every spelling; in one case where no exact spelling claims it, the first of the table first."""
    exact = {_tidy(spelling): unit for unit, spellings in _rows() for spelling in spellings}
    folded: dict[str, Unit] = {}
    for spelling, unit in exact.items():
        folded.setdefault(spelling.casefold(), unit)
    return MappingProxyType({**folded, **exact})


@cache
def _rows() -> tuple[tuple[Unit, tuple[str, ...]], ...]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            (
                Unit(row["unit"], row["quantity"], Fraction(row["factor"])),
                (row["unit"], *filter(None, row["other_spellings"].split(";"))),
            )
            for row in csv.DictReader(file)
        )
