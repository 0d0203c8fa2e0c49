"""The bands of one term for one analyte in one unit: limits printed in another unit are converted exactly, once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache

from services.safety.domain.lab_grading import analytes, bands, wording
from services.safety.domain.lab_grading.analytes import Analyte
from services.safety.domain.lab_grading.bands import (
    ABSOLUTE,
    BASELINE,
    Band,
    Bound,
    Direction,
    LaboratoryTerm,
    Reference,
    Role,
    When,
)
from shared.measurement import units
from shared.measurement.units import Unit

# A limit without an end in the reported unit is cut here: far beyond the digits a value can have, so none can tie.
_DIGITS = Context(prec=50)

MULTIPLES = "multiple of a limit"  # a unit such as {xULN}: of use only where every band is a multiple


@dataclass(frozen=True, slots=True)
class Ladder:
    """What a value in `unit` is held against.

    `starts_at` is the limit of normal that the mildest band begins at, if any; `cases` are those that bands ask for.
    """

    term: LaboratoryTerm
    analyte: Analyte
    unit: Unit | None
    bands: tuple[Band, ...]
    clinical: tuple[Band, ...]
    starts_at: Bound | None
    cases: frozenset[When]


class NoLadder(Exception):
    """A value cannot be held against the limits; the message says why and what to send."""


@cache
def ladder(meddra_code: str, analyte_key: str, unit_code: str | None) -> Ladder:
    """The bands of a term for an analyte, in the unit of that code.

    Raises:
        NoLadder: the unit is not one of this analyte, there is none and the limits need one, or the analyte is graded
            as another.
    """
    term, analyte = bands.terms()[meddra_code], analytes.by_key(analyte_key)
    if analyte.read_from is not None:
        raise NoLadder(
            f"{analyte.name} is never graded as it is: correct it for albumin and send it as {analyte.read_from}"
        )
    unit = None if unit_code is None else units.by_code(unit_code)
    own = [band for band in term.bands if band.analyte in {analyte_key, None}]
    numeric = _in_unit(analyte, [band for band in own if band.role is not Role.CLINICAL], unit)
    starts_at = _start(term.direction, numeric)
    return Ladder(
        term=term,
        analyte=analyte,
        unit=unit,
        bands=tuple(_worded(band, starts_at, unit) for band in sorted(numeric, key=lambda each: each.role is Role.OR)),
        clinical=tuple(replace(band, says=str(band.condition)) for band in own if band.role is Role.CLINICAL),
        starts_at=starts_at,
        cases=frozenset(band.when for band in numeric if band.when is not None),
    )


def _in_unit(analyte: Analyte, numeric: list[Band], unit: Unit | None) -> tuple[Band, ...]:
    printed = list(dict.fromkeys(band.unit for band in numeric if band.unit is not None))
    if unit is not None and unit.quantity not in analyte.quantities and (printed or unit.quantity != MULTIPLES):
        raise NoLadder(f"{unit.code} is no unit of this analyte: {_send(analyte)}")
    if not printed:
        return tuple(numeric)
    if unit is None:
        raise NoLadder(f"no unit came with the value: {_send(analyte)}")
    chosen, factor = _nearest(analyte, printed, unit)
    return tuple(_scaled(band, factor) for band in numeric if band.unit in {chosen, None})


def _nearest(analyte: Analyte, printed: list[str], unit: Unit) -> tuple[str, Fraction]:
    """The printed unit that leads to the reported one, and its factor: itself, else of the same quantity, else any.

    One of them leads there: the machine check holds every unit of an analyte against the printed ones.
    """
    ranked = sorted(printed, key=lambda code: (code != unit.code, units.by_code(code).quantity != unit.quantity))
    factors = ((code, analyte.factor(units.by_code(code), unit)) for code in ranked)
    return next((code, factor) for code, factor in factors if factor is not None)


def _scaled(band: Band, factor: Fraction) -> Band:
    if band.unit is None:
        return band
    return replace(band, lower=_converted(band.lower, factor), upper=_converted(band.upper, factor))


def _converted(bound: Bound | None, factor: Fraction) -> Bound | None:
    if bound is None or bound.of is not Reference.ABS:
        return bound
    exact = Fraction(bound.number) * factor
    return replace(bound, number=_DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator)))


def _worded(band: Band, starts_at: Bound | None, unit: Unit | None) -> Band:
    yields = starts_at is not None and band.role is Role.LADDER and band.arm == ABSOLUTE
    return replace(band, yields_to_limit=yields, says=wording.of_band(band, unit))


def _start(direction: Direction, numeric: Iterable[Band]) -> Bound | None:
    rungs = [band for band in numeric if band.role is Role.LADDER and band.arm != BASELINE]
    if not rungs:
        return None
    mildest = min(rungs, key=lambda band: band.grade or 0)
    begins = mildest.lower if direction is Direction.HIGH else mildest.upper
    return begins if begins is not None and begins.of in {Reference.LLN, Reference.ULN} else None


def _send(analyte: Analyte) -> str:
    return f"send one of {', '.join(unit.code for unit in analyte.units)}"
