"""The axis of time since the infusion: which ticks, and whether they are told in months or days."""

from dataclasses import dataclass

MONTH = 30.4375  # days; `mo` of UCUM is a twelfth of a year of 365.25 days
MONTHS_FROM = 120  # days on the axis, from which on it is told in months
STEPS = (7, 14, 30, *(MONTH * months for months in (1, 2, 3, 6, 12, 24, 36, 60, 120)))  # days
MOST_TICKS = 9


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The first and the last day of an axis, and its ticks from day 0 on."""

    first_day: float
    last_day: float
    in_months: bool
    times: tuple[float, ...]

    @property
    def params(self) -> dict[str, object]:
        return {
            "first_day": self.first_day,
            "last_day": self.last_day,
            "in_months": self.in_months,
            "times": list(self.times),
        }


def time_axis(first_day: int, last_day: int, *, room: float) -> TimeAxis:
    """From the earlier of this day and the infusion to the last one, and `room` (a part of 1) beyond it."""
    in_months = last_day > MONTHS_FROM
    steps = [step for step in STEPS if (step % MONTH == 0) == in_months]
    step = next((each for each in steps if last_day / each < MOST_TICKS), steps[-1])
    first, last = min(first_day, 0), max(last_day, 1)
    beyond = last + (last - first) * room / (1 - room)
    ticks = tuple(number * step for number in range(int(last / step) + 1))
    return TimeAxis(first, beyond, in_months, ticks)
