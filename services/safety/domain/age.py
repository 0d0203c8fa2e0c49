"""Age in completed months or years, as far as a month of birth tells it: the day of birth is never taken.

Rules that need one number count a month from its first day, so that the participant is as old as can be. A report
tells the span instead.
"""

from datetime import date
from decimal import Decimal

from shared.contracts.terms import earliest


def completed_months(born: date, on: date) -> int:
    """Completed months; a birth on the 31st is a month old on the 1st after a shorter one."""
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def age_in_months(birth_month: str, on: date) -> int:
    """Completed months of who was born on the first day of a month; 0 before it."""
    return max(0, completed_months(earliest(birth_month), on))


def age_in_years(birth_month: str, on: date) -> Decimal:
    """Completed years; a birthday counts from the first of its month."""
    return Decimal(age_in_months(birth_month, on) // 12)
