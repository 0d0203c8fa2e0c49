"""Age in completed years, as far as a month of birth tells it.

The day of birth is never taken, so within the birth month a birthday may have been or may be to come. Then the age
is two neighbouring numbers, and each rule decides on the safe side: a limit must hold for both, a protection is owed
if either asks for it.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from shared.contracts.terms import BirthMonth


@dataclass(frozen=True, slots=True)
class Age:
    """Completed years: `at_least` if born on the last day of the month, `at_most` if born on the first."""

    at_least: int
    at_most: int


def first_possible_birthday(born: BirthMonth) -> date:
    year, month = map(int, born.split("-"))
    return date(year, month, 1)


def age_on(born: BirthMonth, on: date) -> Age:
    """The age on a day, never below 0.

    The two numbers differ from the first day of the birth month until the day before its last. A birth in a
    February of 29 days is taken as certain only on a 29th or on 1 March.
    """
    year, month = map(int, born.split("-"))
    last_day = monthrange(year, month)[1]
    at_most = on.year - year - (on.month < month)
    at_least = on.year - year - ((on.month, on.day) < (month, last_day))
    return Age(max(at_least, 0), max(at_most, 0))
