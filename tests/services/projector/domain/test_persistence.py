"""Persistence of CAR-T cells: time points, and one participant's course."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.car_t_series import Quantity, Sample
from services.projector.domain.cohort import Infused
from services.projector.domain.figures import Value
from services.projector.domain.persistence import CarTCourse, Persistence, PersistenceBy, persistence
from shared.contracts.efficacy_terms import Response
from shared.response.readings import MISSING, Best
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at

DAY_ZERO = at(1, 5)
CHILD = Infused(named("CU-001"), "CU-001", "CU", DAY_ZERO, DAY_ZERO)
QUANTITY = Quantity(specimen="blood", unit="/uL")


def sample(day: float, cells: str | None, *, name: str = "", who: Infused = CHILD) -> Sample:
    """Cells/uL; "<2": below the limit; None: a percentage alone."""
    value = None if cells is None else Value(Decimal(cells.strip("<")), "<" if cells.startswith("<") else None)
    detectable = cells is None or not cells.startswith("<")
    told = who.participant_id, DAY_ZERO + timedelta(days=day), value, detectable
    return Sample(named(f"{name} {day} {cells}"), *told)


def table(*samples: Sample) -> Persistence:
    return persistence(PROTOCOL, [CHILD], samples, quantity=QUANTITY)


def course(*told: tuple[float, str | None]) -> CarTCourse:
    return table(*(sample(day, cells) for day, cells in told)).participants[0]


def extremes(found: CarTCourse) -> list[tuple[str, int] | None]:
    return [None if seen is None else (str(seen.value), seen.day) for seen in (found.cmax, found.clast)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(7, "5"), (14, "9"), (21, "3")], [("9", 14), ("3", 21)]),
        ([(7, "9"), (14, "9")], [("9", 7), ("9", 14)]),  # first, if tied
        ([(7, "5"), (10, "12"), (14, "9")], [("12", 10), ("9", 14)]),  # unscheduled, at its actual time
        ([(7, "5"), (14, "<9")], [("5", 7), ("5", 7)]),  # a limit is no value, however high
        ([(7, "<1")], [None, None]),
        ([(7, None)], [None, None]),
        ([(-1, "80"), (7, "5")], [("5", 7), ("5", 7)]),  # before the infusion there is no expansion
        ([], [None, None]),
    ],
)
def test_cmax_and_clast_are_quantified_values_at_their_actual_time(
    told: list[tuple[float, str | None]], expected: list[tuple[str, int] | None]
) -> None:
    assert extremes(course(*told)) == expected


@pytest.mark.parametrize(
    ("told", "lost_on"),
    [
        ([(7, "5"), (14, "<1"), (21, "<1")], 14),
        ([(7, "5"), (14, "<1")], None),  # one visit below the limit may be a slip
        ([(7, "5"), (14, "<1"), (21, "5"), (30, "<1")], None),  # it came back
        ([(7, "5"), (14, "<1"), (21, "5"), (30, "<1"), (60, "<1")], 30),
        ([(7, "5"), (14, "<1"), (17, "<1"), (21, "<1")], 14),  # an unscheduled sample is no visit
        ([(7, "5"), (14, "<1"), (17, "<1")], None),
        ([(7, "5"), (14, "<1"), (21, "<1"), (25, "3")], None),  # seen again, if unscheduled
        ([(7, "5"), (14, "<1"), (21, None), (30, "<1")], 14),  # a sample without a value says nothing
        ([(7, "<1"), (14, "<1"), (21, "<1")], None),  # what was never there cannot be lost
        ([(7, "5")], None),
    ],
)
def test_cells_are_lost_after_two_consecutive_visits_below_the_limit(
    told: list[tuple[float, str | None]], lost_on: int | None
) -> None:
    found = course(*told)
    assert (found.lost, found.lost_on_day) == (lost_on is not None, lost_on)


def test_the_last_detection_may_be_a_sample_without_a_count() -> None:
    found = course((7, "5"), (14, None), (21, "<1"))
    assert (found.last_detectable_day, found.clast and found.clast.day) == (14, 7)
    assert found.last_detectable_at == DAY_ZERO + timedelta(days=14)


def test_of_several_results_of_one_draw_the_one_that_says_most_counts() -> None:
    for results in (("5", "<1"), ("<1", "5"), (None, "5"), ("5", None)):
        found = table(*(sample(7, cells, name="draw") for cells in results))
        assert (found.time_points[0].n, found.time_points[0].median and found.time_points[0].median.text) == (1, "5")


def test_the_sample_nearest_to_the_visit_serves_it() -> None:
    found = table(sample(6, "5"), sample(7.2, "8"))
    assert (found.time_points[0].n, found.time_points[0].median and found.time_points[0].median.text) == (1, "8")
    assert [each.visit for each in found.participants[0].samples] == [None, "D7"]


def test_samples_of_others_are_not_counted() -> None:
    stranger = Infused(named("x"), "CU-009", "CU", DAY_ZERO, DAY_ZERO)
    assert table(sample(7, "5", who=stranger)).time_points[0].n == 0


draws = st.lists(
    st.tuples(st.integers(-5, 400), st.sampled_from([None, "<1", "<5", "0.5", "3", "40"])),
    max_size=10,
    unique_by=lambda draw: draw[0],
)


@settings(max_examples=50, deadline=None)
@given(draws, st.randoms(use_true_random=False))
def test_counts_hold_together_and_the_order_of_samples_does_not_matter(
    told: list[tuple[float, str | None]], random: object
) -> None:
    samples = [sample(day, cells) for day, cells in told]
    found = table(*samples)
    random.shuffle(samples)  # type: ignore[attr-defined]
    assert table(*samples) == found
    for point in found.time_points:
        assert point.n_below_lloq <= point.n_measured <= point.n
        assert point.n_detectable <= point.n
        assert (point.median is None) == (point.n_measured == 0)


@pytest.mark.parametrize(
    ("told", "end"),  # status, the last sample with cells, the first below the limit after it, days, event
    [
        ([(7, "5"), (14, "<1"), (21, "<1")], ("lost", 7, 14, 14, True)),
        ([(7, "5"), (10, "<1"), (14, "<1"), (21, "<1")], ("lost", 7, 10, 14, True)),  # timed at the visit
        ([(7, "5"), (14, "<1"), (21, None), (30, "<1")], ("lost", 7, 14, 14, True)),
        ([(7, "5"), (7.2, "<1"), (14, "<1"), (21, "<1")], ("lost", 7, 7, 14, True)),  # in order of time
        ([(7, "5"), (14, "9")], ("persisting", 14, None, 14, False)),
        ([(7, "5"), (14, "<1"), (21, None)], ("persisting", 21, None, 21, False)),  # seen, if not counted
        ([(7, "5"), (14, "<1")], ("below-limit-not-confirmed", 7, 14, 7, False)),
        ([(7, "<1"), (14, "<1")], ("never-quantified", None, None, None, False)),
        ([(7, None)], ("never-quantified", None, None, None, False)),
        ([], ("never-quantified", None, None, None, False)),
    ],
)
def test_the_end_of_persistence_is_an_interval_or_open(told: list[tuple[float, str | None]], end: tuple) -> None:
    found = course(*told).end
    assert (found.status.value, found.after_day, found.by_day, found.days, found.event) == end


def test_kinetics_are_at_actual_times_and_say_where_the_peak_was_looked_for() -> None:
    (found,) = course((7, "16"), (14.25, "8"), (21, "4"), (30, "1"), (60, "<0.5")).kinetics
    assert (found.infusion, found.infused_at, found.n, found.observed_at.value) == (1, DAY_ZERO, 5, "scheduled-visits")
    assert (str(found.cmax), str(found.tmax_d), str(found.clast)) == ("16", "7.0000", "1")
    assert (found.lambda_z_points, found.missing) == (3, {})
    unscheduled = course((7, "16"), (10, "<1"), (14, None)).kinetics[0]
    assert unscheduled.observed_at.value == "scheduled-visits-and-between"
    assert set(unscheduled.missing) == {
        *("auc_interval", "auc_inf", "lambda_z", "half_life_d", "lambda_z_points", "adjusted_r2")
    }
    assert set(course().kinetics[0].missing) >= {"cmax", "tmax_d", "tlast_d", "auc_last"}


def test_each_infusion_has_its_own_samples() -> None:
    given_on = (DAY_ZERO, DAY_ZERO + timedelta(days=28))
    samples = [sample(day, cells) for day, cells in ((-1, "<1"), (7, "16"), (21, "8"), (35, "40"))]
    found = persistence(PROTOCOL, [CHILD], samples, quantity=QUANTITY, infusions={CHILD.participant_id: given_on})
    told = [(each.infusion, each.n, str(each.cmax), str(each.tmax_d)) for each in found.participants[0].kinetics]
    assert told == [(1, 2, "16", "7.0000"), (2, 1, "40", "7.0000")]


OTHERS = [
    Infused(named(name), name, "CU", DAY_ZERO, DAY_ZERO, dose_level=level)
    for name, level in (("CU-001", "DL1"), ("CU-002", "DL1"), ("CU-003", "DL2"), ("CU-004", None))
]
OF_FOUR = [
    *(sample(day, cells, who=OTHERS[0]) for day, cells in ((7, "10"), (14, "<1"), (21, "<1"))),
    *(sample(day, cells, who=OTHERS[1]) for day, cells in ((7, "20"), (14, "5"))),
    *(sample(day, cells, who=OTHERS[2]) for day, cells in ((7, "40"), (30, "<1"), (60, "<1"))),
]


def test_tables_and_losses_are_told_by_dose_level() -> None:
    found = persistence(PROTOCOL, OTHERS, OF_FOUR, quantity=QUANTITY, by=PersistenceBy.DOSE_LEVEL)
    told = [(each.group, each.infused, each.loss.n, each.loss.events) for each in found.groups or ()]
    assert told == [("DL1", 2, 2, 1), ("DL2", 1, 1, 1), (None, 1, 0, 0)]
    medians = [each.time_points[0].median for each in found.groups or ()]
    assert [median and median.text for median in medians] == ["15", "40", None]
    assert persistence(PROTOCOL, OTHERS, OF_FOUR, quantity=QUANTITY).groups is None


def test_tables_and_losses_are_told_by_best_response() -> None:
    responses: tuple[Best, ...] = (Response.PD, Response.CR, Response.PD, MISSING)
    best = dict(zip((each.participant_id for each in OTHERS), responses, strict=True))
    found = persistence(PROTOCOL, OTHERS, OF_FOUR, quantity=QUANTITY, by=PersistenceBy.BEST_RESPONSE, best=best)
    told = [(each.group, each.infused, each.loss.n, each.loss.events) for each in found.groups or ()]
    assert told == [("CR", 1, 1, 0), ("PD", 2, 2, 2), ("MISSING", 1, 0, 0)]


def test_the_time_to_loss_is_estimated_with_who_was_censored() -> None:
    """Lost on days 14 and 30, one with cells until 14: survival 2/3 after 14, and 0 after 30."""
    loss = persistence(PROTOCOL, OTHERS, OF_FOUR, quantity=QUANTITY).loss
    assert (loss.n, loss.events, loss.censored, int(loss.median.days or 0)) == (3, 2, 1, 30)
    steps = [(step.day, step.at_risk, step.events, step.censored, str(step.survival)) for step in loss.curve]
    assert steps == [(14, 3, 1, 1, "0.666667"), (30, 1, 1, 0, "0.000000")]
    at_day_21 = next(each for each in loss.time_points if each.day == 21)
    assert (at_day_21.at_risk, at_day_21.estimate and str(at_day_21.estimate.survival)) == (1, "0.666667")
    assert table().loss.n == 0
