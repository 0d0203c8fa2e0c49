"""Well-known terms by hand, from the text of CTCAE v5.0: at each limit and just past it, in both unit systems."""

from decimal import Decimal

import pytest

from services.safety.domain.lab_grading.facts import Pick, Policy
from tests.services.safety.domain.lab_grading.asking import high, low


@pytest.mark.parametrize(
    ("value", "uln", "baseline", "grade"),
    [
        ("40", "40", "30", 0),
        ("40.1", "40", "30", 1),
        ("120", "40", "30", 1),
        ("120.1", "40", "30", 2),
        ("200", "40", "40", 2),
        ("200.1", "40", "30", 3),
        ("800", "40", "30", 3),
        ("800.1", "40", "30", 4),
        ("50", "40", "40", 1),  # a baseline at the limit is normal
        ("89.9", "40", "60", 0),  # of an abnormal baseline, from 1.5 times on
        ("90", "40", "60", 1),
        ("180", "40", "60", 1),
        ("180.1", "40", "60", 2),
        ("300", "40", "60", 2),
        ("300.1", "40", "60", 3),
        ("1200", "40", "60", 3),
        ("1200.1", "40", "60", 4),
        ("500", None, "30", None),  # a missing limit never reads as normal
    ],
)
@pytest.mark.parametrize("analyte", ["ALT", "AST"])
def test_transaminases(analyte: str, value: str, uln: str | None, baseline: str, grade: int | None) -> None:
    assert high(analyte, value, "U/L", uln=uln, baseline=baseline).grade == grade


@pytest.mark.parametrize(
    ("value", "baseline", "grade"),
    [
        ("100", "80", 0),
        ("100.1", "80", 1),
        ("250", "80", 1),
        ("250.1", "80", 2),
        ("500", "80", 2),
        ("500.1", "80", 3),
        ("2000", "80", 3),
        ("2000.1", "80", 4),
        ("399.9", "200", 0),  # of an abnormal baseline, from 2.0 times on
        ("400", "200", 1),
        ("500", "200", 1),
        ("500.1", "200", 2),
        ("1000.1", "200", 3),
        ("4000.1", "200", 4),
    ],
)
@pytest.mark.parametrize("analyte", ["ALP", "GGT"])
def test_alkaline_phosphatase_and_ggt(analyte: str, value: str, baseline: str, grade: int) -> None:
    assert high(analyte, value, "U/L", uln="100", baseline=baseline).grade == grade


@pytest.mark.parametrize(
    ("value", "unit", "uln", "baseline", "grade"),
    [
        ("1.2", "mg/dL", "1.2", "0.5", 0),
        ("1.8", "mg/dL", "1.2", "0.5", 1),
        ("1.81", "mg/dL", "1.2", "0.5", 2),
        ("3.6", "mg/dL", "1.2", "0.5", 2),
        ("12", "mg/dL", "1.2", "0.5", 3),
        ("12.1", "mg/dL", "1.2", "0.5", 4),
        ("20", "umol/L", "20", "8", 0),
        ("30.1", "umol/L", "20", "8", 2),
        ("200.1", "umol/L", "20", "8", 4),
        ("2.0", "mg/dL", "1.2", "2.0", 0),  # an abnormal baseline itself
        ("2.01", "mg/dL", "1.2", "2.0", 1),
        ("3.01", "mg/dL", "1.2", "2.0", 2),
        ("20.1", "mg/dL", "1.2", "2.0", 4),
    ],
)
def test_bilirubin(value: str, unit: str, uln: str, baseline: str, grade: int) -> None:
    assert high("BILI", value, unit, uln=uln, baseline=baseline).grade == grade


