"""The response table: who counts where, and out of whom."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.cohort import Infused
from services.projector.domain.groups import GroupedBy
from services.projector.domain.response_course import Assessed
from services.projector.domain.response_rate import ResponseRates, TimePointResponse, response_rates
from shared.contracts.efficacy_terms import Response
from shared.protocol import Denominator
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at

DAY_ZERO = date(2026, 1, 5)


def child(number: int, *, until: int | None = None, therapy: int | None = None) -> Infused:
    name = f"CU-00{number}"
    ended = None if until is None else DAY_ZERO + timedelta(days=until)
    begun = None if therapy is None else (DAY_ZERO + timedelta(days=therapy)).isoformat()
    return Infused(named(name), name, "CU", at(1, 5), at(1, 5), ended, new_therapy_on=begun)


def read(who: Infused, day: int | str, response: str) -> Assessed:
    on = day if isinstance(day, str) else (DAY_ZERO + timedelta(days=day)).isoformat()
    counts = Response(response)
    return Assessed(named(f"{who.subject_number} {on} {response}"), who.participant_id, on, counts, counts)


def table(people: Sequence[Infused], *assessed: Assessed, today: int = 400) -> ResponseRates:
    on = DAY_ZERO + timedelta(days=today)
    return response_rates(PROTOCOL, people, assessed, evaluator="investigator", today=on)


def points(found: ResponseRates) -> dict[str, TimePointResponse]:
    return {point.visit: point for point in found.time_points}


def n(point: TimePointResponse, denominator: Denominator) -> tuple[int, int]:
    return next((rate.responders, rate.n) for rate in point.rates if rate.denominator is denominator)


def test_the_assessment_nearest_to_the_visit_counts() -> None:
    found = points(table([child(1)], read(child(1), 28, "SD"), read(child(1), 31, "PR")))
    assert found["D30"].counts.pr == 1


def test_an_assessment_outside_every_window_is_unscheduled_and_counts_towards_the_best_response() -> None:
    found = table([child(1)], read(child(1), 45, "PR"))
    assert [point.not_assessed for point in found.time_points] == [1, 1, 1, 1]
    assert found.best_overall.counts.pr == 1
    assert found.participants[0].assessments[0].visit is None


def test_an_assessment_before_the_infusion_does_not_count() -> None:
    found = table([child(1)], read(child(1), -3, "PR"), read(child(1), 0, "PR"))
    assert found.participants[0].assessments == ()
    assert n_evaluable(found) == 0


def n_evaluable(found: ResponseRates) -> int:
    return next(each.n for each in found.best_overall.rates if each.denominator is Denominator.RESPONSE_EVALUABLE)


def test_once_progressed_a_participant_stays_progressed() -> None:
    found = points(table([child(1)], read(child(1), 30, "PD"), read(child(1), 90, "PR")))
    assert [found[visit].counts.pd for visit in ("D30", "D90", "M6", "M12")] == [1, 1, 1, 1]
    assert [found[visit].progressed_before for visit in ("D30", "D90", "M6", "M12")] == [0, 1, 1, 1]


def test_progression_between_two_visits_counts_from_the_next_one_on() -> None:
    found = points(table([child(1)], read(child(1), 30, "SD"), read(child(1), 50, "PD")))
    assert (found["D30"].counts.sd, found["D90"].counts.pd) == (1, 1)


def test_progression_within_the_window_before_the_reading_that_serves_the_visit_counts() -> None:
    found = points(table([child(1)], read(child(1), 28, "PD"), read(child(1), 30, "PR")))
    assert (found["D30"].counts.pd, found["D30"].counts.pr) == (1, 0)


def test_not_yet_due_is_left_out_of_the_denominator_and_not_assessed_is_not() -> None:
    waiting, missed, gone = child(1), child(2), child(3, until=20)
    early = points(table([waiting, missed, gone], read(missed, 27, "PR"), today=33))["D30"]
    assert (early.not_yet_due, early.not_assessed, n(early, Denominator.INFUSED)) == (1, 1, (1, 2))
    late = points(table([waiting, missed, gone], read(missed, 27, "PR"), today=34))["D30"]
    assert (late.not_yet_due, late.not_assessed, n(late, Denominator.INFUSED)) == (0, 2, (1, 3))


def test_who_could_not_be_evaluated_is_in_one_denominator_alone() -> None:
    found = points(table([child(1), child(2)], read(child(1), 30, "NE"), read(child(2), 30, "PR")))["D30"]
    assert n(found, Denominator.INFUSED) == (1, 2)
    assert n(found, Denominator.RESPONSE_EVALUABLE) == (1, 1)


def test_of_a_partial_date_the_first_day_counts() -> None:
    found = table([child(1)], read(child(1), "2026-02", "SD"))  # 1 February is day 27
    assert found.participants[0].assessments[0].day == 27
    assert found.best_overall.counts.ne == 1


def test_a_partial_response_after_a_complete_one_is_told() -> None:
    found = table([child(1)], read(child(1), 30, "CR"), read(child(1), 90, "PR"))
    assert found.participants[0].contradiction == "pr-after-cr"


def stands(found: ResponseRates) -> list[str]:
    """How the one participant stands at each time point."""
    return [
        next(
            name
            for name, n in {**point.counts.model_dump(), **point.model_dump(include=APART)}.items()
            if n and name != "progressed_before"
        )
        for point in found.time_points
    ]


APART = {"not_assessed", "after_new_therapy", "not_yet_due"}


@pytest.mark.parametrize(
    ("therapy", "told", "expected"),
    [
        # Windows: day 27 to 33, 83 to 97, 168 to 196, 351 to 379.
        (100, [(30, "SD"), (90, "PR"), (182, "CR")], ["sd", "pr", "after_new_therapy", "after_new_therapy"]),
        (90, [(30, "SD"), (90, "PR")], ["sd", "pr", "after_new_therapy", "after_new_therapy"]),  # the day itself counts
        (89, [(30, "SD"), (90, "PR")], ["sd", "after_new_therapy", "after_new_therapy", "after_new_therapy"]),
        (88, [(85, "SD"), (90, "PR")], ["not_assessed", "sd", "after_new_therapy", "after_new_therapy"]),
        (40, [(35, "PD"), (90, "PR")], ["not_assessed", "pd", "pd", "pd"]),  # progressed before it
        (40, [(30, "SD"), (60, "PD")], ["sd", "after_new_therapy", "after_new_therapy", "after_new_therapy"]),
        (0, [(30, "SD")], ["after_new_therapy"] * 4),
        (200, [(30, "SD"), (90, "SD"), (182, "SD")], ["sd", "sd", "sd", "after_new_therapy"]),
    ],
)
def test_nothing_after_a_new_anticancer_therapy_counts_at_a_time_point(
    therapy: int, told: list[tuple[int, str]], expected: list[str]
) -> None:
    who = child(1, therapy=therapy)
    found = table([who], *(read(who, day, response) for day, response in told))
    assert stands(found) == expected
    (of_one,) = found.participants
    assert (of_one.new_therapy_on, of_one.new_therapy_day) == (who.new_therapy_on, therapy)
    assert [each.after_new_therapy for each in of_one.assessments] == [day > therapy for day, _ in told]


def test_who_began_a_new_therapy_is_waited_for_no_longer_and_stays_in_the_denominator() -> None:
    who = child(1, therapy=40)
    found = points(table([who, child(2)], read(who, 30, "PR"), today=50))["D90"]
    assert (found.after_new_therapy, found.not_yet_due, n(found, Denominator.INFUSED)) == (1, 1, (0, 1))


def test_a_response_after_a_new_therapy_is_no_best_response() -> None:
    who = child(1, therapy=40)
    found = table([who], read(who, 90, "PR"))
    assert (found.best_overall.counts.missing, n_evaluable(found)) == (1, 0)
    assert table([who], read(who, 30, "SD"), read(who, 90, "PR")).best_overall.counts.sd == 1


def test_assessments_of_others_are_not_counted() -> None:
    assert table([child(1)], read(child(2), 30, "PR")).best_overall.counts.pr == 0


def test_each_group_has_rates_of_its_own() -> None:
    low, high = replace(child(1), dose_level="DL1"), replace(child(2), dose_level="DL2")
    told = [read(low, 30, "PR"), read(high, 30, "SD")]
    found = response_rates(
        PROTOCOL, [low, high], told, evaluator="investigator", today=DAY_ZERO, by=GroupedBy.DOSE_LEVEL
    )
    assert found.groups is not None
    assert [(each.group, each.infused, each.best_overall.counts.pr) for each in found.groups] == [
        ("DL1", 1, 1),
        ("DL2", 1, 0),
    ]
    assert table([low, high], *told).groups is None


def test_without_participants_there_is_no_rate() -> None:
    found = table([])
    assert {rate.percent for point in found.time_points for rate in point.rates} == {None}
    assert {rate.interval for rate in found.best_overall.rates} == {None}


people = [child(1), child(2, until=40), child(3, therapy=60), child(4, until=5)]
courses = st.lists(
    st.builds(read, st.sampled_from(people), st.integers(1, 400), st.sampled_from([each.value for each in Response])),
    max_size=10,
    unique_by=lambda each: (each.participant_id, each.assessed_on),
)


@settings(max_examples=50, deadline=None)
@given(courses, st.integers(0, 420))
def test_everybody_infused_is_counted_exactly_once_at_every_time_point(told: list[Assessed], today: int) -> None:
    found = table(people, *told, today=today)
    for point in found.time_points:
        counted = sum(point.counts.model_dump().values())
        assert counted + point.not_assessed + point.after_new_therapy + point.not_yet_due == len(people)
        assert point.progressed_before <= point.counts.pd
    for best in (found.best_overall, found.other_rule):
        assert sum(best.counts.model_dump().values()) == len(people)
        assert all(rate.responders <= rate.n for rate in best.rates)


@settings(max_examples=50, deadline=None)
@given(courses, st.randoms(use_true_random=False))
def test_the_order_of_assessments_does_not_matter(told: list[Assessed], random: object) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert table(people, *told) == table(people, *shuffled)
