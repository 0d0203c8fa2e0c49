"""Cases that take turns in rounds, and the ratios between them.

A B C, C A B, ...: a ratio always comes from the same minute of the same machine. The median of the rounds' ratios is
the figure; the least and the largest beside it say how far to trust it.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

Figures = Mapping[str, float]
Case = Callable[[], Figures]


@dataclass(frozen=True)
class Goal:
    """One row of the table of figures: what is measured, against what, and what it must reach."""

    what: str
    floor: str
    reach: float
    aim: float
    better: str  # "more" or "less"


@dataclass(frozen=True)
class Result:
    """What the rounds gave for one goal."""

    goal: Goal
    ours: float
    theirs: float
    ratio: float
    least: float
    most: float
    unit: str

    @property
    def verdict(self) -> str:
        if self._meets(self.goal.aim):
            return "aim"
        return "reach" if self._meets(self.goal.reach) else "MISSED"

    def _meets(self, limit: float) -> bool:
        return self.ratio >= limit if self.goal.better == "more" else self.ratio <= limit


def rounds(cases: Mapping[str, Case], count: int) -> dict[str, list[Figures]]:
    """Run every case once per round, in turn, after one warm-up each."""
    names = list(cases)
    for name in names:
        cases[name]()
    found: dict[str, list[Figures]] = {name: [] for name in names}
    for number in range(count):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            found[name].append(cases[name]())
    return found


def compare(
    goal: Goal, found: Mapping[str, Sequence[Figures]], ours: str, theirs: str, figure: str, unit: str
) -> Result:
    """The ratio of one figure between two cases, round by round."""
    mine = [figures[figure] for figures in found[ours]]
    other = [figures[figure] for figures in found[theirs]]
    ratios = [a / b for a, b in zip(mine, other, strict=True)]
    return Result(
        goal,
        statistics.median(mine),
        statistics.median(other),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        unit,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def show(results: Sequence[Result], count: int) -> None:
    """Print the table that the README carries."""
    table = Table(title=f"each beside its floor in the same rounds, medians of {count}")
    for heading in ("what", "floor or peer", "ours", "floor", "ratio", "min-max", "reach", "aim", "met"):
        table.add_column(heading)
    for result in results:
        sign = ">=" if result.goal.better == "more" else "<="
        table.add_row(
            result.goal.what,
            result.goal.floor,
            f"{result.ours:,.4g} {result.unit}",
            f"{result.theirs:,.4g} {result.unit}",
            f"{result.ratio:.2f}",
            f"{result.least:.2f}-{result.most:.2f}",
            f"{sign} {result.goal.reach:.3g}",
            f"{result.goal.aim:.3g}",
            result.verdict,
        )
    Console(width=170).print(table)