@pytest.mark.parametrize(
    ("value", "unit", "uln", "baseline", "grade", "arm"),
    [
        ("0.7", "mg/dL", "0.7", None, 0, None),
        ("0.71", "mg/dL", "0.7", None, 1, "ULN"),
        ("1.05", "mg/dL", "0.7", None, 1, "ULN"),
        ("1.06", "mg/dL", "0.7", None, 2, "ULN"),
        ("2.1", "mg/dL", "0.7", None, 2, "ULN"),
        ("4.2", "mg/dL", "0.7", None, 3, "ULN"),
        ("4.21", "mg/dL", "0.7", None, 4, "ULN"),
        ("0.45", "mg/dL", "0.7", "0.3", 0, None),  # exactly 1.5 x 0.3, which binary floats miss
        ("0.46", "mg/dL", "0.7", "0.3", 2, "baseline"),  # within limits, and 1.5 times the baseline
        ("0.9", "mg/dL", "0.7", "0.3", 2, "baseline"),
        ("0.91", "mg/dL", "0.7", "0.3", 3, "baseline"),
        ("4.21", "mg/dL", "0.7", "0.3", 4, "ULN"),
        ("93", "umol/L", "62", "80", 1, "ULN"),
        ("94", "umol/L", "62", "80", 2, "ULN"),
        ("2", "mg/dL", None, "0.3", None, None),
    ],
)
def test_creatinine(
    value: str, unit: str, uln: str | None, baseline: str | None, grade: int | None, arm: str | None
) -> None:
    graded = high("CREAT", value, unit, uln=uln, baseline=baseline)
    assert (graded.grade, graded.arm) == (grade, arm)


def test_the_protocol_may_ask_that_creatinine_exceeds_its_limit_before_its_rise_counts() -> None:
    policy = Policy(baseline_arm_above_uln=True)
    assert high("CREAT", "0.5", "mg/dL", uln="0.7", baseline="0.3", policy=policy).grade == 0
    assert high("CREAT", "0.71", "mg/dL", uln="0.7", baseline="0.3", policy=policy).grade == 2


@pytest.mark.parametrize(
    ("value", "on_anticoagulation", "baseline", "possible"),
    [
        ("1.2", False, "1.0", (0,)),
        ("1.21", False, "1.0", (1,)),
        ("1.5", False, "1.0", (1,)),
        ("1.51", False, "1.0", (2,)),
        ("2.5", False, "1.0", (2,)),
        ("2.51", False, "1.0", (3,)),
        ("1.1", True, "1.0", (1,)),  # above the baseline on anticoagulation
        ("1.1", None, "1.0", (0, 1)),
        ("2.4", True, "0.9", (3,)),
        ("2.4", None, "0.9", (2, 3)),
        ("2.4", True, None, (2,)),
        ("2.6", True, "2.5", (3,)),  # the highest grade of any alternative
    ],
)
def test_inr_is_no_multiple_of_its_upper_limit(
    value: str, on_anticoagulation: bool | None, baseline: str | None, possible: tuple[int, ...]
) -> None:
    graded = high("INR", value, None, uln="1.1", baseline=baseline, on_anticoagulation=on_anticoagulation)
    assert (graded.possible_grades, graded.grade) == (possible, possible[-1])


