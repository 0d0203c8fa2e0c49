"""Laboratories: what their codes mean, and which of their ranges holds for a specimen."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.safety.domain.lab_grading.analytes import UnknownAnalyte
from services.safety.domain.lab_grading.facts import UnreadableValue
from services.safety.domain.lab_results.laboratory import (
    AgesContradict,
    Laboratory,
    LaboratoryAlreadyRegistered,
    MappedTwice,
    NoSuchLaboratory,
    UnitNotOfAnalyte,
    Unregistered,
    decide,
    evolve,
)
from services.safety.domain.lab_results.laboratory_commands import MapTests, RegisterLaboratory
from shared.contracts.enrollment_terms import Sex
from shared.kernel.errors import TrialError
from tests.services.safety.domain.lab_results.course import a_laboratory, mapping, ranges

HERE = RegisterLaboratory(laboratory_id="CU-LAB", site_id="CU", time_zone="Asia/Bangkok")
ON = date(2026, 3, 15)


def test_a_laboratory_is_registered_once() -> None:
    known = a_laboratory()
    assert decide(HERE, known, None) == []
    with pytest.raises(LaboratoryAlreadyRegistered):
        decide(HERE.model_copy(update={"site_id": "KKU"}), known, None)
    assert (known.site_id, str(known.zone)) == ("CU", "Asia/Bangkok")


def test_a_time_zone_is_one_that_there_is() -> None:
    for zone in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(ValidationError):
            RegisterLaboratory(laboratory_id="CU-LAB", site_id="CU", time_zone=zone)


@pytest.mark.parametrize("command", [mapping(GPT="ALT"), ranges({"uln": "40"})])
def test_nothing_is_said_of_a_laboratory_that_is_not_registered(command: MapTests) -> None:
    with pytest.raises(NoSuchLaboratory):
        decide(command, Unregistered(), None)
    [event] = decide(mapping(GPT="ALT"), a_laboratory(), None)
    assert evolve(Unregistered(), event) == Unregistered()


def test_codes_mean_analytes_by_name_and_by_loinc_or_nothing_that_is_graded() -> None:
    tests = [{"code": "1", "analyte": "sgpt"}, {"code": "2", "loinc": "1742-6"}, {"code": "3"}]
    both = {"code": "4", "analyte": "ALT", "loinc": "1742-6"}
    known = a_laboratory(MapTests.model_validate({"tests": [*tests, both]}))
    assert known.tests == {"1": "ALT", "2": "ALT", "3": None, "4": "ALT"}


def test_the_same_mapping_again_decides_to_nothing_and_another_one_replaces_it() -> None:
    known = a_laboratory(mapping(GPT="ALT", UREA=None))
    assert decide(mapping(GPT="ALT", UREA=None), known, None) == []
    [event] = decide(mapping(GPT="AST", UREA=None), known, None)
    after = evolve(known, event)
    assert isinstance(after, Laboratory)
    assert after.tests == {"GPT": "AST", "UREA": None}


@pytest.mark.parametrize(
    ("tests", "error"),
    [
        ([{"code": "1", "analyte": "nonsense"}], UnknownAnalyte),
        ([{"code": "1", "loinc": "0-0"}], UnknownAnalyte),
        ([{"code": "1", "analyte": "AST", "loinc": "1742-6"}], MappedTwice),
        ([{"code": "1", "analyte": "ALT"}, {"code": "1", "analyte": "AST"}], MappedTwice),
    ],
)
def test_a_mapping_that_means_nothing_or_two_things_is_refused(
    tests: list[dict[str, str]], error: type[TrialError]
) -> None:
    with pytest.raises(error):
        decide(MapTests.model_validate({"tests": tests}), a_laboratory(), None)


BY_AGE = (
    {"uln": "40"},
    {"uln": "50", "age_to_months": 24},
    {"uln": "33", "sex": "F", "age_from_months": 24, "age_to_months": 144},
    {"uln": "35", "age_from_months": 24, "age_to_months": 144},
    {"uln": "31", "sex": "F", "age_from_months": 100, "age_to_months": 120},
    {"uln": "45", "effective_from": "2026-06-01"},
)


@pytest.mark.parametrize(
    ("sex", "months", "on", "uln"),
    [
        (Sex.FEMALE, 23, ON, "50"),
        (Sex.FEMALE, 24, ON, "33"),
        (Sex.MALE, 24, ON, "35"),
        (Sex.FEMALE, 99, ON, "33"),
        (Sex.FEMALE, 100, ON, "31"),
        (Sex.FEMALE, 119, ON, "31"),
        (Sex.FEMALE, 120, ON, "33"),
        (Sex.FEMALE, 143, ON, "33"),
        (Sex.FEMALE, 144, ON, "40"),
        (None, 30, ON, "35"),
        (Sex.FEMALE, None, ON, "40"),  # of unknown age: only what holds for all
        (Sex.FEMALE, 30, date(2024, 12, 31), None),
        (Sex.FEMALE, 30, date(2025, 1, 1), "33"),
        (Sex.FEMALE, 30, date(2026, 5, 31), "33"),
        (Sex.FEMALE, 30, date(2026, 6, 1), "45"),
    ],
)
def test_the_range_is_that_of_sex_age_and_day(sex: Sex | None, months: int | None, on: date, uln: str | None) -> None:
    found = a_laboratory(ranges(*BY_AGE)).range_of("ALT", "U/L", sex, months, on)
    assert (None if found is None else str(found.uln)) == uln


def test_a_range_is_of_one_analyte_in_one_unit() -> None:
    known = a_laboratory(ranges({"uln": "40", "unit": "IU/L"}, {"analyte": "INR", "unit": None, "uln": "1.1"}))
    assert [(each.analyte, each.unit) for each in known.ranges] == [("ALT", "U/L"), ("INR", "1")]
    assert known.range_of("ALT", "ukat/L", None, 1, ON) is None
    assert known.range_of("AST", "U/L", None, 1, ON) is None


def test_a_range_for_the_same_people_and_day_replaces_the_earlier_one() -> None:
    known = a_laboratory(ranges({"uln": "40"}), ranges({"uln": "41"}))
    assert [str(each.uln) for each in known.ranges] == ["41"]
    assert decide(ranges({"uln": "41"}), known, None) == []


@pytest.mark.parametrize(
    ("stated", "error"),
    [
        ({"analyte": "nonsense"}, UnknownAnalyte),
        ({"unit": "g/dL"}, UnitNotOfAnalyte),
        ({"unit": "furlong"}, UnitNotOfAnalyte),
        ({"unit": " "}, UnitNotOfAnalyte),
        ({"lln": "50", "uln": "40"}, UnreadableValue),
        ({"uln": "0"}, UnreadableValue),
        ({"age_from_months": 12, "age_to_months": 12}, AgesContradict),
    ],
)
def test_a_range_that_cannot_be_is_refused(stated: dict[str, object], error: type[TrialError]) -> None:
    with pytest.raises(error):
        decide(ranges(stated), a_laboratory(), None)
