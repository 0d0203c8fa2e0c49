"""Age as a month of birth tells it: counted from the first of the month."""

from datetime import date

import pytest

from services.safety.domain.age import age_in_months, age_in_years, completed_months


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [("2014-03", "2026-02-28", 11), ("2014-03", "2026-03-01", 12), ("2026-05", "2026-03-01", 0)],
)
def test_a_birthday_counts_from_the_first_of_its_month(born: str, on: str, years: int) -> None:
    assert age_in_years(born, date.fromisoformat(on)) == years


@pytest.mark.parametrize(("on", "months"), [("2026-02-28", 0), ("2026-03-01", 0), ("2026-03-31", 0), ("2026-04-01", 1)])
def test_a_month_of_age_is_complete_on_the_first_of_the_next(on: str, months: int) -> None:
    assert age_in_months("2026-03", date.fromisoformat(on)) == months


def test_who_was_born_on_the_31st_is_a_month_old_on_the_1st_after_a_shorter_month() -> None:
    born = date(2026, 3, 31)
    assert [completed_months(born, on) for on in (date(2026, 4, 30), date(2026, 5, 1))] == [0, 1]
