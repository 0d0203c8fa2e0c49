"""The area under a curve (AUC) by trapezoids, over all of it or over an interval.

`linear`: straight lines between the corners. `linear-up-log-down`: where the curve falls between two values above 0,
it falls exponentially, (C1 - C2) (t2 - t1) / ln(C1 / C2), and a value between two corners lies on that exponential;
elsewhere as linear. An interval that begins or ends between two corners is cut there, on the line of the method.
Nothing is extrapolated [D]: an interval that begins before the curve or ends after it has no area. Beyond Tlast other
programs differ: Phoenix, and PKNCA's aucint.inf.obs, go on by lambda z where there is one; PKNCA's aucint.last takes 0.
Visits seldom leave three values between Tmax and day 28, and one series would hold observed and assumed areas: so the
area is null with the reason, while that to Tlast and that to infinity stand beside it.

Source: Phoenix WinNonlin User's Guide, "NCA parameter formulas" and "Partial area calculation"; PKNCA, pk.calc.auc,
pk.calc.aucint and interpolate.conc ("lin up/log down").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from shared.kinetics.points import Node
from shared.protocol import AucMethod


@dataclass(frozen=True, slots=True)
class Area:
    """An area, or why there is none."""

    value: Decimal | None
    why_not: str = ""


def area(curve: Sequence[Node], method: AucMethod, start: Decimal, end: Decimal) -> Area:
    """The area between two times, the earlier first. At least two corners, in order of time."""
    if start < curve[0].time:
        return Area(None, f"nothing is known between {start:f} and {curve[0].time:f}, where the curve begins")
    if end > curve[-1].time:
        return Area(
            None,
            f"the last quantifiable value is at {curve[-1].time:f}, before the end at {end:f}: "
            "there is nothing to interpolate to, and nothing is extrapolated",
        )
    total = Decimal(0)
    for left, right in pairwise(curve):
        if right.time <= start or left.time >= end:
            continue
        if left.value is None or right.value is None:
            unknown = left if left.value is None else right
            return Area(None, f"the value at {unknown.time:f} is below a limit that was not given, so it has no half")
        total += _between(
            method,
            (left.time, left.value),
            (right.time, right.value),
            max(left.time, start),
            min(right.time, end),
        )
    return Area(total)


Corner = tuple[Decimal, Decimal]


def _between(method: AucMethod, left: Corner, right: Corner, start: Decimal, end: Decimal) -> Decimal:
    """The area below one side of the curve, from `start` to `end` on it."""
    from_value, to_value = (_value_at(method, left, right, time) for time in (start, end))
    if _falls_exponentially(method, from_value, to_value):
        return (from_value - to_value) * (end - start) / (from_value / to_value).ln()
    return (from_value + to_value) / 2 * (end - start)


def _value_at(method: AucMethod, left: Corner, right: Corner, time: Decimal) -> Decimal:
    if time in {left[0], right[0]}:
        return left[1] if time == left[0] else right[1]
    part = (time - left[0]) / (right[0] - left[0])
    if _falls_exponentially(method, left[1], right[1]):
        return left[1] * ((right[1] / left[1]).ln() * part).exp()
    return left[1] + (right[1] - left[1]) * part


def _falls_exponentially(method: AucMethod, from_value: Decimal, to_value: Decimal) -> bool:
    return method is AucMethod.LINEAR_UP_LOG_DOWN and 0 < to_value < from_value
