"""Points of one participant's course: what was not observed has none, and nothing becomes a number that was none."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projector.domain.clinical_course import (
    ClinicalCourse,
    Clock,
    Point,
    cytokine_points,
    grade,
    level_of,
    support,
    temperature,
)
from services.projector.domain.figures import Value
from shared.contracts.safety_episodes import CrsObservation, HypotensionSupport, OxygenDevice
from tests.services.projector.domain.test_cytokine_levels import DAY_ZERO, drawn

CLOCK = Clock(DAY_ZERO)
LATER = DAY_ZERO + timedelta(days=2, hours=6)


def test_what_was_not_observed_has_no_point() -> None:
    nothing = CrsObservation()
    assert temperature(CLOCK, LATER, nothing) == []
    assert support(CLOCK, LATER, nothing) == []
    assert grade(CLOCK, LATER, "CRS", None, "1") == []
    assert level_of(CLOCK, LATER, "IL6", Value(None, "<")) == []
    assert ClinicalCourse("CU-001", infused=True).points == ()


def test_times_are_days_since_the_infusion() -> None:
    (only,) = temperature(CLOCK, LATER, CrsObservation(temperature_c=Decimal("38.5")))
    assert (only.day, only.value, only.words) == (2.25, Decimal("38.5"), "38.5 °C")


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({"oxygen_device": OxygenDevice.ROOM_AIR}, [("Oxygen", "room-air", False)]),
        (
            {"oxygen_device": OxygenDevice.VENTURI_MASK, "fio2_percent": Decimal(40)},
            [("Oxygen", "venturi-mask FiO2 40 %", True)],
        ),
        ({"hypotension": HypotensionSupport.NONE}, [("Vasopressor", "none", False)]),
        ({"hypotension": HypotensionSupport.FLUIDS}, [("Vasopressor", "fluids", False)]),
        ({"hypotension": HypotensionSupport.VASOPRESSIN_ALONE}, [("Vasopressor", "vasopressin-alone", True)]),
    ],
)
def test_support_is_told_as_it_was_seen(seen: dict[str, object], told: list[tuple[str, str, bool]]) -> None:
    found = support(CLOCK, LATER, CrsObservation.model_validate(seen))
    assert [(each.what, each.words, each.given) for each in found] == told


def test_a_value_beyond_a_limit_stands_at_it_and_says_so() -> None:
    (below,) = level_of(CLOCK, LATER, "IL6", Value(Decimal(2), "<"))
    assert (below.value, below.beyond, below.words) == (Decimal(2), "<", "<2")


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(random: Random) -> None:
    told = [drawn(1, "4"), drawn(1, "4", analyte="TNF"), drawn(3, "<2")]
    assert cytokine_points(CLOCK, told) == cytokine_points(CLOCK, random.sample(told, 3))


@given(st.lists(st.floats(-5, 400), max_size=8), st.integers(1, 400))
def test_a_course_up_to_a_day_has_every_value_up_to_it(days: list[float], day: int) -> None:
    points = tuple(Point(each, "Temperature", "") for each in days)
    whole = ClinicalCourse("CU-001", True, points, points, points, points, points, points)
    told = whole.until(day)
    kept = [each for each in days if each <= day]
    assert [each.day for each in told.cells] == kept
    assert len(told.points) == 6 * len(kept)
    assert len(told.acute) == 3 * len(kept)
