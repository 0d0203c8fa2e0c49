"""The 3+3 design, branch by branch: what the table says, where it leads among the levels, and when it ends."""

import pytest

from shared.escalation.designs import three_plus_three
from shared.escalation.designs.standing import Decision, LevelCount
from tests.shared.escalation.designs.standings import decided, said

# Evaluable: by DLTs, from 0 on.
TABLE = {
    0: "stay",
    1: "stay stay",
    2: "stay stay de-escalate",
    3: "escalate expand de-escalate de-escalate",
    4: "escalate expand de-escalate de-escalate de-escalate",
    5: "escalate expand de-escalate de-escalate de-escalate de-escalate",
    6: "escalate escalate de-escalate de-escalate de-escalate de-escalate de-escalate",
}


@pytest.mark.parametrize(
    ("evaluable", "dlt", "expected"),
    [(evaluable, dlt, each) for evaluable, row in TABLE.items() for dlt, each in enumerate(row.split())],
)
def test_every_row_of_the_table(evaluable: int, dlt: int, expected: str) -> None:
    assert three_plus_three.says(LevelCount(1, evaluable, dlt, 0)) == expected


def test_the_table_holds_these_rows_and_no_other() -> None:
    assert {(n, m) for n, row in TABLE.items() for m, _ in enumerate(row.split())} == three_plus_three._table().keys()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("0/2+1", "wait"),
        ("1/2+1", "wait"),
        ("2/2+1", "de-escalate"),  # two decide before the cohort is full
        ("0/0+3", "wait"),
        ("0/1+1", "stay"),  # the cohort stays open, whatever the second shows
        ("1/3+3", "wait"),
        ("1/5+1", "wait"),
        ("0/5+1", "escalate"),  # one of six changes nothing
        ("2/3+3", "de-escalate"),
    ],
)
def test_open_windows_are_waited_for_unless_they_can_change_nothing(told: str, expected: str) -> None:
    assert said("3+3", 1, told)[0] == ("stop" if expected == "de-escalate" else expected)
    assert said("3+3", 2, f"0/6 {told}", allow_deescalation=False)[0] == (
        "declare-mtd" if expected == "de-escalate" else expected
    )


@pytest.mark.parametrize(
    ("current", "told", "expected"),
    [
        (1, "0/3", ("escalate", 2, None)),
        (1, "1/3", ("expand", 1, None)),
        (1, "1/6", ("escalate", 2, None)),
        (1, "0/2", ("stay", 1, None)),
        (1, "2/3", ("stop", None, None)),
        (2, "0/3 2/3", ("de-escalate", 1, None)),  # the lower level has only three
        (2, "1/6 2/6", ("declare-mtd", None, 1)),
        (2, "0/3+3 2/3", ("wait", None, None)),  # the lower level is full and undecided
        (2, "0/5+1 2/3", ("declare-mtd", None, 1)),
        (2, "2/6 2/6", ("stop", None, None)),  # a late DLT below
        (3, "0/3 2/4 2/3", ("de-escalate", 1, None)),  # a late DLT in the level between
        (2, "2/3 0/3", ("stop", None, None)),
        (1, "0/3 2/3", ("expand", 1, None)),  # the level above is too toxic
        (1, "1/4 2/3", ("expand", 1, None)),
        (1, "1/6 2/3", ("declare-mtd", None, 1)),
        (3, "0/3 0/3 0/3", ("expand", 3, None)),  # the highest level is filled to six
        (3, "0/3 0/3 1/6", ("declare-mtd", None, 3)),
        (3, "0/3 0/3 0/3+3", ("wait", None, None)),
        (3, "0/3 0/3 2/6", ("de-escalate", 2, None)),
    ],
)
def test_where_the_table_leads(current: int, told: str, expected: tuple[str, int | None, int | None]) -> None:
    assert said("3+3", current, told) == expected


@pytest.mark.parametrize(
    ("current", "told", "expected"),
    [
        (1, "2/3", ("stop", None, None)),
        (2, "0/3 2/3", ("declare-mtd", None, 1)),
        (2, "1/6 2/3", ("declare-mtd", None, 1)),
        (2, "1/3 2/3", ("stop", None, None)),  # the lower level was left before it was decided
        (2, "0/2+1 2/3", ("wait", None, None)),
        (3, "0/3 1/3 2/3", ("declare-mtd", None, 1)),
    ],
)
def test_without_de_escalation_the_highest_tolerated_level_below_is_the_mtd(
    current: int, told: str, expected: tuple[str, int | None, int | None]
) -> None:
    assert said("3+3", current, told, allow_deescalation=False) == expected


@pytest.mark.parametrize(
    ("current", "told", "expected"),
    [
        (3, "0/3 0/3 0/3", ("stop", None, None)),  # as planned, and nothing was found
        (2, "0/3 0/3+3", ("wait", None, None)),
        (2, "1/6 2/3", ("declare-mtd", None, 1)),
        (1, "1/6 2/3", ("declare-mtd", None, 1)),
        (2, "0/3 2/6", ("stop", None, None)),  # nobody is left to fill the lower level
        (1, "2/6 0/3", ("stop", None, None)),
        (3, "0/2 0/1 1/6", ("declare-mtd", None, 3)),
        (2, "0/3 0/3", ("escalate", 3, None)),  # six of nine
    ],
)
def test_the_planned_number_ends_it(current: int, told: str, expected: tuple[str, int | None, int | None]) -> None:
    assert said("3+3", current, told, max_sample_size=9) == expected


def test_a_level_that_was_too_toxic_is_ruled_out_with_all_above_it() -> None:
    assert decided("3+3", 2, "0/3 2/3", levels=4).eliminated_levels == (2, 3, 4)
    assert decided("3+3", 1, "1/3").eliminated_levels == ()
    assert decided("3+3", 1, "1/3+3").eliminated_levels == ()


def test_it_says_why() -> None:
    assert decided("3+3", 1, "1/3").explanation == (
        "Level 1: 1 DLT among 3 evaluable, 0 pending. Expand: one DLT in the first cohort: the level is filled to six."
    )
    assert decided("3+3", 2, "0/3 2/3").explanation == (
        "Level 2: 2 DLT among 3 evaluable, 0 pending. De-escalate: two or more DLTs; level 1 has 0 DLT among "
        "3 evaluable, 0 pending, and is filled to six."
    )


def test_every_decision_of_the_table_has_its_words() -> None:
    said_by_table = set(three_plus_three._table().values())
    assert said_by_table == {Decision.STAY, Decision.EXPAND, Decision.ESCALATE, Decision.DE_ESCALATE}
