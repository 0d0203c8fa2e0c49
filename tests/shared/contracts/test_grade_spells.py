"""Grades as spells of study days, as wide as their dates allow."""

from datetime import date

import pytest

from shared.contracts.grade_spells import grade_spells
from shared.contracts.safety import GradeSince

INFUSED = date(2026, 3, 14)


@pytest.mark.parametrize(
    ("grades", "ended_on", "spells"),
    [
        ([(2, "2026-03-14")], None, [(2, 0, None)]),
        ([(2, "2026-03-14")], "2026-03-20", [(2, 0, 6)]),
        ([(2, "2026-03-10"), (3, "2026-03-16")], "2026-03-20", [(2, -4, 2), (3, 2, 6)]),
        ([(1, "2026-03")], "2026-03", [(1, -13, 17)]),  # some day of March, until some day of March
    ],
)
def test_a_spell_lasts_until_the_next_grade_or_the_end(
    grades: list[tuple[int, str]], ended_on: str | None, spells: list[tuple[int, int, int | None]]
) -> None:
    entries = [GradeSince(grade=grade, since=since) for grade, since in grades]
    assert [tuple(each) for each in grade_spells(entries, ended_on, INFUSED)] == spells


def test_without_an_infusion_there_are_no_study_days() -> None:
    entries = [GradeSince(grade=2, since="2026-03-14")]
    assert list(grade_spells(entries, "2026-03-20", None)) == [(2, None, None)]
