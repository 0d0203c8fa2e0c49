"""One participant's course in points of time: temperature, oxygen, vasopressor, grades, CAR-T cells and cytokines.

What was not observed has no point: missing is never "none", and never 0. Times are days since the infusion. Nothing is
read from one series for another; no cytokine is an input of a grade.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from services.projector.domain.cytokine_levels import Drawn
from services.projector.domain.figures import Side, Value
from shared.contracts.safety_episodes import CrsObservation, HypotensionSupport, OxygenDevice

DAY = timedelta(days=1)
Grade = Literal["CRS", "ICANS"]


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one series. `beyond`: it lies beyond the number.

    Of support, `kind` is the device or the drugs, and `given` says that it is more than none.
    """

    day: float
    what: str
    words: str
    value: Decimal | None = None
    beyond: Side | None = None
    given: bool = False
    kind: str = ""
    episode: str = ""


@dataclass(frozen=True, slots=True)
class ClinicalCourse:
    """All series of one participant, each in order of time."""

    subject_number: str
    infused: bool
    temperature: tuple[Point, ...] = ()
    support: tuple[Point, ...] = ()
    grades: tuple[Point, ...] = ()
    cells: tuple[Point, ...] = ()
    cytokines: tuple[Point, ...] = ()
    drugs: tuple[Point, ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        return (*self.acute, *self.cells, *self.cytokines, *self.drugs)

    @property
    def acute(self) -> tuple[Point, ...]:
        """What episodes of CRS and ICANS tell."""
        return (*self.temperature, *self.support, *self.grades)

    def until(self, day: float) -> "ClinicalCourse":
        """The course up to a day."""
        return replace(
            self,
            temperature=_until(day, self.temperature),
            support=_until(day, self.support),
            grades=_until(day, self.grades),
            cells=_until(day, self.cells),
            cytokines=_until(day, self.cytokines),
            drugs=_until(day, self.drugs),
        )


def _until(day: float, points: Iterable[Point]) -> tuple[Point, ...]:
    return tuple(each for each in points if each.day <= day)


@dataclass(frozen=True, slots=True)
class Clock:
    """Study time: days since the infusion, to a hundredth."""

    day_zero: datetime

    def day(self, at: datetime) -> float:
        return round((at - self.day_zero) / DAY, 2)


def temperature(clock: Clock, at: datetime, seen: CrsObservation) -> list[Point]:
    if seen.temperature_c is None:
        return []
    return [Point(clock.day(at), "Temperature", f"{seen.temperature_c:f} °C", seen.temperature_c)]


def support(clock: Clock, at: datetime, seen: CrsObservation) -> list[Point]:
    """Oxygen with its flow or fraction, and what keeps the blood pressure; each only where it was observed."""
    points, day = [], clock.day(at)
    if seen.oxygen_device is not None:
        flow = "" if seen.flow_l_per_min is None else f" {seen.flow_l_per_min:f} L/min"
        fraction = "" if seen.fio2_percent is None else f" FiO2 {seen.fio2_percent:f} %"
        words = f"{seen.oxygen_device.value}{flow}{fraction}"
        given = seen.oxygen_device is not OxygenDevice.ROOM_AIR
        points.append(Point(day, "Oxygen", words, given=given, kind=seen.oxygen_device.value))
    if seen.hypotension is not None:
        none = {HypotensionSupport.NONE, HypotensionSupport.FLUIDS}
        kind = seen.hypotension.value
        points.append(Point(day, "Vasopressor", kind, given=seen.hypotension not in none, kind=kind))
    return points


def grade(clock: Clock, at: datetime, what: Grade, found: int | None, episode: str) -> list[Point]:
    """The ASTCT grade; none where it could not be graded."""
    return [] if found is None else [Point(clock.day(at), what, str(found), Decimal(found), episode=episode)]


def level_of(clock: Clock, at: datetime, what: str, value: Value) -> list[Point]:
    """A number, or the limit that a value lies beyond. A limit that nobody told has no place on a log scale."""
    if not value.number:
        return []
    return [Point(clock.day(at), what, f"{value.beyond or ''}{value.number:f}", value.number, value.beyond)]


def cytokine_points(clock: Clock, drawn: Iterable[Drawn]) -> list[Point]:
    told = sorted(drawn, key=lambda each: (each.measured.collected_at, each.measured.analyte, each.measured.panel_id))
    return [
        point
        for each in told
        for point in level_of(clock, each.measured.collected_at, each.measured.analyte, each.value)
    ]
