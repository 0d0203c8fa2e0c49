"""Best overall response, case by case."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.best_response import (
    ORDER,
    Reading,
    best_overall_response,
    contradicts_itself,
    up_to_progression,
)
from shared.contracts.efficacy import Response
from tests.services.projector.chronicle import PROTOCOL

CRITERIA = PROTOCOL.response  # SD needs 28 days, a confirmation comes 28 days later


def course(*told: tuple[int, str]) -> list[Reading]:
    return [Reading(day, Response(response)) for day, response in told]


@pytest.mark.parametrize(
    ("told", "unconfirmed", "confirmed"),
    [
        ([], "NE", "NE"),
        ([(30, "NE")], "NE", "NE"),
        ([(28, "SD")], "SD", "SD"),
        ([(27, "SD")], "NE", "NE"),  # stable disease must have lasted
        ([(14, "SD"), (30, "PD")], "PD", "PD"),
        ([(14, "SD"), (30, "NE")], "NE", "NE"),
        ([(30, "SD"), (60, "PD")], "SD", "SD"),
        ([(30, "PD"), (60, "CR")], "PD", "PD"),  # nothing after progression counts
        ([(60, "CR"), (30, "PD")], "PD", "PD"),  # whatever the order in which it was told
        ([(30, "PR"), (57, "PR")], "PR", "SD"),  # a day too early to confirm
        ([(30, "PR"), (58, "PR")], "PR", "PR"),
        ([(30, "PR")], "PR", "SD"),
        ([(20, "PR")], "PR", "NE"),  # unconfirmed, and too early even for stable disease
        ([(20, "PR"), (40, "PD")], "PR", "PD"),
        ([(30, "PR"), (90, "CR")], "CR", "PR"),  # a complete response confirms a partial one
        ([(30, "CR"), (90, "CR")], "CR", "CR"),
        ([(30, "CR"), (90, "PR")], "CR", "PR"),  # a contradiction: told apart, see below
        ([(30, "PR"), (60, "NE"), (90, "PR")], "PR", "PR"),  # what could not be read does not stand between
        ([(30, "PR"), (60, "SD"), (90, "PR")], "PR", "SD"),  # what was worse does
        ([(30, "CR"), (40, "CR"), (60, "CR")], "CR", "CR"),
        ([(30, "CR"), (60, "SD"), (90, "CR"), (120, "CR")], "CR", "CR"),
        ([(30, "PR"), (60, "PD")], "PR", "SD"),
    ],
)
def test_the_best_response_with_and_without_confirmation(
    told: list[tuple[int, str]], unconfirmed: str, confirmed: str
) -> None:
    assert best_overall_response(course(*told), CRITERIA, confirmed=False) == unconfirmed
    assert best_overall_response(course(*told), CRITERIA, confirmed=True) == confirmed


@pytest.mark.parametrize(
    ("told", "contradiction"),
    [
        ([(30, "CR"), (60, "PR")], True),
        ([(30, "CR"), (60, "NE"), (90, "PR")], True),
        ([(30, "CR"), (60, "PD"), (90, "PR")], False),
        ([(30, "PR"), (60, "CR")], False),
        ([], False),
    ],
)
def test_a_partial_response_after_a_complete_one_is_a_contradiction(
    told: list[tuple[int, str]],
    contradiction: bool,
) -> None:
    assert contradicts_itself(course(*told)) is contradiction


readings = st.lists(st.builds(Reading, st.integers(1, 400), st.sampled_from(ORDER)), max_size=8)


@settings(max_examples=50, deadline=None)
@given(readings)
def test_confirmation_never_makes_a_response_better(told: list[Reading]) -> None:
    best, confirmed = (best_overall_response(told, CRITERIA, confirmed=each) for each in (False, True))
    assert ORDER.index(best) <= ORDER.index(confirmed)


@settings(max_examples=50, deadline=None)
@given(readings, readings)
def test_nothing_after_progression_changes_the_best_response(before: list[Reading], after: list[Reading]) -> None:
    progressed = [*before, Reading(401, Response.PD)]
    later = [Reading(reading.day + 500, reading.response) for reading in after]
    for confirmed in (False, True):
        best = best_overall_response(progressed, CRITERIA, confirmed=confirmed)
        assert best_overall_response([*progressed, *later], CRITERIA, confirmed=confirmed) == best
    assert Response.PD not in [reading.response for reading in up_to_progression(progressed)[:-1]]
