"""Unit conversion: every row of the table, exactness, and refusals."""

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain import units
from services.biomarkers.domain.units import (
    UnitNotConvertible,
    to_cells_per_ul,
    to_copies_per_ml,
    to_copies_per_ug,
    to_ng,
    to_pg_per_ml,
)
from tests.services.biomarkers.reports import PROTOCOL

ROWS = list(csv.DictReader(Path(units.__file__).with_name("units.csv").read_text(encoding="utf-8").splitlines()))
GRAMS = {"fg": -15, "pg": -12, "ng": -9, "ug": -6, "mg": -3}
LITRES = {"L": 0, "dL": -1, "mL": -3, "uL": -6}


@pytest.mark.parametrize(
    ("value", "unit", "pg_per_ml"),
    [
        ("38.4", "pg/mL", "38.4"),
        ("38.4", "ng/L", "38.4"),
        ("0.0384", "ng/mL", "38.4"),
        ("0.0384", "ug/L", "38.4"),
        ("38400", "fg/mL", "38.4"),
        ("0.00000384", "mg/L", "3.84"),
        ("38.4", "pg{IL6}/mL", "38.4"),  # UCUM: an annotation in braces is no part of the unit
    ],
)
def test_a_concentration_is_converted_to_pg_per_ml(value: str, unit: str, pg_per_ml: str) -> None:
    assert to_pg_per_ml(Decimal(value), unit, "IL6") == Decimal(pg_per_ml)


@pytest.mark.parametrize(
    ("value", "unit", "per_ul"),
    [("1.2", "10*9/L", "1200"), ("1.2", "10*3/uL", "1200"), ("1200", "/uL", "1200"), ("1200", "10*6/L", "1200"),
     ("1.2", "10^9/L", "1200"), ("1200", "{cells}/uL", "1200"), ("1200000", "/mL", "1200")],
)  # fmt: skip
def test_a_cell_count_is_converted_to_cells_per_ul(value: str, unit: str, per_ul: str) -> None:
    assert to_cells_per_ul(Decimal(value), unit) == Decimal(per_ul)


@pytest.mark.parametrize(
    ("convert", "value", "unit", "converted"),
    [
        (to_copies_per_ug, "15200", "{copies}/ug", "15200"),
        (to_copies_per_ug, "15200", "copies/ug", "15200"),
        (to_copies_per_ug, "15.2", "{copies}/ng", "15200"),
        (to_copies_per_ug, "15200000", "/mg", "15200"),
        (to_copies_per_ml, "300", "{copies}/mL", "300"),
        (to_copies_per_ml, "0.3", "copies/uL", "300"),
        (to_ng, "200", "ng", "200"),
        (to_ng, "0.2", "ug", "200"),
        (to_ng, "200000", "pg", "200"),
    ],
)
def test_copies_and_dna_are_converted(convert: Any, value: str, unit: str, converted: str) -> None:
    assert convert(Decimal(value), unit) == Decimal(converted)


@pytest.mark.parametrize(
    ("convert", "unit"),
    [(to_copies_per_ug, "{copies}/{cell}"), (to_copies_per_ug, "/mL"), (to_copies_per_ml, "/ug"), (to_ng, "mL")],
)
def test_copies_per_cell_or_of_another_quantity_are_refused(convert: Any, unit: str) -> None:
    with pytest.raises(UnitNotConvertible, match="send one of"):
        convert(Decimal(1), unit)


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [("0.0384", "ng/mL", "38.4"), ("0.03840", "ng/mL", "38.40"), ("5", "ng/mL", "5000"), ("1E+9", "mg/L", f"1{0:015}"),
     ("38.40", "pg/mL", "38.40"), ("40.00", "pg/mL", "40.00"), ("1", "fg/mL", "0.001")],
)  # fmt: skip
def test_a_converted_value_keeps_its_significant_digits(value: str, unit: str, written: str) -> None:
    assert str(to_pg_per_ml(Decimal(value), unit, "IL6")) == written


@pytest.mark.parametrize(
    "unit", ["IU/mL", "[iU]/mL", "[IU]/mL", "pg/ml", "PG/ML", "pg", "10*9/L", "%", "{}", "pg/mL; drop table"]
)
def test_a_unit_without_a_factor_to_mass_is_refused(unit: str) -> None:
    with pytest.raises(UnitNotConvertible, match=r"send one of .*pg/mL"):
        to_pg_per_ml(Decimal(1), unit, "IL6")


def test_a_mass_is_no_cell_count() -> None:
    with pytest.raises(UnitNotConvertible, match="10\\*9/L"):
        to_cells_per_ul(Decimal(1), "pg/mL")


@pytest.mark.parametrize("row", [row for row in ROWS if "g/" in row["unit"]], ids=lambda row: row["unit"])
def test_every_factor_of_a_mass_follows_from_its_prefixes(row: dict[str, str]) -> None:
    mass, volume = row["unit"].split("/")
    power = (GRAMS[mass] - LITRES[volume]) - (GRAMS["pg"] - LITRES["mL"])
    assert Decimal(row["factor"]) == Decimal(1).scaleb(power)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["unit"])
def test_every_unit_has_its_source(row: dict[str, str]) -> None:
    assert row["source"]


def test_the_table_agrees_with_the_protocol() -> None:
    for unit, factor in PROTOCOL.cytokines.unit_factors.value.items():
        assert to_pg_per_ml(Decimal(1), unit, "IL6") == factor


@given(
    st.decimals("0", "1e9", places=9),
    st.sampled_from([row["unit"] for row in ROWS if row["quantity"] == "mass concentration" and row["factor"]]),
)
def test_conversion_never_rounds(value: Decimal, unit: str) -> None:
    factor = next(Fraction(row["factor"]) for row in ROWS if row["unit"] == unit)
    assert Fraction(to_pg_per_ml(value, unit, "IL6")) == Fraction(value) * factor
