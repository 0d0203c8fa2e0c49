"""The waterfall's data, words and sizes."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from services.projector.plots.waterfall import top_tick, waterfall
from tests.services.projector.chronicle import PROTOCOL
from tests.services.projector.plots.drawn_trial import CONTEXT, course, courses_of

FOUR = [
    course("CU-001", "PR", (30, "-20.25"), (90, "-62.5")),
    course("CU-002", "PD", (30, "312"), progressed=30),
    course("SI-001", "SD", (30, "10")),
    course("SI-002", "NE"),
]


def params(specification: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in specification["params"]}


def test_a_bar_stands_for_a_participant_from_the_largest_increase_to_the_largest_decrease() -> None:
    made = waterfall(CONTEXT, FOUR)
    columns = ("participant", "change", "drawn", "cut", "label", "day", "best")
    assert [tuple(row[column] for column in columns) for row in made["datasets"]["bars"]] == [
        ("CU-002", 312.0, 100.0, True, "+312", 30, "PD"),
        ("SI-001", 10.0, 10.0, False, "+10", 30, "SD"),
        ("CU-001", -62.5, -62.5, False, "−63", 90, "PR"),
    ]
    assert params(made)["shown"] == ["PR", "SD", "PD"]


def test_the_limits_are_lines_with_the_protocols_numbers() -> None:
    assert waterfall(CONTEXT, FOUR)["datasets"]["limits"] == [
        {"percent": 25.0, "response": "PD", "words": "PD\nabove +25 %\nover nadir"},
        {"percent": -50.0, "response": "PR", "words": "PR\nbelow −50 %"},
    ]


def test_the_main_numbers_are_said_in_words() -> None:
    assert waterfall(CONTEXT, FOUR)["description"] == (
        "Waterfall plot of 3 participants of 4 infused: one bar each for the best change of the sum of diameters "
        "(SEED_V1), read by the investigator, from the largest increase to the largest decrease. "
        "From +312 % (CU-002) to -62.5 % (CU-001); median +10 %. 1 decreased, 2 increased. "
        "Best overall response: 1 PR, 1 SD, 1 PD. "
        "Lines mark the limits of SEED_V1: PD above +25 % over nadir; PR below -50 %. "
        "Not drawn: SI-002."
    )
    title = waterfall(CONTEXT, FOUR)["title"]
    assert title["text"] == "CMD03: best change of tumour size from baseline"
    assert title["subtitle"] == [
        "Sum of diameters (SEED_V1), read by the investigator, up to the first progression.",
        "3 of 4 participants infused, 20 April 2026.",
        "Not drawn, without a measured sum after baseline: SI-002.",
    ]


def test_criteria_that_decide_for_a_diagnosis_are_named() -> None:
    rule = PROTOCOL.response
    told = rule.criteria_by_diagnosis.model_copy(update={"value": {"high-grade-glioma": "RANO_HGG_2010"}})
    protocol = PROTOCOL.model_copy(update={"response": rule.model_copy(update={"criteria_by_diagnosis": told})})
    made = waterfall(replace(CONTEXT, protocol=protocol), FOUR)
    assert made["title"]["subtitle"][0].startswith("Sum of diameters (SEED_V1; by diagnosis RANO_HGG_2010), read by")


def test_where_all_are_drawn_nobody_is_said_to_be_missing() -> None:
    made = waterfall(CONTEXT, FOUR[:3])
    assert "Not drawn" not in made["description"] + "".join(made["title"]["subtitle"])


@pytest.mark.parametrize(
    ("courses", "words"),
    [([], "Nobody has been infused yet."), (FOUR[3:], "Nobody has a measured sum after baseline yet.")],
)
def test_an_empty_figure_says_that_it_is_empty(courses: list[Any], words: str) -> None:
    made = waterfall(CONTEXT, courses)
    assert made["datasets"]["bars"] == []
    assert made["datasets"]["empty"] == [{"words": words}]
    assert made["description"] == f"An empty waterfall plot. {words}"


def test_labels_turn_and_numbers_go_where_bars_are_narrow() -> None:
    few, some, many = (params(waterfall(CONTEXT, courses_of(count))) for count in (9, 24, 90))
    assert [(each["label_angle"], each["dense"]) for each in (few, some, many)] == [
        (0, False),
        (270, False),
        (270, True),
    ]
    assert few["step"] > some["step"] > many["step"] >= 11


@pytest.mark.parametrize(
    ("highest", "top"), [("-40", 50), ("50", 50), ("50.01", 75), ("75", 75), ("99", 100), ("100.1", 100), ("900", 100)]
)
def test_the_axis_ends_at_the_tick_above_the_highest_value_or_cuts_it(highest: str, top: int) -> None:
    assert top_tick(PROTOCOL, [Decimal(highest), Decimal(-80)]) == top


def test_many_that_are_not_drawn_are_counted() -> None:
    made = waterfall(CONTEXT, [FOUR[0], *(course(f"CU-{number:03d}", "NE") for number in range(10, 18))])
    assert made["title"]["subtitle"][-1].endswith("CU-010, CU-011, CU-012, CU-013, CU-014, CU-015 and 2 more.")


def test_numbers_beside_each_other_have_room() -> None:
    """Twenty cut bars: a step of 38 pixels holds `+178` and not `+178 %`."""
    made = waterfall(CONTEXT, [course(f"CU-{number:03d}", "PD", (30, "178")) for number in range(20)])
    assert {bar["label"] for bar in made["datasets"]["bars"]} == {"+178"}
    many = waterfall(CONTEXT, [course(f"CU-{number:03d}", "PD", (30, "178")) for number in range(60)])
    assert {bar["label"] for bar in many["datasets"]["bars"]} == {"+178 %"}
