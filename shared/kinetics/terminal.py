"""Lambda z, the rate at which the end of a curve falls: the slope of ln(value) over time by least squares.

Fitted through the last 3 values after Tmax, the last 4, and so on to all of them; Tmax itself is left out, and so is
whatever is not quantified. Of the fits that fall the one with the highest adjusted R2 is the best; one that is within
0.0001 of it and has more points is preferred. Adjusted R2 = 1 - (1 - R2) (n - 1) / (n - 2).

Source: Phoenix WinNonlin User's Guide, "Lambda Z or slope estimation settings", best fit; PKNCA, pk.calc.half.life
(adj.r.squared.factor 0.0001, allow.tmax.in.half.life FALSE); NonCompart, BestSlope (TOL 1e-4).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared.kinetics.points import Quantified

AS_GOOD = Decimal("0.0001")  # of adjusted R2: a fit that is nearer than this to the best one is as good


@dataclass(frozen=True, slots=True)
class Fit:
    """One regression: its slope downwards per unit of time, over so many points from a time on."""

    rate: Decimal
    adjusted_r2: Decimal
    points: int
    first: Decimal
    last: Decimal


def best_fit(values: Sequence[Quantified], least: int) -> Fit | None:
    """The best of the fits through the last `least` values and more, of so many at least; None: none of them falls.

    `least` is 3 or more: through two points every line is perfect, and their adjusted R2 is none.
    """
    fits = list(_falling(values, least))
    best = max((each.adjusted_r2 for each in fits), default=Decimal(0))
    as_good = [each for each in fits if each.adjusted_r2 > best - AS_GOOD]
    return max(as_good, key=lambda fit: fit.points, default=None)


def _falling(values: Sequence[Quantified], least: int) -> Iterator[Fit]:
    """Each fit whose slope is below 0, from that with the fewest points on.

    Times and logarithms are taken from the last value, so that a change of the unit of values changes nothing.
    """
    last = values[-1]
    x_sum = y_sum = xx = xy = yy = Decimal(0)
    for points, each in enumerate(reversed(values), start=1):
        x, y = each.time - last.time, (each.value / last.value).ln()
        x_sum, y_sum, xx, xy, yy = x_sum + x, y_sum + y, xx + x * x, xy + x * y, yy + y * y
        if points < least:
            continue
        spread, together = points * xx - x_sum * x_sum, points * xy - x_sum * y_sum
        if together < 0:
            r2 = together * together / (spread * (points * yy - y_sum * y_sum))
            adjusted = 1 - (1 - r2) * (points - 1) / (points - 2)
            yield Fit(-together / spread, adjusted, points, each.time, last.time)
