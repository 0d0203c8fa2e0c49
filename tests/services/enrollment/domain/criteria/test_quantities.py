"""A value in any unit of its quantity: exactly what it is in the criterion's, or why it cannot be said in it."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from services.enrollment.domain.criteria import quantities
from services.enrollment.domain.criteria.reasons import Reason
from shared.measurement import units
from shared.protocol import ValueType
from tests.services.enrollment.builders import PROTOCOL
from tests.services.enrollment.domain.criteria.questions import a_criterion

NUMBERS = [each for each in PROTOCOL.eligibility if each.value_type is ValueType.NUMBER]


@pytest.mark.parametrize("criterion", NUMBERS, ids=lambda each: each.id)
def test_every_number_the_protocol_asks_for_is_in_the_table_and_comes_in_its_unit(criterion: Any) -> None:
    quantity, target = quantities.table()[criterion.quantity], units.by_code(criterion.unit)
    assert target.quantity in {*quantity.kinds, "multiple of a limit"}
    assert all(units.of_quantity(kind) for kind in quantity.kinds)
    assert quantities.in_unit_of(criterion, Decimal(7), criterion.unit, None) == 7


@pytest.mark.parametrize(
    ("criterion", "number", "unit", "uln", "expected"),
    [
        ("AN-03", "2", "mo", None, Fraction("60.875") / 7),
        ("AN-03", "56", "d", None, Fraction(8)),
        ("AN-19", "1500", "/uL", None, Fraction("1.5")),
        ("AN-19", "1.5", "10^9/L", None, Fraction("1.5")),
        ("AN-20", "90", "K/uL", None, Fraction(90)),
        ("AN-04", "62", "U/L", "40", Fraction("1.55")),
        ("AN-04", "1", "ukat/L", "0.7", Fraction(10, 7)),
        ("AN-06", "1.5", "mg/dL", "1.2", Fraction("1.25")),
        ("AN-06", "25", "umol/L", "20", Fraction("1.25")),
        ("AN-12", "0.1", "mg/m2/h", None, Fraction("2.4")),
        ("AN-12", "2500", "ug/m2/d", None, Fraction("2.5")),
        ("CMD03-I1b", "311.9", "mo", None, Fraction(25)),  # completed years
        ("CMD03-I1b", "312", "mo", None, Fraction(26)),
        ("AN-19", "1.5", "/nL", None, Fraction("1.5")),
        ("AN-12", "0.0025", "g/m2/d", None, Fraction("2.5")),
        ("AN-08", "100", "%", None, Fraction(100)),
        ("AN-08", "100.1", "%", None, Reason.IMPOSSIBLE),
        ("AN-02", "101", "{score}", None, Reason.IMPOSSIBLE),
        ("AN-01", "301", "{score}", None, Reason.IMPOSSIBLE),
        ("AN-19", "0", "/uL", None, Fraction(0)),
        ("AN-19", "-1", "/uL", None, Reason.IMPOSSIBLE),
        ("AN-04", "-1", "U/L", "40", Reason.IMPOSSIBLE),
        ("AN-04", "-1", "{xULN}", None, Reason.IMPOSSIBLE),
        ("AN-04", "62", "U/L", None, Reason.LIMIT_MISSING),
        ("AN-04", "62", "mg/dL", "40", Reason.WRONG_UNIT),
        ("AN-04", "62", "furlong", "40", Reason.WRONG_UNIT),
        ("AN-04", "62", None, "40", Reason.WRONG_UNIT),
        ("AN-08", "0.98", "1", None, Reason.WRONG_UNIT),  # a fraction, or a slip: nobody can tell
        ("AN-19", "1.5", "{xULN}", None, Reason.WRONG_UNIT),
        ("AN-19", "1.5", "g/L", None, Reason.WRONG_UNIT),
    ],
)
def test_a_number_in_the_unit_of_its_criterion(
    criterion: str, number: str, unit: str | None, uln: str | None, expected: Fraction | Reason
) -> None:
    limit = None if uln is None else Decimal(uln)
    assert quantities.in_unit_of(PROTOCOL.criterion(criterion), Decimal(number), unit, limit) == expected


@pytest.mark.parametrize(
    ("quantity", "unit", "number", "given", "expected"),
    [
        ("bilirubin_x_uln", "ug/L", "17.1", "umol/L", Fraction(10000)),  # 1 mg/dL
        ("bilirubin_x_uln", "ug/L", "1", "mg/dL", Fraction(10000)),
        ("neutrophils", "ug/L", "1", "10*9/L", Reason.WRONG_UNIT),
        ("anything_else", "ug/L", "1", "mg/dL", Fraction(10000)),  # by the kind of the criterion's unit
        ("anything_else", "ug/L", "1", "umol/L", Reason.WRONG_UNIT),
    ],
)
def test_mass_and_substance_convert_by_the_molar_mass_of_the_quantity(
    quantity: str, unit: str, number: str, given: str, expected: Fraction | Reason
) -> None:
    criterion = a_criterion("AN-19", quantity=quantity, unit=unit, threshold="1")
    assert quantities.in_unit_of(criterion, Decimal(number), given, None) == expected


def test_substance_does_not_convert_where_no_molar_mass_is_known() -> None:
    unknown = quantities.Quantity("x", None, None, ("mass", "substance"), None, completed=False)
    given, target = units.by_code("mmol/L"), units.by_code("g/L")
    assert quantities._factor(given, target, unknown) is None


NAMED = [each for each in quantities.table().values() if each.analyte]


@pytest.mark.parametrize("quantity", NAMED, ids=lambda each: each.analyte)
def test_a_quantity_is_found_by_its_test_code_and_by_loinc(quantity: quantities.Quantity) -> None:
    assert quantities.of_analyte((quantity.analyte or "").lower()) == {quantity.key}
    assert quantities.of_loinc(quantity.loinc or "") == {quantity.key}


def test_what_is_not_known_means_nothing() -> None:
    assert quantities.of_analyte("BUN") == quantities.of_loinc("1-8") == frozenset()
