"""Time on study: its ends, the marks on it, and the order of a swimmer plot."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.projector.domain.cohort import Infused, follow_up_ended_on
from services.projector.domain.response_rate import AssessmentResponse, ParticipantResponse
from services.projector.domain.time_on_study import Followed, Mark, Milestone, SeriousEvent, TimeOnStudy, times_on_study
from shared.contracts.efficacy_terms import Response
from shared.contracts.enrollment_terms import ParticipantStatus as Status
from shared.contracts.safety import GradeSince
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at

# As far as time on study reads them.
READ: Any = AssessmentResponse.model_construct
WHO: Any = ParticipantResponse.model_construct
TODAY = date(2026, 4, 20)
INFUSED_AT = at(1, 5)


def event(*grades: tuple[int, str], term: str = "Sepsis") -> SeriousEvent:
    return SeriousEvent(term, tuple(GradeSince(grade=grade, since=since) for grade, since in grades))


def followed(
    number: str = "CU-001",
    *,
    endings: dict[Status, str | None] | None = None,
    serious: Sequence[SeriousEvent] = (),
    responses: Sequence[tuple[int, Response]] = (),
    infusions: Sequence[datetime] = (INFUSED_AT,),
    day_zero: datetime = INFUSED_AT,
    therapy: int | None = None,
) -> Followed:
    ended = endings or {}
    who = Infused(named(number), number, "CU", day_zero, INFUSED_AT, follow_up_ended_on(ended))
    read = tuple(READ(day=day, response=response) for day, response in responses)
    return Followed(who, WHO(assessments=read, new_therapy_day=therapy), infusions, ended, serious)


def time(who: Followed) -> TimeOnStudy:
    (found,) = times_on_study(PROTOCOL, [who], TODAY)
    return found


def marks(who: Followed, *kinds: Milestone) -> list[tuple[int, Milestone | Response]]:
    return [(mark.day, mark.kind) for mark in time(who).marks if not kinds or mark.kind in kinds]


def test_the_first_new_anticancer_therapy_is_marked() -> None:
    assert marks(followed(therapy=60), Milestone.NEW_THERAPY) == [(60, Milestone.NEW_THERAPY)]
    assert marks(followed(), Milestone.NEW_THERAPY) == []


def test_whoever_is_followed_is_on_study_until_today() -> None:
    found = time(followed(responses=[(30, Response.PR)]))
    assert (found.begins, found.ends, found.ongoing) == (0, 105, True)
    assert found.marks == (
        Mark(0, Milestone.INFUSION, "infusion 1"),
        Mark(30, Response.PR, "response PR"),
        Mark(105, Milestone.ON_STUDY, "still on study"),
    )
    assert (found.counts(Milestone.INFUSION), found.counts(Milestone.DEATH)) == (1, 0)


@pytest.mark.parametrize(
    ("status", "milestone"),
    [
        (Status.DIED, Milestone.DEATH),
        (Status.WITHDRAWN, Milestone.LEFT),
        (Status.LOST_TO_FOLLOW_UP, Milestone.LEFT),
        (Status.COMPLETED, Milestone.COMPLETED),
    ],
)
def test_what_ends_follow_up_ends_the_time_and_is_marked(status: Status, milestone: Milestone) -> None:
    who = followed(endings={status: "2026-02-05"})
    assert (time(who).ends, time(who).ongoing) == (31, False)
    assert marks(who) == [(0, Milestone.INFUSION), (31, milestone)]


def test_treatment_that_ends_does_not_end_the_time() -> None:
    assert time(followed(endings={Status.OFF_TREATMENT: "2026-02-05", Status.DIED: None})).ongoing


def test_a_death_after_follow_up_had_ended_is_marked_too() -> None:
    who = followed(endings={Status.DIED: "2026-03-05", Status.WITHDRAWN: "2026-02-05", Status.COMPLETED: "2026-03-01"})
    assert marks(who)[1:] == [(31, Milestone.LEFT), (59, Milestone.DEATH)]
    assert time(who).ends == 31


def test_of_two_endings_on_one_day_death_counts() -> None:
    who = followed(endings={Status.LOST_TO_FOLLOW_UP: "2026-02-05", Status.DIED: "2026-02-05"})
    assert marks(who)[1:] == [(31, Milestone.DEATH)]


def test_of_a_partial_date_the_first_day_counts_but_never_before_the_infusion() -> None:
    assert time(followed(endings={Status.DIED: "2026"})).ends == 0
    assert time(followed(endings={Status.DIED: "2026-02"})).ends == 27


@pytest.mark.parametrize(
    ("grades", "days"),
    [
        ([(3, "2026-01-08")], [3]),
        ([(3, "2026-01-05")], [0]),
        ([(3, "2026-01-04")], []),  # before the infusion, and never worse
        ([(2, "2025-12-20"), (3, "2026-01-20")], [15]),  # worse after it
        ([(3, "2025-12-20"), (2, "2026-01-20")], []),  # better after it
        ([(4, "2026-01")], [0]),  # may be after the infusion, and is not before it
        ([(4, "2026-02")], [27]),
    ],
)
def test_a_serious_event_is_marked_where_it_emerged(grades: list[tuple[int, str]], days: list[int]) -> None:
    found = marks(followed(serious=[event(*grades)]), Milestone.SERIOUS_ADVERSE_EVENT)
    assert [day for day, _ in found] == days


def test_where_a_second_infusion_moved_day_zero_the_first_is_before_it() -> None:
    second = INFUSED_AT + timedelta(days=40)
    who = followed(infusions=(INFUSED_AT, second), day_zero=second)
    assert (time(who).begins, time(who).ends) == (-40, 65)
    assert marks(who, Milestone.INFUSION) == [(-40, Milestone.INFUSION), (0, Milestone.INFUSION)]


def test_the_longest_on_study_come_first() -> None:
    everybody = [
        followed("CU-003", endings={Status.DIED: "2026-02-05"}),
        followed("CU-002"),
        followed("CU-001", endings={Status.COMPLETED: "2026-02-05"}),
    ]
    found = times_on_study(PROTOCOL, everybody, TODAY)
    assert [each.subject_number for each in found] == ["CU-002", "CU-001", "CU-003"]
