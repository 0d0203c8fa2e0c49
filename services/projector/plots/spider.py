"""The spider: how the tumour's sum changed over time since the infusion, one line per participant."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from services.projector.domain.tumour_change import ChangeCourse, limits
from services.projector.plots.label_places import Label, spread
from services.projector.plots.specification import Row, Specification, filled, in_order, in_words, legend
from services.projector.plots.time_axis import TimeAxis, time_axis
from services.projector.plots.waterfall import limit_rows, nobody, top_tick, without_change
from services.projector.plots.wording import Context, counted, days, named, number, people

NAME = "spider"
MOST_TOP, BOTTOM = 150, -106  # percent; a larger increase is drawn at the edge
TICK, WIDE_TICK = 25, 50
DENSE_FROM = 21  # participants, from which on there is a panel per best response and lines are not named
WIDTH, HEIGHT = 640, 400  # pixels of one panel
SMALL_WIDTH, SMALL_HEIGHT, SMALL_COLUMNS = 400, 230, 2
EMPTY_PANEL = {"panel": ""}  # there is a panel where there is a row
LETTER, LINE, GAP = 6.6, 13.0, 9.0  # pixels of a name beside the end of its line


def spider(context: Context, courses: Sequence[ChangeCourse]) -> Specification:
    """The figure. Whoever has no measured sum after baseline is counted in words, not drawn."""
    shown = [each for each in courses if each.changes]
    dense = len(shown) >= DENSE_FROM
    top = top_tick(context.protocol, (change.percent for course in shown for change in course.changes), MOST_TOP)
    axis = _axis(shown, dense=dense)
    tick = TICK if top <= 100 and not dense else WIDE_TICK
    made = filled(
        NAME,
        title=f"{context.protocol.protocol_id}: change of tumour size over time",
        subtitle=_subtitle(context, courses, shown, top),
        description=_described(context, courses, shown),
        params={
            "dense": dense,
            "top": top + 6,
            "bottom": BOTTOM,
            "ticks": list(range(-100, top + 1, tick)),
            "shown": legend({course.best for course in shown}),
            **axis.params,
        },
        datasets={
            "points": list(_points(shown, top, dense=dense)) or [EMPTY_PANEL],
            "names": [] if dense else _names(shown, top, axis),
            "limits": _limits(context, dense=dense),
        },
    )
    if not shown:
        made["datasets"]["empty"] = [{"words": nobody(courses)}]
    made["spec"] |= {"width": SMALL_WIDTH, "height": SMALL_HEIGHT} if dense else {"width": WIDTH, "height": HEIGHT}
    made["columns"] = SMALL_COLUMNS if dense else 1
    made["facet"]["sort"] = list(dict.fromkeys(row["panel"] for row in made["datasets"]["points"]))
    return made


def _axis(shown: Sequence[ChangeCourse], *, dense: bool) -> TimeAxis:
    first = min((course.baseline_day for course in shown if course.baseline_day is not None), default=0)
    last = max((course.changes[-1].day for course in shown), default=90)
    longest = max((len(course.subject_number) for course in shown), default=0)
    return time_axis(first, last, room=0.03 if dense else (longest * LETTER + GAP) / WIDTH)


def _ordered(shown: Sequence[ChangeCourse]) -> list[ChangeCourse]:
    place = {kind: number for number, kind in enumerate(in_order({course.best for course in shown}))}
    return sorted(shown, key=lambda course: (place[course.best], course.subject_number))


def _points(shown: Sequence[ChangeCourse], top: int, *, dense: bool) -> Iterator[Row]:
    """The baseline and each change, in the order of panels."""
    sizes = Counter(course.best for course in shown)
    for course in _ordered(shown):
        best = course.best
        panel = f"{in_words(NAME, best)} (n = {sizes[best]})" if dense else ""
        baseline = (course.baseline_day or 0, Decimal(0), "baseline")
        for day, percent, response in (baseline, *((at.day, at.percent, at.response.value) for at in course.changes)):
            yield {
                "participant": course.subject_number,
                "best": best,
                "panel": panel,
                "day": day,
                "change": float(percent),
                "drawn": float(min(percent, Decimal(top))),
                "response": response,
            }


def _names(shown: Sequence[ChangeCourse], top: int, axis: TimeAxis) -> list[Row]:
    """Where each line's name stands: beside its end, moved up or down where names would cover each other."""
    across = WIDTH / (axis.last_day - axis.first_day)
    down = HEIGHT / (top + 6 - BOTTOM)
    labels = [
        Label(
            left=(course.changes[-1].day - axis.first_day) * across + GAP,
            middle=(top + 6 - float(min(course.changes[-1].percent, Decimal(top)))) * down,
            width=len(course.subject_number) * LETTER,
        )
        for course in shown
    ]
    marks = [
        ((change.day - axis.first_day) * across, (top + 6 - float(min(change.percent, Decimal(top)))) * down)
        for course in shown
        for change in course.changes
    ]
    middles = spread(labels, height=LINE, bottom=float(HEIGHT), marks=marks)
    return [
        {
            "participant": course.subject_number,
            "best": course.best,
            "panel": "",
            "day": course.changes[-1].day,
            "drawn": round(top + 6 - middle / down, 2),
        }
        for course, middle in zip(shown, middles, strict=True)
    ]


def _limits(context: Context, *, dense: bool) -> list[Row]:
    rows = limit_rows(context.protocol)
    return [{**row, "words": row["response"]} for row in rows] if dense else rows


def _subtitle(context: Context, courses: Sequence[ChangeCourse], shown: Sequence[ChangeCourse], top: int) -> list[str]:
    lines = [
        f"{context.reading[0].upper()}{context.reading[1:]}; 0 is the baseline.",
        f"{len(shown)} of {people(len(courses))} infused, {context.as_of}.",
    ]
    over = sum(change.percent > top for course in shown for change in course.changes)
    if over:
        lines.append(f"Drawn at the upper edge: {over} of the values, above +{top} %.")
    if missing := without_change(courses):
        lines.append(f"Not drawn, without a measured sum after baseline: {named(missing)}.")
    return lines


def _described(context: Context, courses: Sequence[ChangeCourse], shown: Sequence[ChangeCourse]) -> str:
    """The main numbers in words, for who cannot see the figure."""
    if not shown:
        return f"An empty spider plot. {nobody(courses)}"
    lowest = min(shown, key=lambda course: min(change.percent for change in course.changes))
    least = min(lowest.changes, key=lambda change: change.percent)
    values = sum(len(course.changes) for course in shown)
    bounds = "; ".join(f"{limit.response.value} {limit.words}" for limit in limits(context.protocol))
    last = [course.changes[-1].percent for course in shown]
    return (
        f"Spider plot of {people(len(shown))} of {len(courses)} infused: one line each for the change of the "
        f"{context.reading}, over {days(max(course.changes[-1].day for course in shown))} since the infusion, in "
        f"{values} values after baseline. "
        f"The lowest is {number(least.percent)} % on day {least.day} ({lowest.subject_number}). At the last value "
        f"{sum(percent < 0 for percent in last)} are below and {sum(percent > 0 for percent in last)} above baseline. "
        f"Best overall response: {counted(course.best for course in shown)}. "
        f"Lines mark the limits of {context.criteria}: {bounds}."
    )
