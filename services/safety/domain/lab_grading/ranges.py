"""Bands as ranges of the reported value, once limits and baseline are known."""

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact

from services.safety.domain.lab_grading.bands import Band, Bound, Measure, Reference, When

# Products of reported numbers are exact here; one that would have to be rounded raises instead.
EXACT = Context(prec=120, traps=[Inexact])
ONE = Decimal(1)
PERCENT = Decimal("0.01")


@dataclass(slots=True)
class References:
    """What bounds are multiples of, in the reported unit; None is missing."""

    lln: Decimal | None
    uln: Decimal | None
    baseline: Decimal | None

    def of(self, reference: Reference) -> Decimal | None:
        """What a limit is a multiple of; of a baseline of zero there are none."""
        match reference:
            case Reference.ULN:
                return self.uln
            case Reference.LLN:
                return self.lln
            case _:
                return self.baseline or None


@dataclass(slots=True)
class Range:
    """The values that meet a band: `low` and `high` are None where it is open, or where `missing` names what lacks."""

    band: Band
    low: Decimal | None = None
    low_inclusive: bool = False
    high: Decimal | None = None
    high_inclusive: bool = False
    missing: str | None = None

    def holds(self, value: Decimal) -> bool | None:
        """Whether the value lies in it; None where a missing limit would decide."""
        if self.low is not None and (value < self.low or (value == self.low and not self.low_inclusive)):
            return False
        if self.high is not None and (value > self.high or (value == self.high and not self.high_inclusive)):
            return False
        return None if self.missing else True


def of(band: Band, references: References) -> Range:
    """The values of a band. A change from baseline becomes the values that it leads to."""
    match band.measure:
        case Measure.VALUE:
            return _tightened(_of_value(band, references), references)
        case Measure.ABOVE_ULN:
            return _shifted(band, references.uln, "ULN", ONE)
        case Measure.RISE | Measure.FALL:
            scale = ONE
        case _:
            scale = EXACT.multiply(references.baseline or Decimal(0), PERCENT)
    usable = references.baseline if scale else None
    return _shifted(band, usable, "baseline", scale)


def _of_value(band: Band, references: References) -> Range:
    low, lacks_low = _resolved(band.lower, references)
    high, lacks_high = _resolved(band.upper, references)
    return Range(band, low, _inclusive(band.lower), high, _inclusive(band.upper), lacks_low or lacks_high)


def _resolved(bound: Bound | None, references: References) -> tuple[Decimal | None, str | None]:
    if bound is None:
        return None, None
    if bound.of is Reference.ABS:
        return bound.number, None
    reference = references.of(bound.of)
    if reference is None:
        return None, "baseline" if bound.of is Reference.BASELINE else bound.of.value
    return EXACT.multiply(bound.number, reference), None


def _tightened(range_: Range, references: References) -> Range:
    """`above-baseline`: the value must exceed the baseline, too."""
    baseline = references.baseline
    if range_.band.when is not When.ABOVE_BASELINE or baseline is None:
        return range_
    if range_.low is not None and range_.low >= baseline:
        return range_
    if range_.missing:
        return range_
    return Range(range_.band, baseline, False, range_.high, range_.high_inclusive)


def _shifted(band: Band, origin: Decimal | None, named: str, scale: Decimal) -> Range:
    """Bounds of a change as values: a rise lies above its origin, a fall below it, so its bounds change places."""
    if origin is None:
        return Range(band, missing=named)
    small = None if band.lower is None else EXACT.multiply(band.lower.number, scale)
    large = None if band.upper is None else EXACT.multiply(band.upper.number, scale)
    if band.measure in {Measure.FALL, Measure.PERCENT_FALL}:
        low, high = (None if change is None else EXACT.subtract(origin, change) for change in (large, small))
        return Range(band, low, _inclusive(band.upper), high, _inclusive(band.lower))
    low, high = (None if change is None else EXACT.add(origin, change) for change in (small, large))
    return Range(band, low, _inclusive(band.lower), high, _inclusive(band.upper))


def _inclusive(bound: Bound | None) -> bool:
    return bound is not None and bound.inclusive
