"""The baseline: the last valid value before treatment, chosen by rule, and never held against itself.

Treatment begins with the lymphodepletion or with the infusion, as the protocol says. A participant without a
lymphodepletion on record is treated from the infusion on. Of a lymphodepletion the hour may not be known; then the
protocol says whether a specimen of its first day was taken before the first dose or after it.

Source: CTCAE v5.0 says "baseline" and not which value it is; the rule is the protocol's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Context, Decimal
from fractions import Fraction

from services.safety.domain.lab_grading import bands
from services.safety.domain.lab_grading.analytes import Analyte
from services.safety.domain.lab_grading.bands import Direction, When
from services.safety.domain.lab_grading.facts import NO_BASELINE, Baseline, Limits, Measured
from shared.contracts.safety_laboratory import BaselineBasis
from shared.measurement import units
from shared.protocol.safety import GradingBaseline
from shared.protocol.visits import Side

_DIGITS = Context(prec=50)


@dataclass(frozen=True, slots=True)
class Dated:
    """A value with the instant its specimen was taken, and the limits that came with it.

    `valid` is False of a value that was cancelled or whose specimen was unfit.
    """

    id: str
    taken_at: datetime
    measured: Measured
    limits: Limits
    valid: bool = True


@dataclass(frozen=True, slots=True)
class Beginning:
    """When treatment began, as far as it has."""

    lymphodepletion: datetime | None
    infusion: datetime | None

    def by(self, rule: GradingBaseline) -> datetime | None:
        """The instant before which a baseline is taken; None: not begun, as far as is known."""
        if self.basis(rule) is not BaselineBasis.LYMPHODEPLETION:
            return self.infusion
        return min(at for at in (self.lymphodepletion, self.infusion) if at is not None)

    def basis(self, rule: GradingBaseline) -> BaselineBasis:
        """What that instant is: the infusion stands in where the rule asks for a lymphodepletion and none is known."""
        if rule is GradingBaseline.LAST_BEFORE_INFUSION:
            return BaselineBasis.INFUSION
        return BaselineBasis.INFUSION_ALONE if self.lymphodepletion is None else BaselineBasis.LYMPHODEPLETION


def first_dose(began_on: date, first_dose_at: datetime | None, zone: tzinfo, first_day: Side) -> datetime:
    """When a lymphodepletion began: at its first dose, or at one end of its first day at the site."""
    if first_dose_at is not None:
        return first_dose_at
    day = began_on + timedelta(days=1) if first_day is Side.BEFORE else began_on
    return datetime.combine(day, time.min, zone)


def choose(values: Iterable[Dated], began: Beginning, rule: GradingBaseline) -> Dated | None:
    """The last value before treatment that is valid and a number, not a bound.

    None before treatment has begun: the next value may still be the baseline. Of values of one instant, the one
    with the greatest id.
    """
    begins = began.by(rule)
    if begins is None:
        return None
    before = [each for each in values if each.taken_at < begins and _usable(each)]
    return max(before, key=lambda each: (each.taken_at, each.id), default=None)


def for_grading(graded: Dated, chosen: Dated | None, analyte: Analyte) -> Baseline:
    """What a value is graded with: the chosen baseline in the value's unit, judged by the limits of its own day.

    The baseline itself and whatever was taken before it have none, so an abnormal baseline is graded by its limits
    instead of being 0 against itself. Nor has a value whose unit no exact factor leads to.
    """
    if chosen is None or graded.id == chosen.id or graded.taken_at <= chosen.taken_at:
        return NO_BASELINE
    value = _in_unit_of(graded.measured, chosen.measured, analyte)
    return NO_BASELINE if value is None else Baseline(value, _abnormal(chosen, analyte))


def _usable(each: Dated) -> bool:
    return each.valid and each.measured.qualifier is None


def _in_unit_of(graded: Measured, chosen: Measured, analyte: Analyte) -> Decimal | None:
    if graded.unit == chosen.unit:
        return chosen.value
    source, target = (None if text is None else units.read(text) for text in (chosen.unit, graded.unit))
    factor = None if source is None or target is None else analyte.factor(source, target)
    if factor is None:
        return None
    exact = Fraction(chosen.value) * factor
    return _DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def _abnormal(chosen: Dated, analyte: Analyte) -> bool | None:
    """By the limits of its own day; None without them, and where no term asks."""
    asking = [
        term
        for term in bands.of_analyte(analyte.key)
        if any(band.when is When.BASELINE_ABNORMAL for band in term.bands)
    ]
    if not asking:
        return None
    value, limits = chosen.measured.value, chosen.limits
    if asking[0].direction is Direction.HIGH:
        return None if limits.uln is None else value > limits.uln
    return None if limits.lln is None else value < limits.lln
