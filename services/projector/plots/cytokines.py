"""Cytokines: a panel per analyte, a line per participant on a log scale; open marks lie beyond a limit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.projector.domain.figures import Side
from services.projector.plots.specification import Row, Specification, filled, legend
from services.projector.plots.spider import EMPTY_PANEL
from services.projector.plots.time_axis import time_axis
from services.projector.plots.wording import Context, left_out, named, people
from shared.protocol import Assessment, Protocol

NAME = "cytokines"
LOWEST, HIGHEST = -1, 2  # powers of ten of an axis without values


@dataclass(frozen=True, slots=True)
class LevelAt:
    """One value on its study day: a number, or the limit that it lies beyond."""

    day: int
    number: Decimal
    beyond: Side | None


@dataclass(frozen=True, slots=True)
class AnalyteCourse:
    """One analyte of one participant, in order of time. A limit that nobody told has no place in it."""

    subject_number: str
    best: str
    analyte: str
    levels: tuple[LevelAt, ...]

    def until(self, day: int) -> "AnalyteCourse":
        """The course up to a day."""
        return replace(self, levels=tuple(each for each in self.levels if each.day <= day))


def last_planned(protocol: Protocol) -> int:
    """The last day of the window of the last visit that takes cytokines; 0: none does."""
    taking = (visit for visit in protocol.visits if Assessment.CYTOKINES in visit.due)
    return max((visit.nominal_day.value + visit.window.value.plus for visit in taking), default=0)


def cytokines(context: Context, courses: Sequence[AnalyteCourse], until_day: int | None = None) -> Specification:
    """The figure. A value beyond its limit is an open mark at that limit, with its sign.

    It is drawn up to a day; without one, as far as visits take cytokines, since one late sample would press the days
    that matter most into a stroke. What lies later is counted in words.
    """
    last = last_planned(context.protocol) if until_day is None else until_day
    shown = [cut for each in courses if (cut := each.until(last)).levels]
    days = [level.day for each in shown for level in each.levels]
    numbers = [level.number for each in shown for level in each.levels]
    low = min(numbers).adjusted() if numbers else LOWEST
    high = max(max(numbers).adjusted() + 1, low + 1) if numbers else HIGHEST
    axis = time_axis(min(days, default=0), max(days, default=30), room=0.04)
    everybody = sorted({each.subject_number for each in courses})
    without = sorted(set(everybody) - {each.subject_number for each in courses if each.levels})
    later = left_out(last, (level.day for each in courses for level in each.levels))
    who = f"{len(everybody) - len(without)} of {people(len(everybody))} infused"
    beyond = sum(level.beyond is not None for each in shown for level in each.levels)
    made = filled(
        NAME,
        title=f"{context.protocol.protocol_id}: cytokines over time",
        subtitle=[
            "pg/mL, log scale. Open marks with < or > lie beyond a limit of quantification, drawn at it.",
            f"{who}, {context.as_of}; observed at scheduled visits.",
            *([f"Without a value: {named(without)}."] if without else []),
            *later,
        ],
        description=" ".join([_described(shown, who, len(numbers), beyond), *later]),
        params={
            "bottom": 10.0**low,
            "top": 10.0**high,
            "ticks": [10.0**power for power in range(low, high + 1)],
            "shown": legend({each.best for each in shown}),
            **axis.params,
        },
        datasets={"points": list(_points(shown)) or [EMPTY_PANEL]},
    )
    if not shown:
        made["datasets"]["empty"] = [{"words": "No cytokine has a value yet."}]
    made["facet"]["sort"] = list(dict.fromkeys(row["panel"] for row in made["datasets"]["points"]))
    return made


def _points(shown: Sequence[AnalyteCourse]) -> Iterator[Row]:
    for each in shown:
        for level in each.levels:
            yield {
                "participant": each.subject_number,
                "best": each.best,
                "panel": each.analyte,
                "day": level.day,
                "drawn": float(level.number),
                "beyond": level.beyond or "",
                "words": f"{level.beyond or ''}{level.number:f}",
            }


def _described(shown: Sequence[AnalyteCourse], who: str, values: int, beyond: int) -> str:
    """The main numbers in words, for who cannot see the figure."""
    if not shown:
        return "An empty plot of cytokines. No cytokine has a value yet."
    told = [f"Plots of cytokines in pg/mL on a log scale, one for each analyte: {who}."]
    told.append(f"{beyond} of {values} values lie beyond a limit.")
    for analyte in dict.fromkeys(each.analyte for each in shown):
        known = [
            (level.number, -level.day, each.subject_number)
            for each in shown
            if each.analyte == analyte
            for level in each.levels
            if level.beyond is None
        ]
        if known:
            number, day, subject = max(known)
            told.append(f"{analyte}: highest {number:f} on day {-day} ({subject}).")
    return " ".join(told)
