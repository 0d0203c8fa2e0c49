"""Every band of every term, at each limit and just past it, against a slow evaluator that shares no code."""

from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain.lab_grading import bands, grading
from services.safety.domain.lab_grading.facts import Baseline, Facts, Limits, Measured
from services.safety.domain.lab_grading.grading import ExplainedGrade
from tests.services.safety.domain.lab_grading import reference
from tests.services.safety.domain.lab_grading.reference import Patient

SCALES = reference.scales()
STEP = Fraction(1, 10**9)
AGES = {"0.5": {"infant", "paediatric"}, "8": {"child", "paediatric"}, "40": {"adult"}}
YES_OR_NO = (True, False)

# Limits of normal that leave room for every band of the scale, in the printed unit: (LLN, ULN, baseline).
USUAL = ("20", "40", "30")
LIMITS = {
    ("Acidosis", "[pH]"): ("7.35", "7.45", "7.4"),
    ("Alkalosis", "[pH]"): ("7.35", "7.45", "7.4"),
    ("Anemia", "g/dL"): ("12", "16", "13"),
    ("Anemia", "g/L"): ("120", "160", "130"),
    ("Anemia", "mmol/L"): ("7.4", "10", "8"),
    ("CD4 lymphocytes decreased", "/uL"): ("600", "1500", "700"),
    ("CD4 lymphocytes decreased", "10*9/L"): ("0.6", "1.5", "0.7"),
    ("Cholesterol high", "mg/dL"): ("100", "200", "180"),
    ("Cholesterol high", "mmol/L"): ("3", "5.2", "5"),
    ("Chronic kidney disease", "mL/min/{1.73_m2}"): ("90", "120", "100"),
    ("Ejection fraction decreased", "%"): ("55", "75", "60"),
    ("Electrocardiogram QT corrected interval prolonged", "ms"): ("350", "450", "400"),
    ("Fibrinogen decreased", "mg/dL"): ("200", "400", "300"),
    ("Fibrinogen decreased", "g/L"): ("2", "4", "3"),
    ("Hemoglobin increased", "g/dL"): ("12", "16", "13"),
    ("Hypercalcemia", "mg/dL"): ("8.5", "10.5", "9"),
    ("Hypercalcemia", "mmol/L"): ("1.1", "1.3", "1.2"),
    ("Hyperkalemia", "mmol/L"): ("3.5", "5", "4"),
    ("Hypermagnesemia", "mg/dL"): ("1.7", "2.2", "2"),
    ("Hypermagnesemia", "mmol/L"): ("0.7", "0.95", "0.8"),
    ("Hypernatremia", "mmol/L"): ("135", "145", "140"),
    ("Hypoalbuminemia", "g/L"): ("35", "50", "40"),
    ("Hypoalbuminemia", "g/dL"): ("3.5", "5", "4"),
    ("Hypocalcemia", "mg/dL"): ("8.5", "10.5", "9"),
    ("Hypocalcemia", "mmol/L"): ("2.1", "2.6", "2.4"),
    ("Hypoglycemia", "mg/dL"): ("70", "100", "90"),
    ("Hypoglycemia", "mmol/L"): ("3.9", "5.6", "5"),
    ("Hypokalemia", "mmol/L"): ("3.5", "5", "4"),
    ("Hypomagnesemia", "mg/dL"): ("1.7", "2.2", "2"),
    ("Hypomagnesemia", "mmol/L"): ("0.7", "0.95", "0.8"),
    ("Hyponatremia", "mmol/L"): ("135", "145", "140"),
    ("INR increased", "1"): ("0.8", "1.1", "1.4"),
    ("Lymphocyte count decreased", "/uL"): ("1000", "4800", "2000"),
    ("Lymphocyte count decreased", "10*9/L"): ("1", "4.8", "2"),
    ("Neutrophil count decreased", "/uL"): ("1800", "7000", "3000"),
    ("Neutrophil count decreased", "10*9/L"): ("1.8", "7", "3"),
    ("Platelet count decreased", "/uL"): ("150000", "400000", "200000"),
    ("Platelet count decreased", "10*9/L"): ("150", "400", "200"),
    ("Proteinuria", "g/(24.h)"): ("0", "0.15", "0.1"),
    ("White blood cell decreased", "/uL"): ("4000", "10000", "5000"),
    ("White blood cell decreased", "10*9/L"): ("4", "10", "5"),
}
ABNORMAL = {"Fibrinogen decreased": Fraction(9, 10)}  # of the lower limit; of every other term, above the upper one


