"""The machine check of the bands finds what shipped elsewhere: gaps, overlaps, units and grades that are not."""

from typing import Any

import pytest

from services.safety.domain.lab_grading import bands, checking
from services.safety.domain.lab_grading.checking import BandsContradict
from tests.services.safety.domain.lab_grading import reference


def changed(term: str, of_grade: str, alternative: str = "a", printed: str | None = None, **fields: str) -> list[str]:
    """The faults of a term after one of its rows was changed; without fields the row is dropped."""
    rows: list[dict[str, Any]] = []
    for row in reference.rows():
        if row["term"] != term:
            continue
        named = (row["grade"], row["alternative"]) == (of_grade, alternative) and printed in {None, row["unit"]}
        if named and not fields:
            continue
        rows.append({**row, **fields} if named else row)
    return [fault for each in bands.read(rows).values() for fault in checking.faults(each)]


def test_the_bands_that_ship_are_sound() -> None:
    assert [fault for term in bands.terms().values() for fault in checking.faults(term)] == []


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        (changed("Anemia", "2", printed="g/dL", upper="9.9"), "there is a gap or an overlap"),
        (changed("Anemia", "2", printed="g/dL", upper_inclusive="true"), "the limit belongs to both"),
        (changed("Anemia", "2", printed="g/dL", lower_inclusive="false"), "the limit belongs to neither"),
        (changed("Anemia", "2", printed="g/L", lower="81"), "in g/L is another in g/dL"),
        (changed("Anemia", "1", printed="g/dL", lower_of="LLN"), "is empty"),
        (
            changed("Anemia", "3", printed="g/dL", lower="1", lower_of="ABS", lower_inclusive="true"),
            "the worst and ends",
        ),
        (changed("CPK increased", "4", lower="5"), "there is a gap or an overlap"),  # half the published multiple
        (changed("CPK increased", "1", lower="2.5"), "is empty"),  # an empty first interval
        (changed("CPK increased", "4"), "grade 4 has no band"),
        (changed("CPK increased", "4"), "is the worst and ends"),
        (changed("Hypermagnesemia", "3", printed="mg/dL", grade="2"), "grade 2 is not offered"),
        (changed("Hyperkalemia", "4", measure="rise"), "measures by two things"),
        (changed("Hyperkalemia", "4", "a", unit=""), "an absolute limit without a unit"),
        (changed("Hyperkalemia", "2", "a", unit="furlong"), "furlong is no unit of the table"),
        (changed("Hyperkalemia", "2", "a", unit="g/dL"), "g/dL is no unit of K"),
        (changed("Hypoalbuminemia", "2", "a", analyte="ALT"), "ALT is reported in U/L, and no scale can be read in it"),
        (changed("Creatinine increased", "3", "b", lower="2"), "there is a gap or an overlap"),
        (changed("Fibrinogen decreased", "2", "b", upper="49"), "there is a gap or an overlap"),
        (changed("Hypokalemia", "2", when=""), "there is a gap or an overlap"),
        (changed("Anemia", "1", meddra_code="10001551"), "the code is that of Alanine aminotransferase increased"),
    ],
)
def test_a_fault_is_named(faults: list[str], says: str) -> None:
    assert any(says in fault for fault in faults), faults


def test_bands_with_a_fault_are_refused() -> None:
    rows = [
        {**row, "lower": "5"} if row["term"] == "CPK increased" and row["grade"] == "4" else row
        for row in reference.rows()
    ]
    with pytest.raises(
        BandsContradict, match=r"CPK increased: CK in None, .*between grade 3a and grade 4a there is a gap"
    ):
        checking.require_sound(bands.read(list(rows)))
