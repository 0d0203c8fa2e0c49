"""Courses of CAR-T cells and cytokines made for figures: a few by hand, or many at random."""

from decimal import Decimal
from random import Random

from services.projector.domain.count_course import CountAt, CountCourse
from services.projector.plots.cytokines import AnalyteCourse, LevelAt
from tests.services.projector.plots.drawn_trial import numbers


def count_course(number: str, best: str, *told: tuple[int, str]) -> CountCourse:
    """Study day and cells/uL; `<2` is below a limit, `<` below an unknown one."""
    return CountCourse(number, best, tuple(_count(day, text) for day, text in told))


def _count(day: int, text: str) -> CountAt:
    number = text.strip("<")
    return CountAt(day, Decimal(number) if number else None, text.startswith("<"))


def counts_of(count: int) -> list[CountCourse]:
    random = Random(count)  # noqa: S311 - the same invented trial every time
    return [
        count_course(
            number,
            random.choice(["CR", "PR", "SD", "PD", "NE"]),
            *(
                (day, "<0.5" if random.random() < 0.2 else f"{random.uniform(0.6, 900) / (1 + day / 20):.2f}")
                for day in (7, 14, 21, 30, 60, 90, 182, 365)[: random.randint(0, 8)]
            ),
        )
        for number in numbers(count)
    ]


def levels_of(count: int) -> list[AnalyteCourse]:
    return [
        AnalyteCourse(
            each.subject_number,
            each.best,
            analyte,
            tuple(LevelAt(at.day, at.number, "<" if at.below else None) for at in each.counts if at.number),
        )
        for analyte in ("Interleukin 6", "Interferon gamma")
        for each in counts_of(count)
    ]
