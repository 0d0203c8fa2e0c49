"""One participant's course on one axis of time: temperature, oxygen, vasopressor, grades, CAR-T cells, cytokines."""

from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import Any

from services.projector.domain.clinical_course import ClinicalCourse, Point
from services.projector.plots.cytokines import last_planned
from services.projector.plots.specification import Row, Specification, filled
from services.projector.plots.time_axis import time_axis
from services.projector.plots.wording import Context, left_out
from shared.contracts.safety_episodes import HypotensionSupport, OxygenDevice
from shared.protocol import Protocol

NAME = "course"
MORE_HUES = ("#3489CC", "#B06A00", "#C27BA0", "#444444")  # of cytokines that CMD03 does not have
SUPPORT = 1  # the second panel
NO_SUPPORT = ("Oxygen", "Vasopressor")
_LEAST_FIRST = [each.value for kinds in (OxygenDevice, HypotensionSupport) for each in kinds]
EMPTY = "Nothing is on record since the infusion."
NOT_INFUSED = "Not infused: there is no time since the infusion."


def course(context: Context, whole: ClinicalCourse, until_day: int | None = None) -> Specification:
    """The figure up to a day. What was not observed has no mark; values beyond a limit are open marks at it.

    Without a day: up to the last visit that takes cytokines, or the end of CRS and ICANS if that is later, since on an
    axis of a year the days that matter most are one stroke. What lies later is counted in words.
    """
    last = _acute_until(context.protocol, whole) if until_day is None else until_day
    told = whole.until(last)
    later = left_out(last, (point.day for point in whole.points))
    days = [point.day for point in told.points]
    axis = time_axis(int(min(days, default=0)) - 1 if days else 0, int(max(days, default=29)) + 1, room=0.03)
    made = filled(
        NAME,
        title=f"{context.protocol.protocol_id}: course of {told.subject_number}",
        subtitle=[
            "Triangles: antipyretic or anticytokine drugs. Dashes: 38 °C. Open marks lie beyond a limit, drawn at it.",
            f"{context.as_of}; observed at samples and visits; no cytokine is an input of a grade.",
            *later,
        ],
        description=" ".join([_described(told), *later]),
        params={"first_day": axis.first_day, "last_day": axis.last_day, "times": list(axis.times)},
        datasets={
            name: list(_rows(getattr(told, name)))
            for name in ("temperature", "support", "grades", "cells", "cytokines", "drugs")
        },
    )
    for each in made["vconcat"][SUPPORT]["layer"]:
        each["encoding"]["y"]["scale"]["domain"] = _rows_of_support(told)
    analytes = [analyte.key for analyte in context.protocol.cytokines.analytes]
    for scale in scales_of_cytokines(made["vconcat"]):
        looks = [*scale["range"], *MORE_HUES] if scale["range"][0].startswith("#") else scale["range"]
        scale |= {"domain": analytes, "range": [look for _, look in zip(analytes, cycle(looks), strict=False)]}
    if not days:
        made["datasets"]["empty"] = [{"words": _nothing(told)}]
    return made


def scales_of_cytokines(part: Any) -> Iterator[dict[str, Any]]:
    """The scales that give each cytokine its colour and shape, wherever they stand: a protocol may add analytes."""
    inner = part if isinstance(part, list) else list(part.values()) if isinstance(part, dict) else []
    if isinstance(part, dict) and part.get("field") == "what" and "IL6" in part.get("scale", {}).get("domain", ()):
        yield part["scale"]
    for each in inner:
        yield from scales_of_cytokines(each)


def _rows(points: Iterable[Point]) -> Iterable[Row]:
    for each in points:
        yield {
            "day": each.day,
            "what": each.what,
            "words": each.words,
            "value": None if each.value is None else float(each.value),
            "beyond": each.beyond or "",
            "given": each.given,
            "row": _row(each),
            "episode": each.episode,
        }


def _row(point: Point) -> str:
    """What stands beside its row: the support, and which."""
    return f"{point.what}: {point.kind.replace('-', ' ')}" if point.kind else point.what


def _rows_of_support(told: ClinicalCourse) -> list[str]:
    """A row for each kind of support that was seen, oxygen first, the least of each at the top."""
    seen = {_row(each): each for each in told.support}
    return sorted(seen, key=lambda row: (seen[row].what, _LEAST_FIRST.index(seen[row].kind))) or list(NO_SUPPORT)


def _acute_until(protocol: Protocol, whole: ClinicalCourse) -> float:
    last = last_planned(protocol)
    return max(last, *(point.day for point in whole.acute)) if whole.acute else last


def _nothing(told: ClinicalCourse) -> str:
    return EMPTY if told.infused else NOT_INFUSED


def _described(told: ClinicalCourse) -> str:
    """The main numbers in words, for who cannot see the figure."""
    if not told.points:
        return f"An empty course of {told.subject_number}. {_nothing(told)}"
    parts = [f"Course of {told.subject_number} on one axis of days since the infusion."]
    if told.temperature:
        parts.append(f"Highest temperature {_highest(told.temperature)}.")
    oxygen, pressors = (
        sum(each.given for each in told.support if each.what == what) for what in ("Oxygen", "Vasopressor")
    )
    parts.append(f"Oxygen at {oxygen} and vasopressors at {pressors} observations.")
    for what in ("CRS", "ICANS"):
        graded = [each for each in told.grades if each.what == what]
        parts.append(f"{what}: worst grade {_highest(graded)}." if graded else f"{what}: not graded.")
    quantified = [each for each in told.cells if each.beyond is None]
    if quantified:
        parts.append(f"Highest CAR-T count per microlitre {_highest(quantified)}.")
    for analyte in dict.fromkeys(each.what for each in told.cytokines):
        levels = [each for each in told.cytokines if each.what == analyte and each.beyond != "<"]
        parts.append(f"{analyte}, pg/mL: highest {_highest(levels)}." if levels else f"{analyte}: below its limit.")
    return " ".join(parts)


def _highest(points: Iterable[Point]) -> str:
    best = max(points, key=lambda each: (each.value or 0, -each.day))
    return f"{best.words} on day {best.day:g}"
