"""The change of the tumour's sum since baseline: which values count, the best of them, the order of a waterfall."""

from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projector.domain.cohort import Infused
from services.projector.domain.response_rate import AssessmentResponse, ParticipantResponse, ResponseRates
from services.projector.domain.tumour_change import (
    ChangeAt,
    ChangeCourse,
    SumChange,
    change_courses,
    limits,
    waterfall_order,
)
from shared.contracts.efficacy_terms import Response
from shared.protocol import Protocol
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at

# As far as figures read them.
READ: Any = AssessmentResponse.model_construct
WHO: Any = partial(ParticipantResponse.model_construct, new_therapy_day=None)
TABLE: Any = ResponseRates.model_construct
PD, PR, SD, CR = Response.PD, Response.PR, Response.SD, Response.CR


def course(
    *changes: tuple[int, str], progressed: int | None = None, number: str = "CU-001", therapy: int | None = None
) -> ChangeCourse:
    told = tuple(ChangeAt(day, Decimal(p), SD) for day, p in changes)
    return ChangeCourse(number, SD, progressed, -3, told, therapy)


@pytest.mark.parametrize(
    ("changes", "progressed", "best"),
    [
        ([(30, "-20"), (90, "-60"), (180, "-10")], None, (90, "-60")),
        ([(30, "12"), (90, "40")], None, (30, "12")),  # the smallest increase
        ([(30, "-20"), (90, "-20")], None, (30, "-20")),  # the first of equal ones
        ([(30, "30"), (90, "-70")], 30, (30, "30")),  # nothing after the first progression
        ([(30, "-10"), (90, "26")], 90, (30, "-10")),  # the progression's own value counts
        ([(90, "-70")], 30, None),
        ([], None, None),
        ([(30, "0")], None, (30, "0")),  # no change is a change of 0
    ],
)
def test_the_best_change_is_the_lowest_up_to_the_first_progression(
    changes: list[tuple[int, str]], progressed: int | None, best: tuple[int, str] | None
) -> None:
    found = course(*changes, progressed=progressed).best_change
    assert (found and (found.day, str(found.percent))) == best


@pytest.mark.parametrize(
    ("therapy", "progressed", "best"),
    [(100, None, -10), (180, None, -60), (29, None, None), (100, 30, -5), (30, 180, -5)],
)
def test_nothing_after_a_new_anticancer_therapy_is_the_best_change(
    therapy: int, progressed: int | None, best: int | None
) -> None:
    found = course((30, "-5"), (90, "-10"), (180, "-60"), therapy=therapy, progressed=progressed).best_change
    assert (found and found.percent) == best


def test_a_waterfall_falls_from_the_largest_increase_to_the_largest_decrease() -> None:
    courses = [
        course((30, "-50"), number="CU-001"),
        course((30, "80"), number="CU-002"),
        course(number="CU-003"),  # nothing measured
        course((30, "-50"), number="CU-000"),  # as much as CU-001: by subject number
    ]
    assert [each.subject_number for each, _ in waterfall_order(courses)] == ["CU-002", "CU-000", "CU-001"]


@given(
    st.lists(st.tuples(st.integers(1, 700), st.decimals(-100, 500, places=2)), max_size=8), st.permutations(range(8))
)
def test_the_best_change_does_not_depend_on_the_order_of_rows(
    changes: list[tuple[int, Decimal]], order: list[int]
) -> None:
    def best(mixed: list[tuple[int, Decimal]]) -> ChangeAt | None:
        return ChangeCourse("CU-001", SD, None, 0, tuple(ChangeAt(*each, SD) for each in mixed)).best_change

    assert best(changes) == best([changes[place] for place in order if place < len(changes)])


INFUSED = Infused(named("CU-001"), "CU-001", "CU", at(1, 5), at(1, 5))


def rates(*assessments: tuple[str, int, Response], best: Response = PR, confirmed: Response = SD) -> ResponseRates:
    """The response table of one participant, as far as figures read it."""
    told: dict[str, Any] = {"participant_id": named("CU-001"), "subject_number": "CU-001", "progressed_on_day": None}
    read = tuple(READ(assessment_id=named(name), day=day, response=response) for name, day, response in assessments)
    who = WHO(**told, best=best, best_confirmed=confirmed, assessments=read)
    table: ResponseRates = TABLE(participants=(who,))
    return table


def only(changes: dict[UUID, SumChange], protocol: Protocol = PROTOCOL) -> ChangeCourse:
    (found,) = change_courses(protocol, [INFUSED], rates(("a", 30, PR), ("b", 90, SD), ("c", 180, PR)), changes)
    return found


def test_changes_come_with_their_days_and_an_assessment_without_a_sum_has_none() -> None:
    found = only(
        {named("a"): SumChange(Decimal("-55.5"), "2026-01-02"), named("c"): SumChange(Decimal(-60), "2026-01-02")}
    )
    assert found.baseline_day == -3
    assert found.changes == (ChangeAt(30, Decimal("-55.5"), PR), ChangeAt(180, Decimal(-60), PR))
    assert only({}).baseline_day is None
    assert only({}).changes == ()


def test_of_a_partial_date_the_baseline_is_on_its_first_day() -> None:
    assert (
        only({named("a"): SumChange(Decimal(-5), "2025-12")}).baseline_day
        == (date(2025, 12, 1) - date(2026, 1, 5)).days
    )


@pytest.mark.parametrize(("confirmation", "best"), [(False, PR), (True, SD)])
def test_the_best_response_follows_the_protocols_rule_of_confirmation(confirmation: bool, best: Response) -> None:
    setting = PROTOCOL.response.confirmation.model_copy(update={"value": confirmation})
    response = PROTOCOL.response.model_copy(update={"confirmation": setting})
    assert only({}, PROTOCOL.model_copy(update={"response": response})).best == best


@pytest.mark.parametrize(("strict", "progression", "response"), [
    (True, "above +25 % over nadir", "below -50 %"),
    (False, "+25 % or more over nadir", "-50 % or less"),
])  # fmt: skip
def test_the_limits_are_the_protocols_in_words(strict: bool, progression: str, response: str) -> None:
    rule = PROTOCOL.response
    told = {name: getattr(rule, name).model_copy(update={"value": strict}) for name in ("pr_strict", "pd_strict")}
    found = limits(PROTOCOL.model_copy(update={"response": rule.model_copy(update=told)}))
    assert [(each.response, each.percent, each.words) for each in found] == [
        (PD, Decimal(25), progression),
        (PR, Decimal(-50), response),
    ]


def test_days_are_counted_from_day_zero_in_the_trials_zone() -> None:
    late = Infused(named("CU-001"), "CU-001", "CU", datetime.fromisoformat("2026-01-05T23:30:00+00:00"), at(1, 5))
    (found,) = change_courses(PROTOCOL, [late], rates(("a", 30, CR)), {named("a"): SumChange(Decimal(0), "2026-01-05")})
    assert found.baseline_day == -1  # day 0 is 6 January in Bangkok
