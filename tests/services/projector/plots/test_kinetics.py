"""The figure of kinetics: its data, words, panels, and where names stand."""

from typing import Any

from services.projector.domain.car_t_series import Quantity, Series
from services.projector.plots.kinetics import kinetics
from tests.services.projector.plots.drawn_counts import count_course, counts_of
from tests.services.projector.plots.drawn_trial import CONTEXT

THREE = [
    count_course("CU-001", "PR", (7, "50.5"), (14, "120"), (60, "<0.4")),
    count_course("CU-002", "PD", (7, "<"), (14, "8")),
    count_course("SI-001", "NE"),
]


def params(specification: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in specification["params"]}


def rows(specification: dict[str, Any], name: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in specification["datasets"][name]]


def test_what_lies_below_a_limit_is_an_open_mark_at_it_and_at_the_edge_where_it_is_not_known() -> None:
    made = kinetics(CONTEXT, THREE)
    assert rows(made, "points", "participant", "day", "drawn", "below", "words", "best") == [
        ("CU-001", 7, 50.5, False, "50.5", "PR"),
        ("CU-001", 14, 120.0, False, "120", "PR"),
        ("CU-001", 60, 0.4, True, "<0.4", "PR"),
        ("CU-002", 7, 0.1, True, "<LLOQ", "PD"),
        ("CU-002", 14, 8.0, False, "8", "PD"),
    ]
    assert (params(made)["bottom"], params(made)["top"]) == (0.1, 1000)
    assert params(made)["ticks"] == [0.1, 1, 10, 100, 1000]


def test_the_axis_holds_whole_powers_of_ten() -> None:
    def ends(*told: tuple[int, str]) -> tuple[float, float]:
        made = params(kinetics(CONTEXT, [count_course("CU-001", "PR", *told)]))
        return made["bottom"], made["top"]

    assert ends((7, "10"), (14, "1000")) == (10, 1000)
    assert ends((7, "10")) == (10, 100)
    assert ends((7, "99"), (14, "0.05")) == (0.01, 100)
    assert ends((7, "<")) == (0.1, 100)


def test_few_lines_are_named_at_their_ends_in_one_panel() -> None:
    made = kinetics(CONTEXT, THREE)
    named = [(name, day, round(drawn, 6)) for name, day, drawn in rows(made, "names", "participant", "day", "drawn")]
    assert named == [("CU-001", 60, 0.4), ("CU-002", 14, 8.0)]
    assert {row["panel"] for row in made["datasets"]["points"]} == {""}


def test_many_lines_have_a_panel_per_best_response_and_no_names() -> None:
    made = kinetics(CONTEXT, counts_of(90))
    assert made["datasets"]["names"] == []
    assert [panel.split(" ")[0] for panel in made["facet"]["sort"]] == ["CR", "PR", "SD", "PD", "NE"]


def test_who_has_no_count_is_named_and_the_main_numbers_are_said_in_words() -> None:
    made = kinetics(CONTEXT, THREE)
    assert made["title"]["subtitle"][-1] == "Without a count: SI-001."
    assert "a peak between two samples is not seen" in made["title"]["subtitle"][1]
    assert made["description"] == (
        "Plot of CAR-T cells in blood of 2 participants of 3 infused: one line each for CAR+ cells/µL on a log scale, "
        "over 60 days since the infusion. 3 of 5 values are quantified, 2 below the limit. The highest is 120 on day "
        "14 (CU-001). At the last value 1 are below the limit. Best overall response: 1 PR, 1 PD."
    )
    nothing = kinetics(CONTEXT, THREE[2:])
    assert nothing["description"] == "An empty plot of kinetics. Nobody has a count yet."
    below = kinetics(CONTEXT, [count_course("CU-001", "PD", (7, "<1"))])
    assert "0 of 1 values are quantified, 1 below the limit. At the last value" in below["description"]


def test_copies_have_an_axis_and_words_of_their_own() -> None:
    quantity = Quantity(series=Series.TRANSGENE, specimen="bone-marrow", unit="{copies}/ug")
    made = kinetics(CONTEXT, THREE, quantity)
    assert made["spec"]["layer"][1]["encoding"]["y"]["axis"]["title"] == "Copies/µg genomic DNA"
    assert made["title"]["text"] == "CMD03: Transgene copies in bone marrow over time"
    assert made["title"]["subtitle"][0].startswith("Copies/µg genomic DNA by PCR, log scale.")
    assert made["title"]["subtitle"][-1] == "Without a number of copies: SI-001."
    assert made["description"].startswith("Plot of Transgene copies in bone marrow of 2 participants")
    empty = kinetics(CONTEXT, [], quantity)
    assert empty["description"] == "An empty plot of kinetics. Nobody has been infused yet."
