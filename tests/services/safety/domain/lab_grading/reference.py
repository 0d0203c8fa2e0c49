"""A slow evaluator of its own: it reads `bands.csv` row by row, in fractions, and shares no code with the grading.

It knows a patient of whom every fact is known, and answers the highest grade of which a row is met.
"""

import csv
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from services.safety.domain import lab_grading

FILE = Path(lab_grading.__file__).with_name("bands.csv")


@dataclass(frozen=True)
class Patient:
    """All facts known. `when` are the cases that hold."""

    lln: Fraction
    uln: Fraction
    baseline: Fraction
    when: frozenset[str]


@cache
def rows() -> tuple[dict[str, str], ...]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def scales() -> list[tuple[str, str, str]]:
    """Every term with an analyte and a printed unit (empty where any will do)."""
    found: dict[tuple[str, str, str], None] = {}
    for row in rows():
        if row["role"] == "clinical":
            continue
        printed = {each["unit"] for each in rows() if same(each, row)} - {""}
        for unit in printed or {""}:
            found[row["term"], row["analyte"], unit] = None
    return sorted(found)


def same(one: dict[str, str], other: dict[str, str]) -> bool:
    return (one["term"], one["analyte"]) == (other["term"], other["analyte"]) and one["role"] != "clinical"


def own(term: str, analyte: str, unit: str) -> list[dict[str, str]]:
    return [
        row
        for row in rows()
        if (row["term"], row["analyte"]) == (term, analyte) and row["role"] != "clinical" and row["unit"] in {unit, ""}
    ]


def edges(term: str, analyte: str, unit: str, patient: Patient) -> set[Fraction]:
    """The values at which a grade may change."""
    found = {patient.lln, patient.uln, patient.baseline}
    for row in own(term, analyte, unit):
        for side in ("lower", "upper"):
            if row[side]:
                found.add(turned(row, Fraction(row[side]) * times(row[f"{side}_of"], patient), patient))
    return {edge for edge in found if edge >= 0}


def times(reference: str, patient: Patient) -> Fraction:
    return {"ABS": Fraction(1), "ULN": patient.uln, "LLN": patient.lln, "BASELINE": patient.baseline}[reference]


def turned(row: dict[str, str], amount: Fraction, patient: Patient) -> Fraction:
    """The value at which what a row measures comes to this amount."""
    return {
        "value": amount,
        "rise": patient.baseline + amount,
        "fall": patient.baseline - amount,
        "percent-rise": patient.baseline * (100 + amount) / 100,
        "percent-fall": patient.baseline * (100 - amount) / 100,
        "above-uln": patient.uln + amount,
    }[row["measure"]]


def measure(row: dict[str, str], value: Fraction, patient: Patient) -> Fraction:
    return {
        "value": value,
        "rise": value - patient.baseline,
        "fall": patient.baseline - value,
        "percent-rise": (value - patient.baseline) / patient.baseline * 100,
        "percent-fall": (patient.baseline - value) / patient.baseline * 100,
        "above-uln": value - patient.uln,
    }[row["measure"]]


def met(row: dict[str, str], value: Fraction, patient: Patient) -> bool:
    if row["when"] and row["when"] not in patient.when:
        return False
    amount = measure(row, value, patient)
    if row["lower"]:
        low = Fraction(row["lower"]) * times(row["lower_of"], patient)
        if amount < low or (amount == low and row["lower_inclusive"] == "false"):
            return False
    if row["upper"]:
        high = Fraction(row["upper"]) * times(row["upper_of"], patient)
        if amount > high or (amount == high and row["upper_inclusive"] == "false"):
            return False
    return row["when"] != "above-baseline" or value > patient.baseline


def grade(term: str, analyte: str, unit: str, value: Fraction, patient: Patient) -> int | None:
    """The highest grade of which a row is met; 0 if none is; None where the data say that v5.0 is silent."""
    found = [row for row in own(term, analyte, unit) if met(row, value, patient)]
    if within_limits(term, analyte, unit, value, patient):
        found = [row for row in found if not (row["role"] == "ladder" and is_absolute(row))]
    graded = [int(row["grade"]) for row in found if row["grade"]]
    if not graded and any(row["role"] == "ungraded" for row in found):
        return None
    return max(graded, default=0)


def is_absolute(row: dict[str, str]) -> bool:
    return row["measure"] == "value" and {row["lower_of"], row["upper_of"]} <= {"ABS", ""}


def within_limits(term: str, analyte: str, unit: str, value: Fraction, patient: Patient) -> bool:
    """Whether a scale that begins at a limit of normal has not begun yet."""
    first = [row for row in own(term, analyte, unit) if row["grade"] and row["role"] == "ladder"]
    if any(row["lower_of"] == "ULN" and row["measure"] == "value" for row in first):
        inclusive = any(row["lower_of"] == "ULN" and row["lower_inclusive"] == "true" for row in first)
        return value < patient.uln or (value == patient.uln and not inclusive)
    if any(row["upper_of"] == "LLN" for row in first):
        return value >= patient.lln
    return False
