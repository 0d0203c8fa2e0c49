"""The waterfall: the best change of the tumour's sum per participant, coloured by the best overall response."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil
from statistics import median

from services.projector.domain.tumour_change import ChangeAt, ChangeCourse, limits, waterfall_order
from services.projector.plots.specification import Row, Specification, between, filled, legend
from services.projector.plots.wording import Context, counted, named, number, people, typeset
from shared.protocol import Protocol

NAME = "waterfall"
LEAST_TOP, MOST_TOP, TICK = 50, 100, 25  # percent; a larger increase is drawn as a cut bar with its number
EDGE, SYMBOL, NUMBER = 4, 12, 12  # percent: beyond the last tick, for the symbol at the end of a bar, for its number
NUMBERED_FROM = 30  # pixels of a step, below which only cut bars carry their number
WIDTH, LEAST_STEP, MOST_STEP = 760, 11.0, 76.0  # pixels
LETTER = 6.4  # pixels of a letter of a label that is not turned

Shown = Sequence[tuple[ChangeCourse, ChangeAt]]


def waterfall(context: Context, courses: Sequence[ChangeCourse]) -> Specification:
    """The figure. Whoever has no measured sum after baseline is counted in words, not drawn."""
    shown = waterfall_order(courses)
    top = top_tick(context.protocol, (change.percent for _, change in shown))
    step = between(LEAST_STEP, WIDTH / max(len(shown), 1), MOST_STEP)
    dense = step < NUMBERED_FROM
    longest = max((len(course.subject_number) for course, _ in shown), default=0)
    made = filled(
        NAME,
        title=f"{context.protocol.protocol_id}: best change of tumour size from baseline",
        subtitle=_subtitle(context, courses, shown),
        description=_described(context, courses, shown),
        params={
            "dense": dense,
            "step": step,
            "label_angle": 0 if longest * LETTER < step else 270,
            **_ends([change.percent for _, change in shown], top, dense=dense),
            "ticks": list(range(-100, top + 1, TICK)),
            "shown": legend({course.best for course, _ in shown}),
        },
        datasets={"bars": [_bar(*each, top, dense=dense) for each in shown], "limits": limit_rows(context.protocol)},
    )
    made["width"] = {"step": step} if shown else WIDTH
    if not shown:
        made["datasets"]["empty"] = [{"words": nobody(courses)}]
    return made


def _ends(percents: Sequence[Decimal], top: int, *, dense: bool) -> dict[str, float]:
    """The ends of the axis: beyond the outermost ticks, and beyond each bar with its symbol and number."""
    highest, lowest = float(max(percents, default=Decimal(0))), float(min(percents, default=Decimal(0)))
    above = SYMBOL + (0 if dense and highest <= top else NUMBER)
    below = SYMBOL + (0 if dense else NUMBER)
    return {"top": max(top + EDGE, min(highest, top) + above), "bottom": min(-100 - EDGE, lowest - below)}


def top_tick(protocol: Protocol, percents: Iterable[Decimal], most: int = MOST_TOP) -> int:
    """The highest percentage on the axis: whole steps that hold every value and limit, within bounds."""
    highest = max([*percents, *(limit.percent for limit in limits(protocol))])
    return int(between(LEAST_TOP, ceil(highest / TICK) * TICK, most))


def limit_rows(protocol: Protocol) -> list[Row]:
    """The limits as rows: where the line is drawn, and its label."""
    return [
        {
            "percent": float(limit.percent),
            "response": limit.response.value,
            "words": f"{limit.response.value}\n{limit.words.replace(' over', chr(10) + 'over')}".replace("-", "\u2212"),
        }
        for limit in limits(protocol)
    ]


def _bar(course: ChangeCourse, change: ChangeAt, top: int, *, dense: bool) -> Row:
    cut = change.percent > top
    return {
        "participant": course.subject_number,
        "change": float(change.percent),
        "drawn": float(min(change.percent, Decimal(top))),
        "cut": cut,
        "label": typeset(change.percent) + (" %" if cut and dense else ""),
        "day": change.day,
        "best": course.best,
    }


def nobody(courses: Sequence[ChangeCourse]) -> str:
    if not courses:
        return "Nobody has been infused yet."
    return "Nobody has a measured sum after baseline yet."


def without_change(courses: Iterable[ChangeCourse]) -> list[str]:
    return [course.subject_number for course in courses if course.best_change is None]


def _subtitle(context: Context, courses: Sequence[ChangeCourse], shown: Shown) -> list[str]:
    lines = [
        f"{context.reading[0].upper()}{context.reading[1:]}, up to the first progression.",
        f"{len(shown)} of {people(len(courses))} infused, {context.as_of}.",
    ]
    if missing := without_change(courses):
        lines.append(f"Not drawn, without a measured sum after baseline: {named(missing)}.")
    return lines


def _described(context: Context, courses: Sequence[ChangeCourse], shown: Shown) -> str:
    """The main numbers in words, for who cannot see the figure."""
    if not shown:
        return f"An empty waterfall plot. {nobody(courses)}"
    percents = [change.percent for _, change in shown]
    bounds = "; ".join(f"{limit.response.value} {limit.words}" for limit in limits(context.protocol))
    (largest, grown), (smallest, shrunk) = shown[0], shown[-1]
    missing = without_change(courses)
    return (
        f"Waterfall plot of {people(len(shown))} of {len(courses)} infused: one bar each for the best change of the "
        f"{context.reading}, from the largest increase to the largest decrease. "
        f"From {number(grown.percent)} % ({largest.subject_number}) to {number(shrunk.percent)} % "
        f"({smallest.subject_number}); median {number(Decimal(median(percents)))} %. "
        f"{sum(percent < 0 for percent in percents)} decreased, {sum(percent > 0 for percent in percents)} increased. "
        f"Best overall response: {counted(course.best for course, _ in shown)}. "
        f"Lines mark the limits of {context.criteria}: {bounds}."
        + (f" Not drawn: {named(missing)}." if missing else "")
    )
