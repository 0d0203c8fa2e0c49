"""The spider's data, words, panels, and where names stand."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.projector.plots.label_places import Label, spread
from services.projector.plots.spider import spider
from tests.services.projector.plots.drawn_trial import CONTEXT, course, courses_of

TWO = [
    course("CU-001", "PR", (30, "-20"), (90, "-62.5")),
    course("CU-002", "PD", (30, "312")),
    course("SI-002", "NE"),
]


def params(specification: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in specification["params"]}


def rows(specification: dict[str, Any], name: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in specification["datasets"][name]]


def test_a_line_goes_from_the_baseline_through_every_value_in_order_of_time() -> None:
    made = spider(CONTEXT, TWO)
    assert rows(made, "points", "participant", "day", "change", "drawn", "response", "best") == [
        ("CU-001", -6, 0.0, 0.0, "baseline", "PR"),
        ("CU-001", 30, -20.0, -20.0, "SD", "PR"),
        ("CU-001", 90, -62.5, -62.5, "SD", "PR"),
        ("CU-002", -6, 0.0, 0.0, "baseline", "PD"),
        ("CU-002", 30, 312.0, 150.0, "SD", "PD"),
    ]
    assert params(made)["first_day"] == -6
    assert params(made)["last_day"] > 90


def test_few_lines_are_named_at_their_ends_in_one_panel() -> None:
    made = spider(CONTEXT, TWO)
    assert rows(made, "names", "participant", "day", "drawn") == [("CU-001", 90, -62.5), ("CU-002", 30, 150.0)]
    assert {row["panel"] for row in made["datasets"]["points"]} == {""}


def test_many_lines_have_a_panel_per_best_response_and_no_names() -> None:
    made = spider(CONTEXT, courses_of(90))
    assert made["datasets"]["names"] == []
    assert [panel.split(" ")[0] for panel in made["facet"]["sort"]] == ["CR", "PR", "SD", "PD", "NE"]
    assert made["facet"]["sort"][1].startswith("PR partial response (n = ")
    shown = {row["participant"] for row in made["datasets"]["points"]}
    assert sum(int(panel.rsplit(" ", 1)[1].strip(")")) for panel in made["facet"]["sort"]) == len(shown)


def test_the_main_numbers_are_said_in_words() -> None:
    made = spider(CONTEXT, TWO)
    assert made["description"] == (
        "Spider plot of 2 participants of 3 infused: one line each for the change of the sum of diameters (SEED_V1), "
        "read by the investigator, over 90 days since the infusion, in 3 values after baseline. "
        "The lowest is -62.5 % on day 90 (CU-001). At the last value 1 are below and 1 above baseline. "
        "Best overall response: 1 PR, 1 PD. "
        "Lines mark the limits of SEED_V1: PD above +25 % over nadir; PR below -50 %."
    )
    assert made["title"]["subtitle"][1:] == [
        "2 of 3 participants infused, 20 April 2026.",
        "Drawn at the upper edge: 1 of the values, above +150 %.",
        "Not drawn, without a measured sum after baseline: SI-002.",
    ]


def test_an_empty_figure_says_that_it_is_empty() -> None:
    made = spider(CONTEXT, [])
    assert made["datasets"]["empty"] == [{"words": "Nobody has been infused yet."}]
    assert made["description"] == "An empty spider plot. Nobody has been infused yet."


labels = st.builds(Label, st.integers(0, 3).map(lambda place: place * 30.0), st.floats(0, 400), st.just(40.0))


@given(st.lists(labels, max_size=12))
def test_no_name_covers_another_and_none_leaves_the_panel(given_labels: list[Label]) -> None:
    middles = spread(given_labels, height=13, bottom=400)
    placed = list(zip(given_labels, middles, strict=True))
    for place, (label, middle) in enumerate(placed):
        assert 6.5 <= middle <= 393.5
        for other, other_middle in placed[:place]:
            assert label.beside(other) or abs(middle - other_middle) >= 13 - 1e-6


def test_a_name_that_is_in_nobodys_way_stays_where_it_is() -> None:
    assert spread([Label(0, 100, 40), Label(0, 200, 40), Label(60, 102, 40)], height=13, bottom=400) == [100, 200, 102]


def test_a_name_makes_way_upwards_where_there_is_no_room_below() -> None:
    assert spread([Label(0, 392, 40), Label(0, 393, 40)], height=13, bottom=400) == [379, 392]


def test_names_above_each_other_stand_in_the_order_of_their_lines() -> None:
    close = [Label(0, 100 + place, 40) for place in range(5)]
    middles = spread(close, height=13, bottom=400)
    assert middles == sorted(middles)


def test_a_name_makes_way_for_a_mark_but_not_far() -> None:
    assert spread([Label(0, 100, 40)], height=13, bottom=400, marks=[(20, 98)]) == [108.5]
    assert spread([Label(0, 100, 40)], height=13, bottom=400, marks=[(50, 100)]) == [100]
    everywhere = [(20.0, float(down)) for down in range(0, 400, 5)]
    assert spread([Label(0, 100, 40)], height=13, bottom=400, marks=everywhere) == [100]


def test_a_panel_says_its_response_in_words() -> None:
    made = spider(CONTEXT, [course(f"CU-{number:03d}", "NE", (30, "5")) for number in range(21)])
    assert made["facet"]["sort"] == ["NE not evaluable (n = 21)"]


def test_where_there_is_no_room_names_stay_where_they_are() -> None:
    assert spread([Label(0, 10, 40), Label(0, 11, 40)], height=13, bottom=20) == [10, 11]
    assert spread([Label(0, 3, 40)], height=13, bottom=20) == [6.5]
