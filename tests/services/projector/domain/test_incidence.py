"""Incidence of treatment-emergent adverse events: what counts where, and who is at risk."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.cohort import Infused
from services.projector.domain.incidence import (
    Episode,
    Incidences,
    TimePointIncidence,
    adverse_event_incidence,
    incidence_by_dose_level,
    incidents,
)
from shared.contracts.safety import GradeSince
from shared.protocol import load_protocol
from shared.protocol.loading import PACKAGED
from tests.services.projector.chronicle import PROTOCOL, TERMS, named
from tests.services.projector.small_trial import at

DAY_ZERO = date(2026, 1, 5)
TODAY = date(2027, 3, 1)
CHILD = Infused(named("child"), "CU-001", "CU", at(1, 5), at(1, 5))


def on(day: int) -> str:
    return (DAY_ZERO + timedelta(days=day)).isoformat()


def episode(
    *history: tuple[int, int | str],
    who: Infused = CHILD,
    name: str = "Fever",
    serious: bool = False,
    related: bool = False,
) -> Episode:
    """An event by (grade, study day or partial date), the first at its onset."""
    grades = tuple(
        GradeSince(grade=grade, since=since if isinstance(since, str) else on(since)) for grade, since in history
    )
    code, soc = TERMS[name]
    told = {"serious": serious, "related": related}
    return Episode(
        named(repr((history, name, who))), who.participant_id, soc, code, name, grades[0].since, grades, **told
    )


def counted(*history: tuple[int, int | str], who: Infused = CHILD) -> list[tuple[str, int]]:
    """Where an event counts, and with which grade."""
    return [(each.visit, each.grade) for each in incidents(PROTOCOL, who, episode(*history, who=who))]


@pytest.mark.parametrize(
    ("day", "visit"),
    [(0, "D7"), (7, "D7"), (8, "D14"), (14, "D14"), (15, "D21"), (22, "D30"), (31, "D60"), (61, "D90"), (182, "M6")],
)
def test_an_event_counts_in_the_interval_of_its_onset_both_ends_as_the_protocol_says(day: int, visit: str) -> None:
    assert counted((2, day)) == [(visit, 2)]


@pytest.mark.parametrize(
    ("history", "where"),
    [
        ([(2, -1)], []),  # before the infusion
        ([(2, -1), (2, 3)], []),
        ([(2, -1), (1, 3)], []),  # got better
        ([(2, -1), (3, 3)], [("D7", 3)]),  # got worse after it
        ([(3, -5), (1, -2), (2, 3)], []),  # worse than yesterday, not worse than it was
        ([(1, -1), (2, 3), (3, 9), (4, 10)], [("D7", 2), ("D14", 3), ("D14", 4)]),
        ([(3, 2), (1, 9), (2, 16)], [("D7", 3)]),  # it goes on, and is not incident again
        ([(3, 2), (1, 9), (3, 16)], [("D7", 3)]),  # as bad as it was, not worse
        ([(3, 2), (1, 9), (4, 16)], [("D7", 3), ("D21", 4)]),
        ([(2, 365)], [("M12", 2)]),
        ([(2, 366)], []),  # after the last time point
        ([(2, "2026-01")], [("D7", 2)]),  # any day of January: none before the infusion, if it may lie after it
        ([(2, "2026-02")], [("D30", 2)]),  # 1 February is day 27
        ([(2, "2026")], [("D7", 2)]),
        ([(2, "2025-12")], []),  # certainly before
        ([(1, "2025-12"), (2, "2026-01")], [("D7", 2)]),
    ],
)
def test_an_event_counts_where_it_begins_or_becomes_worse_than_ever(
    history: list[tuple[int, int | str]], where: list[tuple[str, int]]
) -> None:
    assert counted(*history) == where


def test_what_emerged_before_a_second_infusion_moved_day_zero_counts_at_its_beginning() -> None:
    again = Infused(named("child"), "CU-001", "CU", at(2, 5), at(1, 5))
    assert counted((2, 3), who=again) == [("D7", 2)]


def table(people: Sequence[Infused], *episodes: Episode, today: date = TODAY) -> dict[str, TimePointIncidence]:
    found = adverse_event_incidence(PROTOCOL, people, episodes, related_to="car-t-product", today=today)
    return {point.visit: point for point in found.time_points}


def child(number: int, *, until: int | None = None, dose_level: str | None = "DL1") -> Infused:
    name = f"CU-00{number}"
    ended = None if until is None else DAY_ZERO + timedelta(days=until)
    return Infused(named(name), name, "CU", at(1, 5), at(1, 5), ended, dose_level)


@pytest.mark.parametrize(
    ("today", "at_risk"),
    [  # D7 from the infusion itself, D14 from day 8 on, ...
        (-1, [0, 0, 0, 0, 0, 0, 0, 0]),
        (0, [1, 0, 0, 0, 0, 0, 0, 0]),
        (7, [1, 0, 0, 0, 0, 0, 0, 0]),
        (8, [1, 1, 0, 0, 0, 0, 0, 0]),
        (90, [1, 1, 1, 1, 1, 1, 0, 0]),
        (91, [1, 1, 1, 1, 1, 1, 1, 0]),
        (183, [1, 1, 1, 1, 1, 1, 1, 1]),
        (900, [1, 1, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_at_risk_is_who_was_followed_for_a_day_of_the_interval(today: int, at_risk: list[int]) -> None:
    points = table([child(1)], today=DAY_ZERO + timedelta(days=today))
    assert [point.interval.at_risk for point in points.values()] == at_risk


def test_who_left_is_at_risk_up_to_the_interval_in_which_they_left() -> None:
    points = table([child(1), child(2, until=8)])
    assert [points[visit].interval.at_risk for visit in ("D7", "D14", "D21")] == [2, 2, 1]
    assert [points[visit].cumulative.at_risk for visit in ("D7", "D14", "D21")] == [2, 2, 2]


def test_who_has_an_event_was_at_risk_whatever_the_dates_of_follow_up_say() -> None:
    gone = child(2, until=3)
    points = table([gone], episode((4, 20), who=gone))
    assert (points["D21"].interval.at_risk, points["D21"].interval.any.n) == (1, 1)


def test_a_participant_counts_once_under_the_worst_grade() -> None:
    points = table(
        [child(1)], *(episode((grade, 3), who=child(1), name=name) for grade, name in ((2, "Fever"), (4, "Sepsis")))
    )
    assert points["D7"].interval.any.n == 1
    assert [count.n for count in points["D7"].interval.any.by_worst_grade] == [0, 0, 0, 1, 0]
    assert [soc.any.n for soc in points["D7"].interval.by_soc] == [1, 1]


def test_events_of_others_are_not_counted() -> None:
    assert table([child(1)], episode((4, 3), who=child(2)))["M12"].cumulative.any.n == 0


def test_each_dose_level_is_a_cohort_of_its_own_from_the_lowest_dose_on() -> None:
    everybody = [
        child(number, dose_level=level)
        for number, level in enumerate((None, "DL2", "DL-1", "A", "DL1", "DL2"), start=1)
    ]
    events = [episode((grade, 3), who=everybody[place]) for place, grade in ((1, 2), (5, 3), (2, 1))]
    levels = incidence_by_dose_level(PROTOCOL, everybody, events, today=TODAY)
    assert [(each.dose_level, each.infused) for each in levels] == [
        ("DL-1", 1),
        ("DL1", 1),
        ("DL2", 2),
        ("A", 1),
        (None, 1),
    ]
    first = {each.dose_level: each.time_points[0].cumulative for each in levels}
    assert {level: (found.at_risk, found.any.n) for level, found in first.items()} == {
        "DL-1": (1, 1),
        "DL1": (1, 0),
        "DL2": (2, 2),
        "A": (1, 0),
        None: (1, 0),
    }
    assert [count.n for count in first["DL2"].any.by_worst_grade] == [0, 1, 1, 0, 0]


def test_a_trial_without_doses_has_one_cohort_of_those_without_a_level() -> None:
    pilot = load_protocol(PACKAGED.with_name("cdisc_pilot.yaml"))
    (only,) = incidence_by_dose_level(pilot, [child(1, dose_level=None)], [], today=TODAY)
    assert (only.dose_level, only.infused) == (None, 1)


people = [child(number, dose_level=("DL1", "DL2", None)[number % 3]) for number in range(1, 6)]
days = st.integers(-10, 400)
grades = st.integers(1, 5)
episodes = st.builds(
    lambda who, name, onset, history, serious, related: episode(
        *((grade, onset + later) for later, grade in sorted(history.items())),
        who=who, name=name, serious=serious, related=related,
    ),
    st.sampled_from(people), st.sampled_from(sorted(TERMS)), days,
    st.dictionaries(st.integers(0, 120), grades, min_size=1, max_size=4), st.booleans(), st.booleans(),
)  # fmt: skip


def every(incidences: Incidences) -> list[tuple[str, int, list[int]]]:
    kinds = {"any": incidences.any, "related": incidences.related, "serious": incidences.serious}
    return [(kind, tally.n, [count.n for count in tally.by_worst_grade]) for kind, tally in kinds.items()]


@settings(max_examples=50, deadline=None)
@given(st.lists(episodes, max_size=8))
def test_whatever_happens_the_counts_hold_together(happened: list[Episode]) -> None:
    points = list(table(people, *happened).values())
    so_far = 0
    for point in points:
        for incidences in (point.interval, point.cumulative):
            for kind, n, by_grade in every(incidences):
                assert sum(by_grade) == n <= incidences.at_risk
                terms = [getattr(term, kind).n for soc in incidences.by_soc for term in soc.terms]
                assert max(terms, default=0) <= n <= sum(terms)
                assert n <= incidences.any.n
        assert point.interval.any.n <= point.cumulative.any.n
        assert so_far <= point.cumulative.any.n
        so_far = point.cumulative.any.n


@settings(max_examples=50, deadline=None)
@given(st.lists(episodes, max_size=8))
def test_the_dose_levels_together_are_the_whole(happened: list[Episode]) -> None:
    levels = incidence_by_dose_level(PROTOCOL, people, happened, today=TODAY)
    for place, point in enumerate(table(people, *happened).values()):
        parts = [each.time_points[place].cumulative for each in levels]
        assert point.cumulative.at_risk == sum(part.at_risk for part in parts)
        for kind, n, by_grade in every(point.cumulative):
            counted = [{name: (count, grades) for name, count, grades in every(part)}[kind] for part in parts]
            assert n == sum(count for count, _ in counted)
            assert by_grade == [sum(each) for each in zip(*(grades for _, grades in counted), strict=True)]


@settings(max_examples=50, deadline=None)
@given(st.lists(episodes, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(happened: list[Episode], random: object) -> None:
    shuffled = list(happened)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert table(people, *happened) == table(people, *shuffled)


@settings(max_examples=50, deadline=None)
@given(st.lists(episodes, min_size=1, max_size=4))
def test_an_event_less_never_makes_a_count_larger(happened: list[Episode]) -> None:
    more, less = table(people, *happened), table(people, *happened[1:])
    assert all(less[visit].cumulative.any.n <= more[visit].cumulative.any.n for visit in more)
