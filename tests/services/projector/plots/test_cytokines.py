"""Cytokines: drawn as far as visits take them, unless more is asked for."""

from decimal import Decimal

import pytest

from services.projector.plots.cytokines import AnalyteCourse, LevelAt, cytokines, last_planned
from tests.services.projector.plots.drawn_trial import CONTEXT

LATE = [
    AnalyteCourse(number, "SD", "Interleukin 6", tuple(LevelAt(day, Decimal(day + 9), None) for day in days))
    for number, days in (("CU-001", (-1, 7, 33)), ("CU-002", (34, 400)), ("CU-003", ()))
]


def test_cytokines_of_cmd03_are_planned_to_day_30_and_three_more() -> None:
    assert last_planned(CONTEXT.protocol) == 33


def test_a_late_sample_does_not_stretch_the_axis_and_is_counted() -> None:
    made = cytokines(CONTEXT, LATE)
    assert [row["day"] for row in made["datasets"]["points"]] == [-1, 7, 33]
    told = "Up to day 33: 2 later values, up to day 400, are not drawn; until_day draws more."
    assert made["title"]["subtitle"][1:] == [
        "2 of 3 participants infused, 20 April 2026; observed at scheduled visits.",
        "Without a value: CU-003.",
        told,
    ]
    assert made["description"].endswith(told)
    (last_day,) = (each["value"] for each in made["params"] if each["name"] == "last_day")
    assert last_day < 36


@pytest.mark.parametrize(
    ("until_day", "drawn", "ending"),
    [(34, [-1, 7, 33, 34], "1 later value, up to day 400, is not drawn; until_day draws more."), (400, None, None)],
)
def test_more_is_drawn_where_it_is_asked_for(until_day: int, drawn: list[int] | None, ending: str | None) -> None:
    made = cytokines(CONTEXT, LATE, until_day)
    assert [row["day"] for row in made["datasets"]["points"]] == (drawn or [-1, 7, 33, 34, 400])
    assert made["title"]["subtitle"][-1].endswith(ending or "Without a value: CU-003.")
