"""The bands of `bands.csv`: each row is one alternative of one grade of one CTCAE v5.0 term."""

import csv
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("bands.csv")

# Terms that take more than one laboratory value to see: answered where asked for by name, never beside every count.
COMPOSITE = frozenset({"10016288", "10019491"})  # Febrile neutropenia, Hemolysis

ABSOLUTE, BASELINE = "absolute", "baseline"


class Direction(StrEnum):
    HIGH = "high"
    LOW = "low"


class Role(StrEnum):
    """What a band is to its term."""

    LADDER = "ladder"  # one rung of the gap-free scale
    OR = "or"  # an alternative beside the scale: it raises a grade, and its absence lowers none
    UNGRADED = "ungraded"  # v5.0 is silent on these values
    CLINICAL = "clinical"  # no number: what is seen at the bedside


class When(StrEnum):
    """The case a band is for."""

    BASELINE_NORMAL = "baseline-normal"
    BASELINE_ABNORMAL = "baseline-abnormal"
    ABOVE_BASELINE = "above-baseline"
    SYMPTOMATIC = "symptomatic"
    ASYMPTOMATIC = "asymptomatic"
    ON_ANTICOAGULATION = "on-anticoagulation"
    UP_TO_24_H = "up-to-24-h"
    OVER_24_H = "over-24-h"
    FEBRILE = "febrile"
    HAEMOLYSIS = "haemolysis"
    INFANT = "infant"
    CHILD = "child"
    PAEDIATRIC = "paediatric"
    ADULT = "adult"


class Measure(StrEnum):
    """What the bounds are bounds of."""

    VALUE = "value"
    RISE = "rise"  # value - baseline
    FALL = "fall"  # baseline - value
    PERCENT_RISE = "percent-rise"  # of the baseline
    PERCENT_FALL = "percent-fall"
    ABOVE_ULN = "above-uln"  # value - ULN


class Reference(StrEnum):
    """What a bound is a multiple of; ABS: the number itself, in the unit of the band."""

    ABS = "ABS"
    ULN = "ULN"
    LLN = "LLN"
    BASELINE = "BASELINE"


@dataclass(frozen=True, slots=True)
class Bound:
    number: Decimal
    of: Reference
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Band:
    """One alternative. `grade` is None where v5.0 gives none; `unit` is None where every unit will do.

    `arm` is what it measures by: ULN, LLN, baseline or absolute.
    """

    grade: int | None
    alternative: str
    role: Role
    when: When | None
    analyte: str | None
    unit: str | None
    measure: Measure
    lower: Bound | None
    upper: Bound | None
    condition: str | None
    arm: str
    yields_to_limit: bool = False  # a rung without a limit of normal, of a scale that begins at one
    says: str = ""  # the band in words, in the unit it is read in


@dataclass(frozen=True, slots=True)
class LaboratoryTerm:
    """A CTCAE term with its bands, mildest grade first within a role. `analytes` are what it is graded from."""

    meddra_code: str
    name: str
    direction: Direction
    bands: tuple[Band, ...]

    @property
    def analytes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(band.analyte for band in self.bands if band.analyte is not None))


@cache
def terms() -> MappingProxyType[str, LaboratoryTerm]:
    """The terms by MedDRA code."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return read(list(csv.DictReader(file)))


def read(rows: list[dict[str, str]]) -> MappingProxyType[str, LaboratoryTerm]:
    """Terms from rows as in `bands.csv`."""
    grouped: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        grouped.setdefault(row["meddra_code"], []).append(row)
    return MappingProxyType({code: _term(code, own) for code, own in grouped.items()})


def named(reference: str) -> LaboratoryTerm | None:
    """The term of a MedDRA code or of its exact name, upper and lower case alike; None where no value grades it."""
    return terms().get(reference) or _by_name().get(reference.casefold())


@cache
def _by_name() -> MappingProxyType[str, LaboratoryTerm]:
    return MappingProxyType({term.name.casefold(): term for term in terms().values()})


@cache
def of_analyte(key: str) -> tuple[LaboratoryTerm, ...]:
    """The terms that a value of one analyte is graded for by itself."""
    return tuple(term for code, term in terms().items() if code not in COMPOSITE and key in term.analytes)


def _term(code: str, rows: list[dict[str, str]]) -> LaboratoryTerm:
    return LaboratoryTerm(code, rows[0]["term"], Direction(rows[0]["direction"]), tuple(_band(row) for row in rows))


def _band(row: dict[str, str]) -> Band:
    measure, lower, upper = Measure(row["measure"] or Measure.VALUE), _bound(row, "lower"), _bound(row, "upper")
    return Band(
        grade=int(row["grade"]) if row["grade"] else None,
        alternative=row["alternative"],
        role=Role(row["role"]),
        when=When(row["when"]) if row["when"] else None,
        analyte=row["analyte"] or None,
        unit=row["unit"] or None,
        measure=measure,
        lower=lower,
        upper=upper,
        condition=row["condition"] or None,
        arm=_arm(measure, {bound.of for bound in (lower, upper) if bound is not None}),
    )


def _arm(measure: Measure, named: set[Reference]) -> str:
    if Reference.BASELINE in named or measure not in {Measure.VALUE, Measure.ABOVE_ULN}:
        return BASELINE
    if measure is Measure.ABOVE_ULN or Reference.ULN in named:
        return "ULN"
    return "LLN" if Reference.LLN in named else ABSOLUTE


def _bound(row: dict[str, str], side: str) -> Bound | None:
    if not row[side]:
        return None
    inclusive = {"true": True, "false": False}[row[f"{side}_inclusive"]]
    return Bound(Decimal(row[side]), Reference(row[f"{side}_of"]), inclusive)
