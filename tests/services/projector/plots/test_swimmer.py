"""The swimmer plot's data and words, and its axis of time."""

from typing import Any

import pytest

from services.projector.domain.time_on_study import Mark, Milestone
from services.projector.plots.swimmer import swimmer
from services.projector.plots.time_axis import MONTH, time_axis
from shared.contracts.efficacy_terms import Response
from tests.services.projector.plots.drawn_trial import CONTEXT, time, times_of

INFUSION = Mark(0, Milestone.INFUSION, "infusion 1")
TIMES = [
    time(
        "CU-001",
        105,
        INFUSION,
        Mark(3, Milestone.SERIOUS_ADVERSE_EVENT, "Sepsis"),
        Mark(3, Milestone.SERIOUS_ADVERSE_EVENT, "Fever"),
        Mark(30, Response.PR, "response PR"),
        Mark(105, Milestone.ON_STUDY, "still on study"),
        ongoing=True,
    ),
    time("SI-001", 31, INFUSION, Mark(31, Milestone.DEATH, "death")),
]


def rows(specification: dict[str, Any], name: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in specification["datasets"][name]]


def params(specification: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in specification["params"]}


def test_a_bar_stands_for_the_time_and_marks_for_what_happened() -> None:
    made = swimmer(CONTEXT, TIMES)
    assert rows(made, "bars") == [("CU-001", 0, 105, 105), ("SI-001", 0, 31, 31)]
    assert rows(made, "marks") == [
        ("CU-001", 0, "Infusion", "below", "infusion 1"),
        ("CU-001", 3, "Serious adverse event", "above", "Sepsis, Fever"),  # two of one day are one mark
        ("CU-001", 30, "PR", "below", "response PR"),
        ("CU-001", 105, "Still on study", "end", "still on study"),
        ("SI-001", 0, "Infusion", "below", "infusion 1"),
        ("SI-001", 31, "Death", "end", "death"),
    ]
    assert params(made)["shown"] == ["PR", "Infusion", "Serious adverse event", "Death", "Still on study"]


def test_the_main_numbers_are_said_in_words() -> None:
    assert swimmer(CONTEXT, TIMES)["description"] == (
        "Swimmer plot of 2 participants infused: one bar each from the first infusion to the end of follow-up, or to "
        "20 April 2026. Longest 105 days (CU-001), shortest 31 days (SI-001), median 68 days. "
        "1 still on study, 1 died, 0 left the study, 0 completed follow-up. "
        "2 serious adverse events in 1 participant. 0 began a new anticancer therapy. Responses at assessments: 1 PR."
    )


def test_an_empty_figure_says_that_it_is_empty_and_explains_its_marks() -> None:
    made = swimmer(CONTEXT, [])
    assert made["datasets"]["empty"] == [{"words": "Nobody has been infused yet."}]
    assert made["description"] == "An empty swimmer plot. Nobody has been infused yet."
    assert set(Milestone) < set(params(made)["shown"])


def test_rows_are_lower_where_there_are_more_of_them_and_stay_readable() -> None:
    few, many = (swimmer(CONTEXT, times_of(count))["height"]["step"] for count in (9, 90))
    assert (few, many) == (32, 12)


@pytest.mark.parametrize(
    ("last", "in_months", "step"),
    [(0, False, 7), (62, False, 7), (63, False, 14), (120, False, 14), (121, True, MONTH), (273, True, MONTH),
     (274, True, 2 * MONTH), (547, True, 2 * MONTH), (5479, True, 24 * MONTH), (99999, True, 120 * MONTH)],
)  # fmt: skip
def test_the_axis_has_few_round_ticks_from_the_infusion_on(last: int, in_months: bool, step: float) -> None:
    axis = time_axis(-10, last, room=0.1)
    assert axis.in_months is in_months
    assert axis.times == tuple(number * step for number in range(int(max(last, 1) // step) + 1))
    assert axis.first_day == -10
    assert (axis.last_day - max(last, 1)) / (axis.last_day - axis.first_day) == pytest.approx(0.1)
