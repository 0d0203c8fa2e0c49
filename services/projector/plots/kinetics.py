"""Kinetics: cells, or copies, since the infusion on a log scale, a line each; open marks lie below the limit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log10

from services.projector.domain.car_t_series import Quantity, Series
from services.projector.domain.count_course import CountAt, CountCourse
from services.projector.plots.label_places import Label, spread
from services.projector.plots.specification import Row, Specification, filled, in_order, in_words, legend
from services.projector.plots.spider import (
    DENSE_FROM,
    EMPTY_PANEL,
    GAP,
    HEIGHT,
    LETTER,
    LINE,
    SMALL_COLUMNS,
    SMALL_HEIGHT,
    SMALL_WIDTH,
    WIDTH,
)
from services.projector.plots.time_axis import TimeAxis, time_axis
from services.projector.plots.wording import Context, counted, days, named, people

NAME = "kinetics"
LOWEST, HIGHEST = -1, 2  # powers of ten of an axis without values


@dataclass(frozen=True, slots=True)
class Wording:
    """What is counted, in the words of titles, of the axis, and of who has none."""

    what: str
    axis: str
    by: str
    one: str


WORDING = {
    Series.FLOW: Wording("CAR-T cells", "CAR+ cells/\N{MICRO SIGN}L", "by flow cytometry", "count"),
    Series.TRANSGENE: Wording("Transgene copies", "Copies/\N{MICRO SIGN}g genomic DNA", "by PCR", "number of copies"),
}
BLOOD = Quantity(series=Series.FLOW, specimen="blood", unit="/uL")


def kinetics(context: Context, courses: Sequence[CountCourse], quantity: Quantity = BLOOD) -> Specification:
    """The figure of one series in one compartment, which are never drawn together.

    A value below its limit is an open mark at that limit; only dashes lead there.
    """
    wording, compartment = WORDING[quantity.series], quantity.specimen.replace("-", " ")
    shown = [each for each in courses if each.counts]
    dense = len(shown) >= DENSE_FROM
    powers = _powers(shown)
    axis = _axis(shown, dense=dense)
    made = filled(
        NAME,
        title=f"{context.protocol.protocol_id}: {wording.what} in {compartment} over time",
        subtitle=_subtitle(context, wording, courses, shown),
        description=_described(wording, compartment, courses, shown),
        params={
            "dense": dense,
            "bottom": 10.0 ** powers[0],
            "top": 10.0 ** powers[-1],
            "ticks": [10.0**power for power in powers],
            "shown": legend({course.best for course in shown}),
            **axis.params,
        },
        datasets={
            "points": list(_points(shown, powers, dense=dense)) or [EMPTY_PANEL],
            "names": [] if dense else _names(shown, powers, axis),
        },
    )
    _title_axis(made, wording.axis)
    if not shown:
        made["datasets"]["empty"] = [{"words": _nobody(wording, courses)}]
    made["spec"] |= {"width": SMALL_WIDTH, "height": SMALL_HEIGHT} if dense else {"width": WIDTH, "height": HEIGHT}
    made["columns"] = SMALL_COLUMNS if dense else 1
    made["facet"]["sort"] = list(dict.fromkeys(row["panel"] for row in made["datasets"]["points"]))
    return made


def _title_axis(made: Specification, title: str) -> None:
    """Vega-Lite takes no parameter as the title of an axis."""
    (scaled,) = (layer for layer in made["spec"]["layer"] if "axis" in layer["encoding"].get("y", {}))
    scaled["encoding"]["y"]["axis"]["title"] = title


def _powers(shown: Sequence[CountCourse]) -> list[int]:
    """The powers of ten from at or below the lowest number, or limit, to at or above the highest."""
    numbers = [each.number for course in shown for each in course.counts if each.number]
    if not numbers:
        return list(range(LOWEST, HIGHEST + 1))
    low, high = min(numbers).adjusted(), max(numbers).adjusted()
    if max(numbers) > Decimal(1).scaleb(high):
        high += 1
    return list(range(low, max(high, low + 1) + 1))


def _axis(shown: Sequence[CountCourse], *, dense: bool) -> TimeAxis:
    last = max((course.counts[-1].day for course in shown), default=90)
    longest = max((len(course.subject_number) for course in shown), default=0)
    return time_axis(0, last, room=0.03 if dense else (longest * LETTER + GAP) / WIDTH)


def _drawn(count: CountAt, powers: Sequence[int]) -> float:
    """Where it stands: at the number, at the limit, or at the lower edge where the limit is not known."""
    return float(count.number) if count.number else 10.0 ** powers[0]


def _points(shown: Sequence[CountCourse], powers: Sequence[int], *, dense: bool) -> Iterator[Row]:
    """Each value, in the order of panels."""
    sizes = Counter(course.best for course in shown)
    place = {kind: number for number, kind in enumerate(in_order(set(sizes)))}
    for course in sorted(shown, key=lambda course: (place[course.best], course.subject_number)):
        best = course.best
        panel = f"{in_words(NAME, best)} (n = {sizes[best]})" if dense else ""
        for each in course.counts:
            yield {
                "participant": course.subject_number,
                "best": best,
                "panel": panel,
                "day": each.day,
                "drawn": _drawn(each, powers),
                "below": each.below,
                "words": _in_words(each),
            }


def _in_words(count: CountAt) -> str:
    number = "LLOQ" if count.number is None else format(count.number, "f")
    return f"<{number}" if count.below else number


def _names(shown: Sequence[CountCourse], powers: Sequence[int], axis: TimeAxis) -> list[Row]:
    """Where each name stands: beside the last value, moved up or down where names would cover each other."""
    across = WIDTH / (axis.last_day - axis.first_day)
    down = HEIGHT / (powers[-1] - powers[0])  # pixels of a power of ten
    labels = [
        Label(
            left=(course.counts[-1].day - axis.first_day) * across + GAP,
            middle=(powers[-1] - log10(_drawn(course.counts[-1], powers))) * down,
            width=len(course.subject_number) * LETTER,
        )
        for course in shown
    ]
    marks = [
        ((each.day - axis.first_day) * across, (powers[-1] - log10(_drawn(each, powers))) * down)
        for course in shown
        for each in course.counts
    ]
    middles = spread(labels, height=LINE, bottom=float(HEIGHT), marks=marks)
    return [
        {
            "participant": course.subject_number,
            "best": course.best,
            "panel": "",
            "day": course.counts[-1].day,
            "drawn": 10 ** (powers[-1] - middle / down),
        }
        for course, middle in zip(shown, middles, strict=True)
    ]


def _subtitle(
    context: Context, wording: Wording, courses: Sequence[CountCourse], shown: Sequence[CountCourse]
) -> list[str]:
    lines = [
        f"{wording.axis} {wording.by}, log scale. Open marks: below the limit of quantification, drawn at it.",
        f"{len(shown)} of {people(len(courses))} infused, {context.as_of}; a peak between two samples is not seen.",
    ]
    without = [each.subject_number for each in courses if not each.counts]
    if without:
        lines.append(f"Without a {wording.one}: {named(without)}.")
    return lines


def _nobody(wording: Wording, courses: Sequence[CountCourse]) -> str:
    return f"Nobody has a {wording.one} yet." if courses else "Nobody has been infused yet."


def _described(wording: Wording, compartment: str, courses: Sequence[CountCourse], shown: Sequence[CountCourse]) -> str:
    """The main numbers in words, for who cannot see the figure."""
    if not shown:
        return f"An empty plot of kinetics. {_nobody(wording, courses)}"
    counts = [each for course in shown for each in course.counts]
    quantified = [(each.number, each.day, course) for course in shown for each in course.counts if not each.below]
    told = (
        f"Plot of {wording.what} in {compartment} of {people(len(shown))} of {len(courses)} infused: one line each for "
        f"{wording.axis} on a log scale, over {days(max(each.day for each in counts))} since the infusion. "
        f"{len(quantified)} of {len(counts)} values are quantified, {len(counts) - len(quantified)} below the limit. "
    )
    peaks = [(number, -day, course.subject_number) for number, day, course in quantified if number is not None]
    if peaks:
        number, day, subject = max(peaks, key=lambda peak: peak[:2])
        told += f"The highest is {number:f} on day {-day} ({subject}). "
    below = sum(course.counts[-1].below for course in shown)
    best = counted(course.best for course in shown)
    return f"{told}At the last value {below} are below the limit. Best overall response: {best}."