@pytest.mark.parametrize(
    ("value", "unit", "lln", "baseline", "grade"),
    [
        ("200", "mg/dL", "200", "300", 0),
        ("199", "mg/dL", "200", "300", 1),
        ("150", "mg/dL", "200", "300", 1),
        ("149", "mg/dL", "200", "300", 2),
        ("100", "mg/dL", "200", "300", 2),
        ("99", "mg/dL", "200", "300", 3),
        ("50", "mg/dL", "200", "300", 3),
        ("49", "mg/dL", "200", "300", 4),
        ("0.99", "g/L", "2", "3", 3),
        ("0.49", "g/L", "1", "3", 4),  # the floor, though 0.49 of the lower limit alone would be grade 3
        ("150", "mg/dL", "200", "200", 1),  # a baseline at the limit is normal
        ("160", "mg/dL", "200", "160", 0),  # of an abnormal baseline by the percent it fell
        ("121", "mg/dL", "200", "160", 1),
        ("120", "mg/dL", "200", "160", 2),
        ("81", "mg/dL", "200", "160", 2),
        ("80", "mg/dL", "200", "160", 3),
        ("40", "mg/dL", "200", "160", 4),
        ("180", "mg/dL", "200", None, 1),
        ("180", "mg/dL", None, None, None),
        ("49", "mg/dL", None, None, 4),
    ],
)
def test_fibrinogen(value: str, unit: str, lln: str | None, baseline: str | None, grade: int | None) -> None:
    assert low("FIBRINO", value, unit, lln=lln, baseline=baseline).grade == grade


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "limits", "fall", "rise"),
    [
        ("GLUC", "69", "mg/dL", ("70", "100"), 1, 0),
        ("GLUC", "55", "mg/dL", ("70", "100"), 1, 0),
        ("GLUC", "54", "mg/dL", ("70", "100"), 2, 0),
        ("GLUC", "39", "mg/dL", ("70", "100"), 3, 0),
        ("GLUC", "29", "mg/dL", ("70", "100"), 4, 0),
        ("GLUC", "3.0", "mmol/L", ("3.9", "5.6"), 1, 0),
        ("GLUC", "2.99", "mmol/L", ("3.9", "5.6"), 2, 0),
        ("GLUC", "2.19", "mmol/L", ("3.9", "5.6"), 3, 0),
        ("GLUC", "1.69", "mmol/L", ("3.9", "5.6"), 4, 0),
        ("GLUC", "600", "mg/dL", ("70", "100"), 0, 1),  # v5.0 has no number above grade 1
        ("SODIUM", "134", "mmol/L", ("135", "145"), 1, 0),
        ("SODIUM", "130", "mmol/L", ("135", "145"), 1, 0),
        ("SODIUM", "124", "mmol/L", ("135", "145"), 3, 0),
        ("SODIUM", "119", "mmol/L", ("135", "145"), 4, 0),
        ("SODIUM", "150", "mEq/L", ("135", "145"), 0, 1),
        ("SODIUM", "155.1", "mEq/L", ("135", "145"), 0, 3),
        ("SODIUM", "160.1", "mmol/L", ("135", "145"), 0, 4),
        ("K", "5.5", "mmol/L", ("3.5", "5.0"), 0, 1),
        ("K", "5.6", "mEq/L", ("3.5", "5.0"), 0, 2),
        ("K", "6.1", "mmol/L", ("3.5", "5.0"), 0, 3),
        ("K", "7.1", "mmol/L", ("3.5", "5.0"), 0, 4),
        ("K", "2.9", "mmol/L", ("3.5", "5.0"), 3, 0),
        ("K", "2.4", "mmol/L", ("3.5", "5.0"), 4, 0),
        ("CACR", "7.9", "mg/dL", ("8.5", "10.5"), 2, 0),
        ("CACR", "1.49", "mmol/L", ("2.1", "2.6"), 4, 0),
        ("CACR", "11.6", "mg/dL", ("8.5", "10.5"), 0, 2),
        ("CACR", "3.41", "mmol/L", ("2.1", "2.6"), 0, 4),
        ("CAION", "0.99", "mmol/L", ("1.1", "1.3"), 2, 0),
        ("CAION", "1.61", "mmol/L", ("1.1", "1.3"), 0, 3),
        ("CAION", "2", "meq/L", ("2.2", "2.6"), 1, 0),  # 1.0 mmol/L
        ("MG", "1.1", "mg/dL", ("1.7", "2.2"), 2, 0),
        ("MG", "0.29", "mmol/L", ("0.7", "0.95"), 4, 0),
        ("MG", "3.1", "mg/dL", ("1.7", "2.2"), 0, 3),  # there is no grade 2
        ("HGB", "9.9", "g/dL", ("12", "16"), 2, 0),
        ("HGB", "79", "g/L", ("120", "160"), 3, 0),
        ("HGB", "6.1", "mmol/L", ("7.4", "10"), 2, 0),
        ("HGB", "18.1", "g/dL", ("12", "16"), 0, 2),
        ("HGB", "201", "g/L", ("120", "160"), 0, 3),
        ("LYM", "0.19", "10*9/L", ("1", "4.8"), 4, 0),
        ("LYM", "4001", "/uL", ("1000", "4800"), 0, 2),
        ("LYM", "20.1", "10^3/uL", ("1", "4.8"), 0, 3),
        ("WBC", "2.9", "10*9/L", ("4", "10"), 2, 0),
        ("WBC", "999", "/uL", ("4000", "10000"), 4, 0),
        ("WBC", "100.1", "10*9/L", ("4", "10"), 0, 3),
        ("PH", "7.29", None, ("7.35", "7.45"), 3, 0),
        ("PH", "7.51", None, ("7.35", "7.45"), 0, 3),
    ],
)
def test_a_test_with_two_sides_answers_both(
    analyte: str, value: str, unit: str | None, limits: tuple[str, str], fall: int, rise: int
) -> None:
    given = {"lln": limits[0], "uln": limits[1]}
    assert (low(analyte, value, unit, **given).grade, high(analyte, value, unit, **given).grade) == (fall, rise)


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "lln", "grade"),
    [
        ("NEUT", "1499", "/uL", "1800", 2),
        ("NEUT", "1.5", "10*9/L", "1.8", 1),
        ("NEUT", "0.99", "10*9/L", "1.8", 3),
        ("NEUT", "0.5", "10*9/L", "1.8", 3),
        ("NEUT", "0.499", "10*9/L", "1.8", 4),
        ("NEUT", "0.3", "10*9/L", None, 4),  # an absolute band needs no limit of normal
        ("NEUT", "1.6", "10*9/L", None, None),
        ("PLAT", "150", "10*9/L", "150", 0),
        ("PLAT", "149", "K/uL", "150", 1),
        ("PLAT", "75", "10*9/L", "150", 1),
        ("PLAT", "74.9", "THOU/uL", "150", 2),
        ("PLAT", "49999", "/mm3", "150000", 3),
        ("PLAT", "24.9", "x10^9/L", "150", 4),
        ("CD4ABS", "499", "/uL", "600", 2),
        (
            "CD4ABS",
            "0.05",
            "10*9/L",
            "0.6",
            3,
        ),  # the printed SI band of grade 3 is mistyped: 0.05 to below 0.2 is meant
        ("CD4ABS", "49", "10*6/L", "600", 4),
        ("ALB", "29", "g/L", "35", 2),
        ("ALB", "1.9", "g/dL", "3.5", 3),
    ],
)
def test_counts_and_albumin(analyte: str, value: str, unit: str, lln: str | None, grade: int | None) -> None:
    assert low(analyte, value, unit, lln=lln).grade == grade


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "limits", "side", "possible"),
    [
        ("K", "3.2", "mmol/L", ("3.5", "5"), "low", (1, 2)),
        ("SODIUM", "127", "mmol/L", ("135", "145"), "low", (2, 3)),
        ("LIPASE", "121", "U/L", ("10", "60"), "high", (2, 3)),
        ("LIPASE", "301", "U/L", ("10", "60"), "high", (3, 4)),
        ("AMYLASE", "120", "U/L", ("10", "60"), "high", (2,)),
        ("URATE", "8", "mg/dL", ("2", "7"), "high", (1, 3)),
    ],
)
def test_without_the_symptoms_both_grades_are_possible_and_the_policy_picks(
    analyte: str, value: str, unit: str, limits: tuple[str, str], side: str, possible: tuple[int, ...]
) -> None:
    ask = low if side == "low" else high
    given = {"lln": limits[0], "uln": limits[1]}
    worst = ask(analyte, value, unit, **given)
    assert (worst.possible_grades, worst.grade) == (possible, possible[-1])
    assert ask(analyte, value, unit, **given, policy=Policy(pick=Pick.LEAST)).grade == possible[0]
    assert ask(analyte, value, unit, **given, symptomatic=True).possible_grades == possible[-1:]
    assert ask(analyte, value, unit, **given, symptomatic=False).possible_grades == possible[:1]


