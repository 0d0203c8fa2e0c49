"""The protocol's DLT rules over toxicities: at each limit, and just past it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain.dose_limiting.findings import find
from services.safety.domain.dose_limiting.toxicity import Toxicity, of_episode
from shared.contracts.safety import Attribution, Outcome
from shared.contracts.safety_dose_limiting import DltBasis
from shared.contracts.safety_episodes import EpisodeKind
from tests.services.safety.builders import BANGKOK, PROTOCOL
from tests.services.safety.domain.dose_limiting.builders import (
    INFUSED,
    a_course,
    an_episode,
    an_event,
    date_of,
    day,
    judged,
    the_window,
)
from tests.shared.protocol.documents import protocol_with

LATER = day(60)
CRS, ICANS = EpisodeKind.CRS, EpisodeKind.ICANS
ORGAN_3, ORGAN_4 = "organ-toxicity-grade-3-beyond-72-h", "organ-toxicity-grade-4"
CYTOPENIA, DEATH = "cytopenia-grade-4-beyond-day-28", "treatment-related-death"


def rules_of(toxicity: Toxicity, now: datetime = LATER, **changed: Any) -> list[str]:
    protocol = protocol_with(**changed) if changed else PROTOCOL
    return list(find(toxicity, protocol.dose_limiting, the_window(), now).basis.rules)


@pytest.mark.parametrize(
    ("grades", "ended", "expected"),
    [
        ([(6, 2)], 20, []),
        ([(6, 4)], 20, ["crs-grade-4"]),
        ([(6, 3), (78, 2)], 90, []),  # 72 hours exactly: it fell within them
        ([(6, 3), (78.1, 2)], 90, ["crs-grade-3-beyond-72-h"]),
        ([(6, 3), (40, None), (78.1, 2)], 90, ["crs-grade-3-beyond-72-h"]),  # a look without a grade ends nothing
        ([(6, 3), (30, 4), (79, 1)], 90, ["crs-grade-3-beyond-72-h", "crs-grade-4"]),
        ([(6, 3), (40, 2), (50, 3), (100, 2)], 120, []),  # two spells, neither long enough
        ([(6, 3)], 78, []),
        ([(6, 3)], None, ["crs-grade-3-beyond-72-h"]),  # it goes on
        ([(6, 5)], None, ["crs-grade-3-beyond-72-h", "crs-grade-4"]),
        ([], None, []),
    ],
)
def test_crs_limits_the_dose_at_grade_4_or_by_staying_at_3(
    grades: list[tuple[float, int | None]], ended: float | None, expected: list[str]
) -> None:
    assert rules_of(an_episode(CRS, *grades, ended=ended)) == expected
    as_icans = [rule.replace("crs", "icans") for rule in expected]
    assert rules_of(an_episode(ICANS, *grades, ended=ended)) == as_icans


@pytest.mark.parametrize(
    ("term", "grades", "ended", "expected"),
    [
        ("liver", [(3, 5)], 8, [ORGAN_3]),
        ("liver", [(3, 5)], 7, []),  # from the 5th to the 7th are 72 hours at most
        ("liver", [(3, 5), (2, 8)], 20, [ORGAN_3]),
        ("liver", [(2, 5)], 20, []),
        ("liver", [(4, 5)], 5, [ORGAN_4]),
        ("liver", [(4, 5)], 20, [ORGAN_3, ORGAN_4]),
        ("liver", [(3, 5), (4, 9), (1, 10)], 20, [ORGAN_3, ORGAN_4]),
        ("liver", [(3, 28)], 40, [ORGAN_3]),
        ("liver", [(3, 30)], 40, []),  # after the window
        ("liver", [(3, -5)], 40, []),  # before it
        ("liver", [(2, -5), (3, 3)], 40, [ORGAN_3]),
        ("liver", [(3, "2026-03")], "2026-04", [ORGAN_3]),  # it may have begun within the window
        ("liver", [(3, "2026-02")], "2026-04", []),
        # haematological toxicity has a rule of its own
        ("anaemia", [(4, 5)], 20, []),
        ("neutrophils", [(4, 5)], 28, []),
        ("neutrophils", [(4, 5)], 29, [CYTOPENIA]),
        ("neutrophils", [(4, 5), (3, 28)], 40, []),
        ("neutrophils", [(4, 5)], None, [CYTOPENIA]),
        ("neutrophils", [(3, 5)], None, []),
        # exclusions
        ("lymphocytes", [(4, 5)], None, []),
        ("alt", [(4, 5)], 7, []),
        ("alt", [(4, 5)], 8, [ORGAN_3, ORGAN_4]),
        ("alt", [(4, 5)], None, [ORGAN_3, ORGAN_4]),
        ("fever", [(3, 5)], 20, []),
        ("fever", [(4, 5)], 20, [ORGAN_3, ORGAN_4]),
        ("alopecia", [(2, 5)], None, []),
        ("progression", [(5, 5)], None, []),
    ],
)
def test_adverse_events_limit_the_dose_by_term_grade_and_time(
    term: str, grades: list[tuple[int, int | str]], ended: int | str | None, expected: list[str]
) -> None:
    assert rules_of(an_event(term, *grades, ended=ended)) == expected


@pytest.mark.parametrize(
    ("attribution", "holds"),
    [
        (Attribution.UNRELATED, False),
        (Attribution.UNLIKELY, False),
        (Attribution.POSSIBLE, True),
        (Attribution.DEFINITE, True),
    ],
)
def test_a_related_toxicity_counts(attribution: Attribution, *, holds: bool) -> None:
    assert bool(rules_of(an_event("liver", (4, 5), causality=judged(attribution)))) is holds


def test_an_episode_that_the_child_died_of_did_not_pass() -> None:
    died = an_episode(CRS, (6, 3), (30, 5), ended=30, outcome=Outcome.FATAL)
    assert rules_of(died) == ["crs-grade-3-beyond-72-h", "crs-grade-4"]


def test_no_rule_looks_at_iec_hs() -> None:
    assert of_episode(a_course(EpisodeKind.IEC_HS, (6, 4)), BANGKOK) is None


def test_a_toxicity_that_nobody_has_judged_counts_as_related() -> None:
    assert rules_of(an_event("liver", (4, 5)))
    assert rules_of(an_event("liver", (4, 5), causality=judged(Attribution.UNRELATED, "disease")))


def test_a_death_from_the_treatment_limits_the_dose() -> None:
    died = an_event("liver", (3, 5), (5, 6), ended=6, outcome=Outcome.FATAL)
    assert rules_of(died) == [ORGAN_3, ORGAN_4, DEATH]


def test_an_event_that_ended_on_an_unknown_day_may_have_lasted_too_long() -> None:
    assert rules_of(an_event("liver", (3, 5), outcome=Outcome.RECOVERED)) == [ORGAN_3]
    assert rules_of(an_event("neutrophils", (4, 5), outcome=Outcome.RECOVERED_WITH_SEQUELAE)) == [CYTOPENIA]
    assert rules_of(an_event("alt", (4, 5), outcome=Outcome.RECOVERED)) == [ORGAN_3, ORGAN_4]
    assert rules_of(an_event("liver", (3, 5), (2, 6), outcome=Outcome.RECOVERED)) == []


@pytest.mark.parametrize(("hours", "expected"), [(72, []), (72.1, [ORGAN_3])])
def test_time_alone_makes_a_rule_hold(hours: float, expected: list[str]) -> None:
    toxicity, now = an_event("liver", (3, 5)), day(5) + timedelta(hours=hours)
    assert rules_of(toxicity, now) == expected


@pytest.mark.parametrize(
    ("toxicity", "now", "expected"),
    [
        (an_event("liver", (3, 5)), day(6), day(8)),
        (an_event("liver", (3, 5)), day(9), None),
        (an_event("liver", (3, 5), ended=6), day(6), None),
        (an_event("liver", (2, 5)), day(6), None),
        (an_event("neutrophils", (4, 5)), day(6), day(29)),
        (an_event("neutrophils", (4, 5)), day(30), None),
        (an_episode(CRS, (6, 3)), INFUSED + timedelta(hours=7), INFUSED + timedelta(hours=78)),
    ],
)
def test_it_is_known_when_to_look_again(toxicity: Toxicity, now: datetime, expected: datetime | None) -> None:
    assert find(toxicity, PROTOCOL.dose_limiting, the_window(), now).look_again_at == expected


def test_the_basis_names_rules_worst_grade_and_first_day() -> None:
    toxicity = an_event("liver", (3, 5), (4, 9), ended=20)
    basis = find(toxicity, PROTOCOL.dose_limiting, the_window(), LATER).basis
    assert basis == DltBasis(rules=(ORGAN_3, ORGAN_4), grade=4, since=date_of(5))


def test_rules_and_exclusions_can_be_switched_off() -> None:
    assert rules_of(an_event("liver", (4, 5), ended=5), dose_limiting__rules__5__enabled=False) == []
    assert rules_of(an_event("lymphocytes", (4, 5)), dose_limiting__exclusions__0__enabled=False) == []
    as_liver: dict[str, Any] = {"dose_limiting__rules__5__except_terms": None}
    assert rules_of(an_event("lymphocytes", (4, 5)), **as_liver) == []
    assert rules_of(an_event("lymphocytes", (4, 5)), dose_limiting__exclusions__0__enabled=False, **as_liver) == [
        ORGAN_4
    ]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=6), st.integers(0, 40))
def test_what_was_found_stays_found_as_time_goes_on(steps: list[tuple[int, int]], later: int) -> None:
    """Of an event that goes on, time can add findings and never takes one away."""
    when, grades = 0, list[tuple[int, int | str]]()
    for grade, days in steps:
        when += days
        grades.append((grade, when))
    toxicity = an_event("liver", *grades)
    assert set(rules_of(toxicity, day(when + 1))) <= set(rules_of(toxicity, day(when + 1 + later)))
