"""Age from a month of birth: certain outside the birth month, one of two numbers within it."""

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.consent.age import Age, age_on

DAYS = st.dates(date(1930, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("born", "on", "at_least", "at_most"),
    [
        ("2006-03", "2026-02-28", 19, 19),  # the month before: every birthday is still to come
        ("2006-03", "2026-03-01", 19, 20),  # the first day: those born on the 1st have come of age
        ("2006-03", "2026-03-30", 19, 20),
        ("2006-03", "2026-03-31", 20, 20),  # the last day: everybody born in the month has
        ("2006-03", "2026-04-01", 20, 20),
        ("2006-12", "2026-12-15", 19, 20),
        ("2006-12", "2027-01-01", 20, 20),
        ("2004-02", "2024-02-28", 19, 20),
        ("2004-02", "2024-02-29", 20, 20),
        ("2004-02", "2025-02-28", 20, 21),  # born on a 29th, perhaps: certain only on 1 March
        ("2004-02", "2025-03-01", 21, 21),
        ("2026-03", "2026-03-14", 0, 0),  # in the month of birth itself, never below 0
    ],
)
def test_age_is_known_by_the_month(born: str, on: str, at_least: int, at_most: int) -> None:
    assert age_on(born, date.fromisoformat(on)) == Age(at_least, at_most)


def completed_years(birthday: date, on: date) -> int:
    return on.year - birthday.year - ((on.month, on.day) < (birthday.month, birthday.day))


@given(birthday=DAYS, on=DAYS)
def test_the_true_age_is_never_outside(birthday: date, on: date) -> None:
    age = age_on(f"{birthday:%Y-%m}", on)
    assert age.at_least <= max(completed_years(birthday, on), 0) <= age.at_most


@given(birthday=DAYS, on=DAYS)
def test_both_numbers_are_somebodys_age(birthday: date, on: date) -> None:
    youngest = birthday.replace(day=monthrange(birthday.year, birthday.month)[1])
    age = age_on(f"{birthday:%Y-%m}", on)
    assert age.at_most == max(completed_years(birthday.replace(day=1), on), 0)
    assert age.at_least == max(completed_years(youngest, on), 0)
