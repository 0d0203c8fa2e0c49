"""The rolling six, row by row as published, and where the table leads among the levels."""

import pytest

from shared.escalation.designs import rolling_six
from shared.escalation.designs.standing import LevelCount
from tests.shared.escalation.designs.standings import said

S, E, D, W = "stay", "escalate", "de-escalate", "wait"

# Enrolled, then by DLTs from 0 on: the word for 0, 1, 2, ... pending. Skolnik 2008.
PUBLISHED: dict[int, list[list[str]]] = {
    0: [[S]],
    1: [[S, S], [S]],
    2: [[S, S, S], [S, S], [D]],
    3: [[E, S, S, S], [S, S, S], [D, D], [D]],
    4: [[E, S, S, S, S], [S, S, S, S], [D, D, D], [D, D], [D]],
    5: [[E, S, S, S, S, S], [S, S, S, S, S], [D, D, D, D], [D, D, D], [D, D], [D]],
    6: [[E, E, W, W, W, W, W], [E, W, W, W, W, W], [D, D, D, D, D], [D, D, D, D], [D, D, D], [D, D], [D]],
}
ROWS = [
    (enrolled, dlt, pending, word)
    for enrolled, by_dlt in PUBLISHED.items()
    for dlt, by_pending in enumerate(by_dlt)
    for pending, word in enumerate(by_pending)
]


@pytest.mark.parametrize(("enrolled", "dlt", "pending", "expected"), ROWS)
def test_every_row_of_the_table(enrolled: int, dlt: int, pending: int, expected: str) -> None:
    assert rolling_six.says(LevelCount(1, enrolled - pending, dlt, pending)) == expected


def test_the_table_holds_every_count_up_to_six_once() -> None:
    assert {(enrolled, dlt, pending) for enrolled, dlt, pending, _ in ROWS} == rolling_six._table().keys()
    assert all(
        (enrolled, dlt, pending) in rolling_six._table()
        for enrolled in range(7)
        for dlt in range(enrolled + 1)
        for pending in range(enrolled - dlt + 1)
    )


@pytest.mark.parametrize(
    ("current", "told", "expected"),
    [
        (1, "0/3", ("escalate", 2, None)),
        (1, "0/3+1", ("stay", 1, None)),
        (1, "1/3", ("stay", 1, None)),
        (1, "1/5+1", ("wait", None, None)),
        (1, "2/3+3", ("stop", None, None)),
        (2, "0/4 2/3+3", ("de-escalate", 1, None)),
        (2, "0/4+1 2/3", ("de-escalate", 1, None)),  # the lower level may be filled while it is watched
        (2, "0/4+2 2/3", ("wait", None, None)),  # six are watched there
        (2, "1/6 2/3", ("declare-mtd", None, 1)),
        (3, "0/3 0/3 0/3", ("expand", 3, None)),
        (3, "0/3 0/3 0/5+1", ("declare-mtd", None, 3)),
        (1, "0/3 2/2", ("expand", 1, None)),
        (1, "1/6 2/2", ("declare-mtd", None, 1)),
    ],
)
def test_where_the_table_leads(current: int, told: str, expected: tuple[str, int | None, int | None]) -> None:
    assert said("rolling-6", current, told) == expected
