"""Numbers, bounds and bands in words: what explanations are made of."""

from decimal import Context, Decimal

from services.safety.domain.lab_grading.bands import Band, Bound, Measure, Reference
from shared.measurement.units import Unit

_SHORT = Context(prec=8)
_MOST_DIGITS = 40

MEASURES = {
    Measure.VALUE: "",
    Measure.RISE: "a rise from baseline ",
    Measure.FALL: "a fall from baseline ",
    Measure.PERCENT_RISE: "a rise from baseline ",
    Measure.PERCENT_FALL: "a fall from baseline ",
    Measure.ABOVE_ULN: "over the ULN by ",
}
PERCENTAGES = {Measure.PERCENT_RISE, Measure.PERCENT_FALL}


def number(decimal: Decimal) -> str:
    """A number; one without an end is cut to eight digits and marked."""
    if len(decimal.as_tuple().digits) > _MOST_DIGITS:
        return f"about {plain(_SHORT.plus(decimal))}"
    return plain(decimal)


def plain(decimal: Decimal) -> str:
    """A decimal without an exponent and without idle zeros."""
    text = format(decimal, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def of_unit(unit: Unit | None) -> str:
    """A unit after a number; a plain ratio has none."""
    return "" if unit is None or unit.code == "1" else f" {unit.code}"


def span(low: str | None, low_inclusive: bool, high: str | None, high_inclusive: bool) -> str:
    """`> 40 and <= 120`."""
    sides = []
    if low is not None:
        sides.append(f"{'>=' if low_inclusive else '>'} {low}")
    if high is not None:
        sides.append(f"{'<=' if high_inclusive else '<'} {high}")
    return " and ".join(sides)


def of_band(band: Band, unit: Unit | None) -> str:
    """A band as v5.0 prints it, in the unit that it is read in, with what it is an alternative for."""
    suffix = " %" if band.measure in PERCENTAGES else of_unit(unit)
    low = None if band.lower is None else _of_bound(band.lower, suffix)
    high = None if band.upper is None else _of_bound(band.upper, suffix)
    bounds = span(low, band.lower is not None and band.lower.inclusive, high, bool(band.upper and band.upper.inclusive))
    case = f", {band.when.value.replace('-', ' ')}" if band.when is not None else ""
    return f"{MEASURES[band.measure]}{bounds}{case}"


def _of_bound(bound: Bound, suffix: str) -> str:
    if bound.of is Reference.ABS:
        return f"{number(bound.number)}{suffix}"
    named = "baseline" if bound.of is Reference.BASELINE else bound.of.value
    return named if bound.number == 1 else f"{number(bound.number)} x {named}"
