"""The grades of an adverse event as times in study days, as wide as its dates allow."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from shared.contracts.safety import GradeSince
from shared.contracts.terms import earliest, latest


class GradeSpell(NamedTuple):
    """From which study day until which the event may have had a grade. None: no study days; it goes on."""

    grade: int
    first_day: int | None
    last_day: int | None


def grade_spells(grades: Sequence[GradeSince], ended_on: str | None, infused_on: date | None) -> Iterator[GradeSpell]:
    """One spell per grade, in order of time. `infused_on` is day 0, in the trial's time zone; None: not infused."""
    ends = [later.since for _, later in pairwise(grades)]
    for entry, end in zip(grades, [*ends, ended_on], strict=True):
        if infused_on is None:
            yield GradeSpell(entry.grade, None, None)
        else:
            first = (earliest(entry.since) - infused_on).days
            yield GradeSpell(entry.grade, first, None if end is None else (latest(end) - infused_on).days)
