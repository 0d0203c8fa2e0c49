"""What was measured, and in which unit."""

from fractions import Fraction

import pytest

from services.safety.domain.ctcae import UnknownTerm
from services.safety.domain.lab_grading import analytes, bands, checking, grading
from services.safety.domain.lab_grading.analytes import UnknownAnalyte
from services.safety.domain.lab_grading.grading import TermNotGradedFromThis, TestNotNamed
from shared.measurement import units
from shared.protocol.biomarkers import _mod_10


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ALT", "ALT"),
        ("sgpt", "ALT"),
        ("Alanine  aminotransferase", "ALT"),
        ("LIPASET", "LIPASE"),
        ("ANC", "NEUT"),
        ("hemoglobin", "HGB"),
        ("CD4", "CD4ABS"),
        ("ionized calcium", "CAION"),
    ],
)
def test_an_analyte_is_found_by_short_name_test_code_and_usual_name(name: str, key: str) -> None:
    assert grading.asked(analyte=name).analyte.key == key


def test_an_analyte_is_found_by_its_loinc_code() -> None:
    assert grading.asked(loinc="1742-6").analyte.key == "ALT"
    assert grading.asked(loinc=" 751-8 ", analyte="neut").analyte.key == "NEUT"


def test_every_loinc_code_has_its_check_digit_and_no_name_means_two_things() -> None:
    codes = [analyte.loinc for analyte, _ in analytes._rows() if analyte.loinc]
    assert all(int(code.split("-")[1]) == _mod_10(code.split("-")[0]) for code in codes)
    assert len(set(codes)) == len(codes)
    names = [name for _, own in analytes._rows() for name in {each.casefold() for each in own}]
    assert len(set(names)) == len(names)


def test_a_term_named_alone_is_read_from_what_is_reported_in_its_unit() -> None:
    assert grading.asked(term="Proteinuria", unit="mg/mg").analyte.key == "UPCR"
    assert grading.asked(term="Proteinuria", unit="g/(24.h)").analyte.key == "UPROT24"
    assert grading.asked(term="Hypertension", unit="{percentile}").analyte.key == "BPPCTL"
    assert grading.asked(term="hypercalcemia").analyte.key == "CACR"
    assert grading.asked(term="Hypercalcemia", unit="furlong").analyte.key == "CACR"
    assert grading.asked(term="10020587", analyte="CAION").analyte.key == "CAION"
    assert [term.name for term in grading.asked(term="Hyperkalemia").terms] == ["Hyperkalemia"]


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({}, TestNotNamed, "name what was measured"),
        ({"analyte": "BUN"}, UnknownAnalyte, "send a CDISC test code such as ALT"),
        ({"loinc": "1-8"}, UnknownAnalyte, "send its CDISC test code"),
        ({"analyte": "ALT", "loinc": "1920-8"}, TestNotNamed, "two things, ALT and AST"),
        ({"term": "Potassium sickness"}, UnknownTerm, "not a term of CTCAE 5.0"),
        ({"term": "Nausea"}, TermNotGradedFromThis, "from what is seen and done"),
        ({"term": "Anemia", "analyte": "ALT"}, TermNotGradedFromThis, "send HGB"),
        ({"term": "Hypercalcemia", "unit": "mmol/L"}, TestNotNamed, "CACR or CAION, which have other limits"),
        ({"term": "Hypertension", "unit": "mmHg"}, TestNotNamed, "SYSBP or DIABP, which have other limits"),
    ],
)
def test_what_is_not_known_is_refused_with_what_to_send(
    given: dict[str, str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        grading.asked(**given)


@pytest.mark.parametrize(
    ("analyte", "source", "target", "factor"),
    [
        ("K", "mEq/L", "mmol/L", Fraction(1)),
        ("MG", "meq/L", "mmol/L", Fraction(1, 2)),
        ("GLUC", "mg/dL", "mmol/L", Fraction("0.05551")),
        ("HGB", "g/dL", "mmol/L", Fraction("0.6206")),
        ("PLAT", "/uL", "10*9/L", Fraction(1, 1000)),
        ("ALB", "g/L", "mmol/L", None),
        ("PLAT", "/uL", "g/L", None),
        ("ALT", "ukat/L", "U/L", Fraction(60)),
        ("GLUC", "mmol/L", "meq/L", None),
    ],
)
def test_factors_between_units_are_exact(analyte: str, source: str, target: str, factor: Fraction | None) -> None:
    one, other = units.read(source), units.read(target)
    assert one is not None
    assert other is not None
    assert analytes.by_key(analyte).factor(one, other) == factor


def test_every_analyte_has_units_and_every_term_its_analytes() -> None:
    assert all(analyte.units for analyte, _ in analytes._rows())
    assert all(analytes.by_key(key) for term in bands.terms().values() for key in term.analytes)
    checking.require_sound(bands.terms())