def a_decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def patients(term: str, unit: str) -> list[tuple[Patient, Facts]]:
    """Patients of whom everything is known: one for each case that the rows tell apart."""
    told_apart = {row["when"] for row in reference.rows() if row["term"] == term}
    lln, uln, usual = (Fraction(text) for text in LIMITS.get((term, unit), USUAL))
    abnormal = lln * ABNORMAL[term] if term in ABNORMAL else uln * 2
    made: dict[tuple[Fraction, frozenset[str]], tuple[Patient, Facts]] = {}
    facts_known = product(YES_OR_NO, YES_OR_NO, YES_OR_NO, AGES)
    for baseline, (symptoms, anticoagulated, long, age) in product((usual, abnormal), facts_known):
        outside = baseline < lln if term in ABNORMAL else baseline > uln
        when = {
            "baseline-abnormal" if outside else "baseline-normal",
            "symptomatic" if symptoms else "asymptomatic",
            "over-24-h" if long else "up-to-24-h",
            "above-baseline",
            "febrile",
            "haemolysis",
            *({"on-anticoagulation"} if anticoagulated else ()),
            *AGES[age],
        }
        facts = Facts(symptoms, anticoagulated, Decimal(age), long, True, True)
        made.setdefault((baseline, frozenset(when & told_apart)), (Patient(lln, uln, baseline, frozenset(when)), facts))
    return list(made.values())


def asked_of_us(term: str, analyte: str, unit: str, value: Fraction, patient: Patient, facts: Facts) -> ExplainedGrade:
    given = grading.asked(term=term, analyte=analyte)
    reported = Measured(a_decimal(value), unit or None)
    limits = Limits(a_decimal(patient.lln), a_decimal(patient.uln))
    return grading.grade(given, reported, limits, Baseline(a_decimal(patient.baseline)), facts)[0]


def has_bands(term: str, analyte: str, unit: str, patient: Patient) -> bool:
    return any(not row["when"] or row["when"] in patient.when for row in reference.own(term, analyte, unit))


def by_number(graded: ExplainedGrade) -> int | None:
    """The grade that the number alone gives: known symptoms of calcium raise it beside the scale."""
    return 1 if graded.arm == "symptoms" else graded.grade


@pytest.mark.parametrize(("term", "analyte", "unit"), SCALES)
def test_at_every_limit_and_just_past_it_the_grade_is_that_of_the_rows(term: str, analyte: str, unit: str) -> None:
    seen = set()
    for patient, facts in patients(term, unit):
        if not has_bands(term, analyte, unit, patient):
            continue
        for edge in reference.edges(term, analyte, unit, patient):
            for value in (edge, edge + STEP, max(edge - STEP, Fraction(0))):
                graded = asked_of_us(term, analyte, unit, value, patient, facts)
                expected = reference.grade(term, analyte, unit, value, patient)
                assert by_number(graded) == expected, (value, patient, graded.explanation)
                assert graded.possible_grades == (() if graded.grade is None else (graded.grade,))
                seen.add(expected)
    assert seen - {None, 0} == {int(r["grade"]) for r in reference.own(term, analyte, unit) if r["grade"]}


@given(scale=st.sampled_from(SCALES), tenths=st.integers(0, 3000), choice=st.integers(0, 999))
def test_at_any_value_the_grade_is_that_of_the_rows(scale: tuple[str, str, str], tenths: int, choice: int) -> None:
    term, analyte, unit = scale
    known = patients(term, unit)
    patient, facts = known[choice % len(known)]
    if has_bands(term, analyte, unit, patient):
        value = patient.uln * tenths / 100
        graded = asked_of_us(term, analyte, unit, value, patient, facts)
        assert by_number(graded) == reference.grade(term, analyte, unit, value, patient)


@given(scale=st.sampled_from(SCALES), percent=st.integers(0, 3000), factor=st.integers(101, 900))
def test_a_baseline_that_is_not_known_is_never_graded_below_an_abnormal_one(
    scale: tuple[str, str, str], percent: int, factor: int
) -> None:
    term, analyte, unit = scale
    if not any(row["when"] == "baseline-abnormal" for row in reference.own(term, analyte, unit)):
        return
    patient, facts = patients(term, unit)[0]
    abnormal = patient.lln * 100 / factor if term in ABNORMAL else patient.uln * factor / 100
    value = patient.uln * percent / 100
    given = grading.asked(term=term, analyte=analyte)
    reported, limits = Measured(a_decimal(value), unit or None), Limits(a_decimal(patient.lln), a_decimal(patient.uln))
    unknown = grading.grade(given, reported, limits, Baseline(), facts)[0].grade
    known = grading.grade(given, reported, limits, Baseline(a_decimal(abnormal)), facts)[0].grade
    assert unknown is not None
    assert known is not None
    assert known <= unknown


def test_there_are_62_terms_with_their_bands() -> None:
    assert len(bands.terms()) == 62
    assert {scale[0] for scale in SCALES} == {term.name for term in bands.terms().values()}
