"""ICANS by the worked cases, at each boundary, and where something is not known."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain.astct import icans
from services.safety.domain.astct.icans import IcansFindings, Instrument
from shared.contracts.safety_episodes import Consciousness, Oedema, Seizure
from tests.services.safety.domain.astct import cases

FROM_AGE = Decimal(12)
WELL: dict[str, Any] = {
    "age_years": 15,
    "developmental_delay": False,
    "ice": 10,
    "capd": None,
    "consciousness": "awake",
    "seizure": "none",
    "motor_weakness": False,
    "oedema": "none",
    "death": False,
}
CHILD = {"age_years": 5, "ice": None, "capd": 0}


def findings(**changed: Any) -> IcansFindings:
    return IcansFindings.model_validate({**WELL, **changed})


def grade(**changed: Any) -> int | None:
    found = findings(**changed)
    both = icans.astct(found, FROM_AGE), icans.ctcae(found, FROM_AGE)
    assert both[0].grade == both[1].grade
    assert all((graded.grade is None) == bool(graded.missing) for graded in both)
    return both[0].grade


def test_there_are_twenty_three_cases() -> None:
    assert len(cases.ICANS) == 23


@pytest.mark.parametrize("row", cases.ICANS, ids=lambda row: row["case_id"])
def test_a_worked_case_has_its_grade(row: dict[str, str]) -> None:
    inputs = {name: value for name, value in cases.icans_item(row).items() if name != "id"}
    assert grade(**inputs) == int(row["expected_icans_grade"]), row["rationale"]


@pytest.mark.parametrize(("score", "expected"), [(10, 0), (9, 1), (7, 1), (6, 2), (3, 2), (2, 3), (1, 3), (0, 3)])
def test_ice_at_each_boundary(score: int, expected: int) -> None:
    assert grade(ice=score) == expected


@pytest.mark.parametrize(("score", "expected"), [(0, 0), (1, 1), (8, 1), (9, 3), (32, 3)])
def test_capd_at_each_boundary(score: int, expected: int) -> None:
    assert grade(**{**CHILD, "capd": score}) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"consciousness": "vigorous"}, 4),
        ({"consciousness": "unarousable"}, 4),
        ({"consciousness": "touch"}, 3),
        ({"seizure": "eeg-only"}, 3),
        ({"seizure": "repetitive"}, 4),
    ],
)
def test_domains_that_the_cases_leave_out(changed: dict[str, Any], expected: int) -> None:
    assert grade(**changed) == expected


@pytest.mark.parametrize(
    ("age", "delay", "from_age", "expected"),
    [
        ("11.9", False, "12", Instrument.CAPD),
        ("12", False, "12", Instrument.ICE),
        ("12", False, "13", Instrument.CAPD),
        ("15", True, "12", Instrument.CAPD),
        ("11", None, "12", Instrument.CAPD),
        (None, True, "12", Instrument.CAPD),
        ("12", None, "12", None),
        (None, False, "12", None),
        (None, None, "12", None),
    ],
)
def test_the_protocol_says_from_which_age_ice_takes_the_place_of_capd(
    age: str | None, delay: bool | None, from_age: str, expected: Instrument | None
) -> None:
    assert icans.instrument(None if age is None else Decimal(age), delay, Decimal(from_age)) is expected


def test_the_score_of_the_other_instrument_does_not_count() -> None:
    assert grade(ice=10, capd=20) == 0
    assert grade(**{**CHILD, "ice": 0}) == 0


@pytest.mark.parametrize(
    ("changed", "expected", "named"),
    [
        ({"ice": None}, None, "ice"),
        ({**CHILD, "capd": None, "ice": 9}, None, "capd"),
        ({"consciousness": None}, None, "consciousness"),
        ({"seizure": None}, None, "seizure"),
        ({"motor_weakness": None}, None, "motor_weakness"),
        ({"oedema": None}, None, "oedema"),
        ({"death": None}, None, "death"),
        ({"seizure": None, "oedema": None}, None, "seizure and oedema"),
        ({"age_years": None, "ice": None}, None, "age_years and ice or capd"),
        ({"age_years": None, "ice": 5}, None, "age_years"),
        ({"developmental_delay": None, "ice": 5}, None, "developmental_delay"),
        ({"age_years": None, "ice": 2, "capd": 9}, 3, ""),  # either instrument says so
        ({"ice": None, "consciousness": "unarousable"}, 4, ""),  # not testable, because not rousable
        ({"ice": None, "seizure": "brief"}, 3, ""),  # a score alone gives 3 at most
        ({"ice": None, "motor_weakness": True}, 4, ""),
        ({"death": True, "consciousness": None, "ice": None}, 5, ""),
    ],
)
def test_what_is_missing_gives_no_grade_and_is_named(changed: dict[str, Any], expected: int | None, named: str) -> None:
    assert grade(**changed) == expected
    if expected is None:
        assert f"missing {named}." in icans.astct(findings(**changed), FROM_AGE).explanation


@pytest.mark.parametrize("missing", sorted(WELL.keys() - {"capd"}))
def test_no_input_that_is_missing_reads_as_a_well_child(missing: str) -> None:
    assert grade(**{missing: None}) is None


def test_an_explanation_says_which_domain_counted_and_how_ctcae_records_it() -> None:
    found = findings(ice=9, consciousness="voice")
    assert icans.astct(found, FROM_AGE).explanation == "ASTCT 2: awakens to voice."
    assert icans.ctcae(found, FROM_AGE).explanation == (
        "CTCAE (Other, specify) 2: ASTCT grade of ICANS as the generic severity scale of CTCAE."
    )


SEVERITY: dict[str, list[Any]] = {
    "ice": list(range(10, -1, -1)),
    "consciousness": list(Consciousness),
    "seizure": list(Seizure),
    "motor_weakness": [False, True],
    "oedema": list(Oedema),
    "death": [False, True],
}
findings_of_all = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in SEVERITY.items()})


@given(findings_of_all, findings_of_all)
def test_nothing_that_is_worse_lowers_the_grade(one: dict[str, Any], other: dict[str, Any]) -> None:
    ordered = {name: sorted([one[name], other[name]], key=order.index) for name, order in SEVERITY.items()}
    milder, worse = (grade(**{name: pair[at] for name, pair in ordered.items()}) for at in (0, 1))
    assert milder is not None
    assert worse is not None
    assert milder <= worse


@given(
    st.fixed_dictionaries({name: st.none() | st.sampled_from(values) for name, values in SEVERITY.items()}),
    st.none() | st.integers(0, 32),
    st.none() | st.sampled_from([5, 11, 12, 17]),
    st.none() | st.booleans(),
    st.data(),
)
def test_a_grade_that_is_given_holds_whatever_the_missing_inputs_turn_out_to_be(
    told: dict[str, Any], capd: int | None, age: int | None, delay: bool | None, data: st.DataObject
) -> None:
    told = {**told, "capd": capd, "age_years": age, "developmental_delay": delay}
    choices = {**SEVERITY, "capd": [0, 4, 9], "age_years": [5, 12], "developmental_delay": [True, False]}
    learned = {name: data.draw(st.sampled_from(choices[name])) for name, value in told.items() if value is None}
    assert grade(**told) in {None, grade(**{**told, **learned})}
