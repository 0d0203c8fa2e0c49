"""Cytokine release syndrome by the worked cases, at each boundary, and where something is not known."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.safety.domain.astct import crs
from services.safety.domain.astct.crs import CrsFindings, Hypotension, Hypoxia
from tests.services.safety.domain.astct import cases

FROM_FIO2 = Decimal(50)
WELL: dict[str, Any] = {
    "fever": True,
    "fever_masked": False,
    "hypotension": "none",
    "hypoxia": "none",
    "fio2": None,
    "death": False,
}


def findings(**changed: Any) -> CrsFindings:
    return CrsFindings.model_validate({**WELL, **changed})


def grades(**changed: Any) -> tuple[int | None, int | None]:
    """ASTCT and CTCAE."""
    found = findings(**changed)
    return crs.astct(found).grade, crs.ctcae(found, FROM_FIO2).grade


def expected(row: dict[str, str]) -> tuple[int, int]:
    return int(row["expected_astct_grade"]), int(row["expected_ctcae_v5_crs_grade"])


def of_case(row: dict[str, str], **more: Any) -> tuple[int | None, int | None]:
    return grades(**{name: value for name, value in cases.crs_item(row).items() if name != "id"}, **more)


def test_there_are_thirty_cases() -> None:
    assert len(cases.CRS) == 30


@pytest.mark.parametrize("row", cases.CRS, ids=lambda row: row["case_id"])
def test_a_worked_case_has_both_its_grades(row: dict[str, str]) -> None:
    assert of_case(row) == expected(row), row["rationale"]


@pytest.mark.parametrize("row", cases.CRS, ids=lambda row: row["case_id"])
def test_a_worked_case_has_them_with_the_judgement_given_too(row: dict[str, str]) -> None:
    assert of_case(row, life_threatening=cases.yes(row, "life_threatening_judgement")) == expected(row)


@pytest.mark.parametrize(
    ("fio2", "hypoxia", "both"),
    [
        ("39.9", "low-flow", (2, 2)),
        ("40", "low-flow", (2, 3)),
        ("0.399", "high-flow", (3, 2)),
        ("0.40", "high-flow", (3, 3)),
        ("100", "high-flow", (3, 3)),
        ("1", "high-flow", (3, 3)),
        ("39.9", "positive-pressure", (4, 2)),
        ("49.9", "positive-pressure", (4, 3)),
        ("50", "positive-pressure", (4, 4)),
    ],
)
def test_oxygen_is_graded_by_device_and_by_fio2(fio2: str, hypoxia: str, both: tuple[int, int]) -> None:
    assert grades(hypoxia=hypoxia, fio2=fio2) == both


@pytest.mark.parametrize("fio2", ["0.19", "1.01", "19.9", "100.1", "0", "-1"])
def test_nobody_breathes_such_an_fio2(fio2: str) -> None:
    with pytest.raises(ValidationError, match="FiO2 is a fraction"):
        findings(fio2=fio2)


@pytest.mark.parametrize(("fio2", "percent"), [("0.2", "20"), ("0.35", "35"), ("1", "100"), ("20", "20"), ("35", "35")])
def test_fio2_reads_alike_as_a_fraction_and_in_percent(fio2: str, percent: str) -> None:
    assert findings(fio2=fio2).fio2 == Decimal(percent)


@pytest.mark.parametrize(
    ("changed", "astct", "ctcae", "named"),
    [
        ({"fever": None}, None, None, "fever"),
        ({"fever": False, "fever_masked": None}, None, None, "fever_masked"),
        ({"fever": None, "fever_masked": None}, None, None, "fever and fever_masked"),
        ({"fever_masked": None}, 1, 1, ""),  # there is fever: nothing needs to mask it
        ({"fever": None, "fever_masked": True}, 1, 1, ""),
        ({"hypotension": None}, None, None, "hypotension"),
        ({"hypoxia": None}, None, None, "hypoxia"),
        ({"hypotension": None, "hypoxia": None}, None, None, "hypotension and hypoxia"),
        ({"hypoxia": None, "hypotension": "multiple-vasopressors"}, 4, 4, ""),  # worse it cannot be
        ({"hypotension": None, "hypoxia": "positive-pressure", "fio2": "60"}, 4, 4, ""),
        ({"hypotension": None, "hypoxia": "positive-pressure", "fio2": "40"}, 4, None, "hypotension"),
        ({"hypoxia": "low-flow"}, 2, None, "fio2"),
        ({"hypoxia": "positive-pressure"}, 4, None, "fio2"),
        ({"hypoxia": "low-flow", "hypotension": "one-vasopressor"}, 3, 3, ""),  # FiO2 gives 3 at most
        ({"hypoxia": "positive-pressure", "hypotension": "one-vasopressor"}, 4, 4, ""),
        ({"death": None}, None, None, "death"),
        ({"death": True, "fever": None, "hypotension": None, "hypoxia": None}, 5, 5, ""),
        ({"fever": False, "hypoxia": None, "hypotension": None}, 0, 0, ""),  # without fever it is none
        ({"fever": False, "death": None}, None, None, "death"),
    ],
)
def test_what_is_missing_gives_no_grade_and_is_named(
    changed: dict[str, Any], astct: int | None, ctcae: int | None, named: str
) -> None:
    found = findings(**changed)
    both = crs.astct(found), crs.ctcae(found, FROM_FIO2)
    assert (both[0].grade, both[1].grade) == (astct, ctcae)
    for graded in both:
        assert (graded.grade is None) == bool(graded.missing)
        if graded.grade is None:
            assert f"missing {named}" in graded.explanation


@pytest.mark.parametrize("missing", sorted(WELL.keys() - {"fio2", "fever_masked"}))
def test_no_input_that_is_missing_reads_as_a_well_child(missing: str) -> None:
    assert grades(**{missing: None}) == (None, None)


@pytest.mark.parametrize(
    ("judged", "hypotension", "hypoxia", "fio2", "ctcae"),
    [
        (True, "none", "none", None, 4),
        (True, "one-vasopressor", "low-flow", None, 4),
        (False, "one-vasopressor", "positive-pressure", "80", 3),
        (False, "multiple-vasopressors", "none", None, 4),  # past what grade 3 describes
        (False, "none", None, None, None),
    ],
)
def test_a_judgement_that_was_given_takes_the_place_of_the_convention(
    judged: bool, hypotension: str, hypoxia: str | None, fio2: str | None, ctcae: int | None
) -> None:
    found = findings(life_threatening=judged, hypotension=hypotension, hypoxia=hypoxia, fio2=fio2)
    assert crs.ctcae(found, FROM_FIO2).grade == ctcae


def test_an_explanation_says_which_finding_counted() -> None:
    found = findings(hypotension="no-vasopressor", hypoxia="high-flow", fio2="0.35")
    assert crs.astct(found).explanation == "ASTCT 3: fever; hypoxia on high flow or a mask."
    assert crs.ctcae(found, FROM_FIO2).explanation == (
        "CTCAE 2: fever; hypotension without a vasopressor; hypoxia at FiO2 35 %."
    )
    masked = findings(fever=False, fever_masked=True)
    assert crs.astct(masked).explanation == "ASTCT 1: fever masked by treatment; no hypotension; no hypoxia."


def test_an_explanation_of_no_grade_says_what_it_could_be() -> None:
    found = crs.astct(findings(hypoxia=None, hypotension="no-vasopressor"))
    assert found.explanation == "ASTCT not graded, between 2 and 4: missing hypoxia."


HYPOTENSIONS, HYPOXIAS = list(Hypotension), list(Hypoxia)
fio2s = st.integers(20, 100)


@given(*[st.sampled_from(HYPOTENSIONS)] * 2, *[st.sampled_from(HYPOXIAS)] * 2, fio2s, fio2s)
def test_more_support_never_lowers_a_grade(
    pressor: Hypotension, more_pressor: Hypotension, device: Hypoxia, more_device: Hypoxia, fio2: int, more_fio2: int
) -> None:
    pressors = sorted([pressor, more_pressor], key=HYPOTENSIONS.index)
    devices = sorted([device, more_device], key=HYPOXIAS.index)
    fio2s = sorted([fio2, more_fio2])
    milder, worse = (grades(hypotension=pressors[at], hypoxia=devices[at], fio2=str(fio2s[at])) for at in (0, 1))
    assert all(one is not None and other is not None and one <= other for one, other in zip(milder, worse, strict=True))


optional = st.none() | st.booleans()
any_findings = st.fixed_dictionaries(
    {
        "fever": optional,
        "fever_masked": optional,
        "hypotension": st.none() | st.sampled_from(HYPOTENSIONS),
        "hypoxia": st.none() | st.sampled_from(HYPOXIAS),
        "fio2": st.none() | fio2s.map(str),
        "life_threatening": optional,
        "death": optional,
    }
)
VALUES: dict[str, list[Any]] = {
    "fever": [True, False],
    "fever_masked": [True, False],
    "hypotension": HYPOTENSIONS,
    "hypoxia": HYPOXIAS,
    "fio2": ["21", "39", "40", "49", "50", "100"],
    "death": [True, False],
}


@given(any_findings, st.data())
def test_a_grade_that_is_given_holds_whatever_the_missing_inputs_turn_out_to_be(
    given_now: dict[str, Any], data: st.DataObject
) -> None:
    now = grades(**given_now)
    learned = {
        name: data.draw(st.sampled_from(VALUES[name]))
        for name, value in given_now.items()
        if value is None and name != "life_threatening"
    }
    later = grades(**{**given_now, **learned})
    assert None not in later
    assert all(first in {None, second} for first, second in zip(now, later, strict=True))