def test_an_infants_neutrophils_within_their_own_range_are_grade_0_unless_the_policy_says_otherwise() -> None:
    assert low("NEUT", "1.2", "10*9/L", lln="1.0").grade == 0
    literal = Policy(limits_come_first=False)
    assert low("NEUT", "1.2", "10*9/L", lln="1.0", policy=literal).grade == 2
    assert low("NEUT", "1.0", "10*9/L", lln="1.0").grade == 0
    assert low("NEUT", "0.9", "10*9/L", lln="1.0").grade == 3


def test_triglycerides_begin_at_150_and_not_at_their_upper_limit() -> None:
    assert high("TRIG", "160", "mg/dL", uln="200").grade == 1
    assert high("TRIG", "1.71", "mmol/L").grade == 1
    assert high("TRIG", "11.5", "mmol/L").grade == 4


def test_each_unit_has_its_own_printed_scale() -> None:
    """300 mg/dL of cholesterol are 7.76 mmol/L, and the printed limits are 300 and 7.75: nothing is converted."""
    assert high("CHOL", "300", "mg/dL", uln="200").grade == 1
    assert high("CHOL", "7.76", "mmol/L", uln="5.2").grade == 2


def test_known_symptoms_raise_the_grade_of_a_calcium_beyond_its_limits_only() -> None:
    assert high("CACR", "11", "mg/dL", lln="8.5", uln="10.5", symptomatic=True).grade == 2
    assert high("CACR", "10", "mg/dL", lln="8.5", uln="10.5", symptomatic=True).grade == 0
    assert high("CACR", "14", "mg/dL", lln="8.5", uln="10.5", symptomatic=True).grade == 4
    assert high("CACR", "11", "mg/dL", lln="8.5", uln="10.5").possible_grades == (1,)


