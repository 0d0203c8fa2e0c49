"""When the trial looks at a participant: visits with their windows, and the time points of its outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StringConstraints, field_validator, model_validator

from shared.protocol.marked import Mark, Part, Setting, Text

Days = Annotated[int, Field(ge=0)]
VisitCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,9}$")]


class Assessment(StrEnum):
    """What a visit can ask for."""

    ADVERSE_EVENTS = "adverse-events"
    RESPONSE = "response"
    CAR_T_FLOW = "car-t-flow"
    CYTOKINES = "cytokines"


class MeasureId(StrEnum):
    """The outcome measures this system can tabulate."""

    ADVERSE_EVENTS = "adverse-events"
    RESPONSE_RATE = "response-rate"
    PERSISTENCE = "persistence"
    CYTOKINES = "cytokines"


class Rank(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"


class Anchor(StrEnum):
    """The instant that day 0 holds."""

    INFUSION_START = "infusion-start"
    INFUSION_END = "infusion-end"


class Side(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class DayNumbering(StrEnum):
    """How study days are counted for people. SDTM, which has no day 0, is derived beside it."""

    INFUSION_IS_DAY_0 = "infusion-is-day-0"


class Incidence(StrEnum):
    CUMULATIVE = "cumulative"
    INTERVAL = "interval"


@dataclass(frozen=True, order=True)
class Moment:
    """A day of the schedule. Day 0 is the infusion's own day and lies on both sides of the infusion."""

    day: int
    after_infusion: bool

    def __post_init__(self) -> None:
        if self.day and self.after_infusion != (self.day > 0):
            raise ValueError(f"day {self.day} lies on one side of the infusion: only day 0 has two")


class Window(Part):
    """Days around the nominal day, both ends inside."""

    minus: Days
    plus: Days


class Visit(Part):
    """A planned visit. `nominal_day` and window count days after the infusion."""

    code: VisitCode
    label: Text
    nominal_day: Setting[Days]
    window: Setting[Window]
    before_infusion: bool = False
    due: Annotated[tuple[Assessment, ...], Field(min_length=1)]

    @property
    def day(self) -> int:
        return self.nominal_day.value

    @property
    def first_day(self) -> int:
        return self.day - self.window.value.minus

    @property
    def last_day(self) -> int:
        return self.day + self.window.value.plus

    @property
    def first(self) -> Moment:
        return Moment(self.first_day, not self.before_infusion)

    @property
    def last(self) -> Moment:
        return Moment(self.last_day, not self.before_infusion)

    def holds(self, moment: Moment) -> bool:
        return self.first <= moment <= self.last

    @model_validator(mode="after")
    def _keeps_to_its_side(self) -> Self:
        if self.before_infusion and self.last_day > 0:
            raise ValueError(f"{self.code} is before the infusion, yet its window ends on day {self.last_day}")
        if not self.before_infusion and self.first_day < 0:
            raise ValueError(f"{self.code} is not before the infusion, yet its window begins on day {self.first_day}")
        if len(set(self.due)) < len(self.due):
            raise ValueError(f"{self.code} names an assessment twice: {', '.join(self.due)}")
        return self


class TimePoint(Part):
    """A time an outcome is reported for: so many days or months after the infusion, or (neither) before it."""

    label: Text
    visit: VisitCode
    days: Annotated[int, Field(gt=0)] | None = None
    months: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _says_one_time(self) -> Self:
        if self.days is not None and self.months is not None:
            raise ValueError(f"{self.label!r} gives days and months; give one, or neither for before the infusion")
        return self

    @property
    def before_infusion(self) -> bool:
        return self.days is None and self.months is None


class OutcomeMeasure(Part):
    """One outcome of the trial and when it is read."""

    id: MeasureId
    title: Text
    rank: Setting[Rank]
    assessment: Assessment
    mark: Mark
    source: Text
    time_points: tuple[TimePoint, ...]


class Schedule(Part):
    """The rules by which instants become study days and visits."""

    time_zone: Setting[str]
    anchor: Setting[Anchor]
    second_infusion_reanchors: Setting[bool]
    day_numbering: Setting[DayNumbering]
    months_to_days: Setting[Mapping[int, int]]
    infusion_day_without_time: Setting[Side]
    late_fills_visit: Setting[bool]
    incidence: Setting[Incidence]

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, setting: Setting[str]) -> Setting[str]:
        try:
            ZoneInfo(setting.value)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError(f"unknown time zone {setting.value!r}; name one of the IANA database") from unknown
        return setting

    @field_validator("months_to_days")
    @classmethod
    def _days_grow_with_months(cls, setting: Setting[Mapping[int, int]]) -> Setting[Mapping[int, int]]:
        days = [setting.value[months] for months in sorted(setting.value)]
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise ValueError(f"more months must be more days: {dict(sorted(setting.value.items()))}")
        return setting
