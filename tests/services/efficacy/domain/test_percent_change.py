"""The limits of percentage criteria: at them, just past them, strict or not; and what is not in the case file."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from services.efficacy.domain.criteria import seed_v1
from services.efficacy.domain.criteria.percent_change import PercentChange
from services.efficacy.domain.criteria.readings import Reading, Target, exact, percent
from shared.contracts.efficacy_terms import LesionState, NonTargetStatus
from tests.services.efficacy.domain.builders import PROTOCOL

SEED_V1 = seed_v1.engine(PROTOCOL.response)
LENIENT = replace(
    SEED_V1, response=replace(SEED_V1.response, strict=False), progression=replace(SEED_V1.progression, strict=False)
)


def a_reading(*targets: Target, non_target: str = "none", new: bool = False) -> Reading:
    return Reading("2026-01-05", targets, NonTargetStatus(non_target), new_lesion=new)


def measured(longest: str, perpendicular: str, *, node: bool = False) -> Target:
    return Target(UUID(int=1), node, LesionState.MEASURED, Decimal(longest), Decimal(perpendicular))


def unseen() -> Target:
    return Target(UUID(int=1), False, LesionState.NOT_ASSESSED)


def judged(criteria: PercentChange, baseline: Target, current: Target, *between: Target) -> str | None:
    return criteria.judge(a_reading(baseline), [a_reading(each) for each in between], a_reading(current)).response


@pytest.mark.parametrize(
    ("current", "strictly", "leniently"),  # of a baseline of 60 + 40 = 100 mm; mm
    [
        (("75.001", "50"), "PD", "PD"),
        (("75", "50"), "SD", "PD"),
        (("74.999", "50"), "SD", "SD"),
        (("30.001", "20"), "SD", "SD"),
        (("30", "20"), "SD", "PR"),
        (("29.999", "20"), "PR", "PR"),
    ],
)
def test_the_limits_are_exact(current: tuple[str, str], strictly: str, leniently: str) -> None:
    assert judged(SEED_V1, measured("60", "40"), measured(*current)) == strictly
    assert judged(LENIENT, measured("60", "40"), measured(*current)) == leniently


def test_a_limit_of_many_places_is_as_exact_as_it_is_written() -> None:
    third = replace(SEED_V1, response=replace(SEED_V1.response, percent=Decimal("33.333333333333333333333333")))
    assert judged(third, measured("60", "30"), measured("30.000001", "29.999999")) == "PR"  # -33.3... without end
    assert judged(third, measured("60", "30"), measured("30.000001", "30")) == "SD"


@pytest.mark.parametrize("criteria", [SEED_V1, LENIENT])
def test_nothing_over_a_nadir_of_nothing_is_still_a_complete_response(criteria: PercentChange) -> None:
    gone = Target(UUID(int=1), False, LesionState.ABSENT)
    assert judged(criteria, measured("60", "40"), gone, gone) == "CR"
    assert judged(criteria, measured("60", "40"), measured("1", "1"), gone) == "PD"


def test_a_sum_without_one_target_is_never_a_nadir() -> None:
    assert judged(SEED_V1, measured("60", "40"), measured("60", "40"), unseen()) == "SD"


def test_an_incomplete_baseline_gives_nothing_to_compare_with() -> None:
    judgement = SEED_V1.judge(a_reading(unseen()), [], a_reading(measured("60", "40")))
    assert (judgement.response, judgement.rule) == ("NE", "baseline-incomplete")
    assert judgement.basis.sum == 100


@pytest.mark.parametrize(("short_axis", "response"), [("9.999", "CR"), ("10", "PR")])
def test_a_node_is_normal_below_ten_millimetres_in_its_short_axis(short_axis: str, response: str) -> None:
    node = measured("30", "20", node=True)
    assert judged(SEED_V1, node, measured("14", short_axis, node=True)) == response


def test_a_node_too_small_to_measure_is_normal() -> None:
    node = Target(UUID(int=1), True, LesionState.TOO_SMALL)
    assert judged(SEED_V1, measured("30", "20", node=True), node) == "CR"


def test_growth_over_the_nadir_is_progression_even_where_every_node_is_normal() -> None:
    small, grown = measured("8", "6", node=True), measured("12", "9", node=True)
    assert judged(SEED_V1, measured("30", "20", node=True), grown, small) == "PD"


def test_normal_nodes_with_other_disease_left_are_a_partial_response() -> None:
    judgement = SEED_V1.judge(
        a_reading(measured("18", "11", node=True)),
        [],
        a_reading(measured("16", "9", node=True), non_target="non-cr-non-pd"),
    )
    assert (judgement.response, judgement.rule) == ("PR", "targets-gone-other-disease-left")


@pytest.mark.parametrize(
    ("non_target", "response", "rule"),
    [
        ("cr", "CR", "all-disease-gone"),
        ("non-cr-non-pd", "NE", "no-target-disease"),
        ("ne", "NE", "no-target-disease"),
        ("none", "NE", "no-disease-at-baseline"),
        ("pd", "PD", "non-target-progression"),
    ],
)
def test_without_target_disease_the_other_disease_decides(non_target: str, response: str, rule: str) -> None:
    judgement = SEED_V1.judge(a_reading(), [], a_reading(non_target=non_target))
    assert (judgement.response, judgement.rule) == (response, rule)
    assert judgement.basis.sum is None


def test_where_new_lesions_are_no_progression_they_still_forbid_a_complete_response() -> None:
    ignoring = replace(SEED_V1, new_lesion_is_progression=False)
    assert ignoring.judge(a_reading(), [], a_reading(non_target="cr", new=True)).response == "NE"


def test_limits_that_are_not_strict_say_so() -> None:
    explanation = LENIENT.judge(a_reading(measured("60", "40")), [], a_reading(measured("60", "40"))).explanation
    assert "Progression is above or at 125 mm" in explanation


@pytest.mark.parametrize(
    ("value", "text"),
    [("100", "100"), ("0.3333335", "0.333334"), ("0.3333325", "0.333332"), ("12.500", "12.5"), ("0", "0")],
)
def test_numbers_are_shown_without_idle_zeros(value: str, text: str) -> None:
    assert str(exact(Decimal(value))) == text


@pytest.mark.parametrize(
    ("value", "reference", "shown"),
    [
        (125, 100, "25.00"),
        (1, 3, "-66.67"),
        (0, 60, "-100.00"),
        (20001, 16000, "25.01"),
        (40002, 32001, "25.00"),
        (99996, 100000, "0.00"),
    ],
)
def test_percentages_are_rounded_for_reading(value: int, reference: int, shown: str) -> None:
    assert str(percent(Decimal(value), Decimal(reference))) == shown


def test_there_is_no_percentage_of_nothing() -> None:
    assert percent(Decimal(14), Decimal(0)) is None