@pytest.mark.parametrize(
    ("value", "lln", "uln", "possible_low", "possible_high"),
    [
        ("<40", "70", "100", (3, 4), (0,)),
        ("<=30", "70", "100", (3, 4), (0,)),
        ("<30", "70", "100", (4,), (0,)),
        (">500", "70", "100", (0,), (0, 1)),
        (">=100", "70", "100", (0,), (0, 1)),
        ("<75", "70", "100", (0, 1, 2, 3, 4), (0,)),
    ],
)
def test_a_bound_has_every_grade_that_it_leaves_open(
    value: str, lln: str, uln: str, possible_low: tuple[int, ...], possible_high: tuple[int, ...]
) -> None:
    assert low("GLUC", value, "mg/dL", lln=lln, uln=uln).possible_grades == possible_low
    assert high("GLUC", value, "mg/dL", lln=lln, uln=uln).possible_grades == possible_high


def test_eosinophils_must_exceed_baseline_and_limit_alike() -> None:
    assert high("EOS", "0.6", "10*9/L", uln="0.5", baseline="0.7").grade == 0
    assert high("EOS", "0.8", "10*9/L", uln="0.5", baseline="0.7").grade == 1
    assert high("EOS", "0.6", "10*9/L", uln="0.5").possible_grades == (0, 1)
    assert high("EOS", "0.4", "10*9/L", uln="0.5", baseline="0").grade == 0
    assert high("EOS", "0.8", "10*9/L", baseline="0.7").grade is None


def test_of_a_baseline_of_zero_there_are_no_multiples() -> None:
    assert high("CREAT", "0.5", "mg/dL", uln="0.7", baseline="0").grade == 0
    assert high("ALT", "50", "U/L", uln="40", baseline="0", abnormal=True).grade is None
    assert low("FIBRINO", "150", "mg/dL", lln="200", baseline="0").grade is None


