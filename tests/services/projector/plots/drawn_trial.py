"""Courses and times on study made for figures: a few by hand, or many at random."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from random import Random

from services.projector.domain.time_on_study import Mark, Milestone, TimeOnStudy
from services.projector.domain.tumour_change import ChangeAt, ChangeCourse
from services.projector.plots.wording import Context
from shared.contracts.efficacy_terms import Response
from tests.services.projector.chronicle import PROTOCOL

CONTEXT = Context(PROTOCOL, "investigator", date(2026, 4, 20))
VISITS = (30, 90, 180, 365)


def course(number: str, best: str, *changes: tuple[int, str], progressed: int | None = None) -> ChangeCourse:
    """`changes`: study day and percentage; the response at each is not what these tests look at."""
    told = tuple(ChangeAt(day, Decimal(percent), Response.SD) for day, percent in changes)
    return ChangeCourse(number, best, progressed, -6 if changes else None, told)


def time(number: str, ends: int, *marks: Mark, begins: int = 0, ongoing: bool = False) -> TimeOnStudy:
    return TimeOnStudy(number, begins, ends, ongoing, marks)


def numbers(count: int) -> list[str]:
    return [f"{('CU', 'NCH', 'SIRIRAJ')[place % 3]}-{place // 3 + 1:03d}" for place in range(count)]


def courses_of(count: int) -> list[ChangeCourse]:
    random = Random(count)  # noqa: S311 - the same invented trial every time
    return [
        course(
            number,
            random.choice(["CR", "PR", "SD", "PD", "NE"]),
            *((day + random.randint(-5, 5), str(random.randint(-100, 180))) for day in VISITS[: random.randint(0, 4)]),
        )
        for number in numbers(count)
    ]


def times_of(count: int) -> list[TimeOnStudy]:
    random = Random(count)  # noqa: S311 - the same invented trial every time
    times = [_time(number, random) for number in numbers(count)]
    return sorted(times, key=lambda each: -each.ends)


def _time(number: str, random: Random) -> TimeOnStudy:
    ends = random.randint(40, 500)
    end = random.choice([Milestone.ON_STUDY, Milestone.DEATH, Milestone.LEFT, Milestone.COMPLETED])
    marks: Sequence[Mark] = [
        Mark(0, Milestone.INFUSION, "infusion 1"),
        *(Mark(random.randint(0, 40), Milestone.SERIOUS_ADVERSE_EVENT, "Sepsis") for _ in range(random.randint(0, 3))),
        *(Mark(day, random.choice(list(Response)[:5]), "response") for day in VISITS if day < ends),
        Mark(ends, end, end.value.lower()),
    ]
    return time(number, ends, *marks, ongoing=end is Milestone.ON_STUDY)
