"""What a grade says of itself."""

from decimal import Decimal

import pytest

from services.safety.domain.lab_grading.facts import Policy
from tests.services.safety.domain.lab_grading.asking import high, low


def test_an_explanation_names_term_edition_arm_limits_baseline_unit_and_both_neighbours() -> None:
    graded = high("ALT", "150", "IU/L", uln="40", baseline="30")
    assert graded.rule == "CTCAE v5.0 10001551 grade 2a (ULN): > 3 x ULN and <= 5 x ULN, baseline normal"
    assert graded.explanation == (
        "Alanine aminotransferase increased grade 2 by CTCAE v5.0, ULN arm: 150 U/L is > 3 x ULN and <= 5 x ULN, "
        "baseline normal (> 120 and <= 200 U/L). "
        "Used: LLN none, ULN 40, baseline 30 (taken as normal, by these limits); unit U/L. "
        "Not grade 3, which is > 5 x ULN and <= 20 x ULN, baseline normal (> 200 and <= 800 U/L). "
        "Not only grade 1, which is > ULN and <= 3 x ULN, baseline normal (> 40 and <= 120 U/L)."
    )
    assert (graded.edition, graded.unit) == ("5.0", "U/L")
    assert (graded.limits.uln, graded.baseline.value) == (Decimal(40), Decimal(30))


def test_a_percent_fall_is_said_in_percent_and_in_values() -> None:
    graded = low("FIBRINO", "150", "mg/dL", lln="200", baseline="180")
    assert "a fall from baseline > 0 % and < 25 %, baseline abnormal (> 135 and < 180 mg/dL)" in graded.explanation
    assert "(taken as abnormal, by these limits)" in graded.explanation


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"abnormal": True, "baseline": "30"}, "taken as abnormal, as stated"),
        ({}, "taken as normal, as none is known: no abnormal one would give a higher grade"),
    ],
)
def test_how_the_baseline_was_judged_is_said(given: dict[str, object], says: str) -> None:
    assert says in high("ALT", "150", "U/L", uln="40", **given).explanation


def test_what_could_not_be_judged_is_said() -> None:
    creatinine = high("CREAT", "1.5", "mg/dL", uln="0.7")
    assert "Not looked at for want of a baseline: grade 2: > 1.5 x baseline" in creatinine.explanation
    anemia = low("HGB", "9", "g/dL", lln="12")
    assert "A value alone cannot tell grade 3 if transfusion indicated; 4 if life-thr" in anemia.explanation
    ungraded = high("CREAT", "2", "mg/dL", baseline="0.3")
    assert "no upper limit of normal (ULN) was given" in ungraded.explanation
    assert "it is at least 3 by the baseline arm" in ungraded.explanation
    assert ungraded.rule == "CTCAE v5.0 10011368 not graded"


def test_what_the_possible_grades_depend_on_is_said() -> None:
    assert "Possible are grades 1, 2 (symptomatic not known); the policy takes the worst." in (
        low("K", "3.2", "mmol/L", lln="3.5", uln="5").explanation
    )
    assert "(the value is only a bound)" in low("GLUC", "<40", "mg/dL", lln="70").explanation
    both = low("K", "<3.5", "mmol/L", lln="3.5").explanation
    assert "(symptomatic not known, and the value is only a bound)" in both


def test_a_reference_range_that_comes_before_an_absolute_band_is_said() -> None:
    assert "It lies within its reference range, which comes before the band of grade 2 (>= 1 10*9/L" in (
        low("NEUT", "1.2", "10*9/L", lln="1.0").explanation
    )
    literal = low("NEUT", "1.2", "10*9/L", lln="1.0", policy=Policy(limits_come_first=False))
    assert "reference range" not in literal.explanation


def test_without_a_unit_multiples_of_a_limit_are_graded_and_absolute_limits_are_not() -> None:
    assert high("ALT", "150", None, uln="40").grade == 2
    assert "no unit: the limits are taken to be in that of the value" in high("ALT", "150", None, uln="40").explanation
    potassium = high("K", "6.5", None, uln="5")
    assert (potassium.grade, potassium.possible_grades) == (None, ())
    assert potassium.explanation == (
        "Hyperkalemia cannot be graded by CTCAE v5.0: no unit came with the value: "
        "send one of mmol/L, mol/L, umol/L, nmol/L, meq/L."
    )


@pytest.mark.parametrize("unit", ["furlong", "g/dL", "%"])
def test_a_unit_that_is_unknown_or_of_something_else_gives_no_grade(unit: str) -> None:
    assert high("K", "6.5", unit, uln="5").grade is None
    assert high("ALT", "150", unit, uln="40").grade is None


def test_total_calcium_is_never_graded() -> None:
    for graded in (low("CA", "6", "mg/dL", lln="8.5", uln="10.5"), high("CA", "14", "mg/dL", lln="8.5", uln="10.5")):
        assert (graded.grade, "correct it for albumin and send it as CACR" in graded.explanation) == (None, True)


def test_a_limit_without_an_end_in_the_reported_unit_is_marked() -> None:
    assert "> about 6.4128257 mg/dL" in high("CAION", "6.5", "mg/dL", uln="5").explanation
    assert high("HGB", "11.3", "mmol/L", uln="10").grade == 2  # 2 g/dL are 1.2412 mmol/L
    assert high("HGB", "11.2", "mmol/L", uln="10").grade == 1