def test_fever_above_40_needs_its_duration() -> None:
    assert high("TEMP", "40.1", "Cel").possible_grades == (3, 4)
    assert high("TEMP", "40.1", "Cel", over_24_h=False).grade == 3
    assert high("TEMP", "39", "Cel").grade == 1
    assert low("TEMP", "35", "Cel").grade == 2


def test_age_chooses_the_bands_and_is_never_guessed() -> None:
    assert high("SYSBP", "150", "mm[Hg]", age_years=None).grade is None
    assert high("SYSBP", "150", "mm[Hg]", age_years=Decimal(18)).grade == 2
    child = high("SYSBP", "150", "mm[Hg]", age_years=Decimal(17))
    assert (child.grade, "no band of SYSBP for this case (child, paediatric)" in child.explanation) == (None, True)
    assert low("UORATE", "0.4", "mL/kg/h", age_years=Decimal(0)).grade == 3
    assert high("UPROT24", "2", "g/(24.h)", uln="0.15", age_years=Decimal(40)).grade == 2
    assert "send UPCR" in high("UPROT24", "2", "g/(24.h)", uln="0.15", age_years=Decimal(8)).explanation
    assert high("UPCR", "0.5", None, age_years=Decimal(8)).grade == 2


def test_what_takes_more_than_a_count_is_never_assumed() -> None:
    assert low(None, "0.4", "10*9/L", term="Febrile neutropenia").grade is None
    assert low(None, "0.4", "10*9/L", term="Febrile neutropenia", febrile=True).grade == 3
    assert low(None, "0.4", "10*9/L", term="Febrile neutropenia", febrile=False).grade == 0
    assert low("HGB", "9", "g/dL", term="10019491", baseline="12", haemolysis=True).grade == 2
    assert "evidence of haemolysis" in low("HGB", "9", "g/dL", term="Hemolysis").explanation


def test_changes_are_measured_from_the_baseline() -> None:
    assert low("LVEF", "52", "%", baseline="65").grade == 2
    assert low("LVEF", "55", "%").grade == 0
    assert high("QTC", "449", "ms", baseline="388").grade == 3
    assert high("QTC", "449", "ms").grade == 0
    assert high("WEIGHT", "22", "kg", baseline="20", term="Weight gain").grade == 2
    assert low("WEIGHT", "18.9", "kg", baseline="20").grade == 1
    assert low("WEIGHT", "18.9", "kg").grade is None
    assert low("DLCO", "14", "mL/min/mm[Hg]", baseline="20").possible_grades == (2, 3)


@pytest.mark.parametrize(
    ("value", "given", "grade"),
    [
        ("1", {}, 0),
        ("1.01", {}, 1),
        ("3.5", {}, 2),
        ("3.5", {"uln": "1"}, 2),
        ("3.5", {"uln": "1.00"}, 2),
        ("3.5", {"uln": "40"}, None),  # 40 U/L is no limit in multiples of itself: read as one, 3.5 would be normal
        ("20.1", {"baseline": "0.8"}, 4),
        ("3.5", {"baseline": "2"}, 1),
    ],
)
def test_a_value_in_multiples_of_its_limit_is_held_against_one(
    value: str, given: dict[str, str], grade: int | None
) -> None:
    found = high("ALT", value, "{xULN}", **given)
    assert found.grade == grade
    if grade is None:
        assert "send 1 or null for it" in found.explanation
    else:
        assert found.limits.uln == 1


def test_a_value_in_multiples_of_another_reference_is_held_against_one() -> None:
    assert (low("BICARB", "1", "{xLLN}").grade, low("BICARB", "0.99", "{xLLN}").grade) == (0, 1)
    assert low("BICARB", "0.99", "{xLLN}", lln="22").grade is None
    assert high("CREAT", "3.1", "{xBaseline}", uln="9").grade == 3
    assert high("CREAT", "3.1", "{xBaseline}", uln="9", baseline="0.3").grade is None
