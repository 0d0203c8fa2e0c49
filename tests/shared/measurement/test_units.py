"""Units: as laboratories write them, and what one is of another."""

from fractions import Fraction

import pytest

from shared.measurement import units


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("µmol/L", "umol/L"),
        ("μmol/l", "umol/L"),
        ("MG/DL", "mg/dL"),
        ("x10^9/L", "10*9/L"),
        ("10E3/uL", "10*9/L"),
        ("10*3/uL", "10*9/L"),
        ("G/L", "10*9/L"),
        ("g/L", "g/L"),
        ("/mm3", "/uL"),
        ("10*9/L{cells}", "10*9/L"),
        ("{xULN}", "{xULN}"),
        ("furlong", None),
        ("{cells}", None),
    ],
)
def test_a_unit_is_read_as_laboratories_write_it(text: str, code: str | None) -> None:
    found = units.read(text)
    assert (None if found is None else found.code) == code


def test_a_unit_of_the_table_is_found_by_its_code() -> None:
    assert all(units.by_code(unit.code) == unit for unit, _ in units._rows())


@pytest.mark.parametrize(
    ("one", "is_so_many", "of"),
    [
        ("wk", 7, "d"),
        ("a", 12, "mo"),  # UCUM: a month is a twelfth of a Julian year
        ("a", Fraction(36525, 100), "d"),
        ("d", 24, "h"),
        ("mg/m2/h", 24, "mg/m2/d"),
        ("mg/m2/d", 1000, "ug/m2/d"),
        ("10*9/L", 1000, "/uL"),
        ("g/dL", 10, "g/L"),
        ("ukat/L", 60, "U/L"),
    ],
)
def test_factors_are_those_of_ucum(one: str, is_so_many: Fraction | int, of: str) -> None:
    first, second = units.by_code(one), units.by_code(of)
    assert first.quantity == second.quantity
    assert first.factor / second.factor == is_so_many


def test_the_units_of_a_quantity_come_in_the_order_of_the_table() -> None:
    assert [unit.code for unit in units.of_quantity("duration")] == ["d", "h", "wk", "mo", "a"]
    assert units.of_quantity("loudness") == ()


def test_no_spelling_means_two_units() -> None:
    meant: dict[str, set[str]] = {}
    for unit, spellings in units._rows():
        for each in spellings:
            meant.setdefault(units._tidy(each), set()).add(unit.code)
    assert {spelling: codes for spelling, codes in meant.items() if len(codes) > 1} == {}
