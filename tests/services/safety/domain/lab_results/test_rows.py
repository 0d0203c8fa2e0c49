"""What a row says: its identity, codes, units, limits and times."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.safety.domain.lab_results import rows
from services.safety.domain.lab_results.rows import SentRow, Unreadable
from shared.contracts.safety_laboratory import LimitsSource
from tests.services.safety.builders import NOW
from tests.services.safety.domain.lab_results.course import GIRL, Course, a_laboratory, a_row, mapping, ranges

CODED: dict[str, Any] = {"analyte": None, "local_code": " GPT "}


def result(course: Course, **changed: Any) -> Any:
    read = course.read(a_row(**changed)).result
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"row_id": None}, "not-identified"),
        ({"row_id": " ", "specimen_id": " "}, "not-identified"),
        ({"row_id": None, "specimen_id": "A-1", "analyte": None}, "not-identified"),
        ({"row_id": "ไทย"}, "not-identified"),
        ({"row_id": "HN 0012345/GPT"}, "not-identified"),
        ({"row_id": None, "specimen_id": "mrn-4711"}, "not-identified"),
        ({"analyte": None}, "unknown-test"),
        ({"analyte": "nonsense"}, "unknown-test"),
        ({"analyte": None, "loinc": "0-0"}, "unknown-test"),
        ({"local_code": "GOT"}, "unknown-test"),
        ({"loinc": "1920-8"}, "unknown-test"),  # of AST, beside ALT
        ({"local_code": "GPT", "analyte": "AST"}, "unknown-test"),
        ({"local_code": " ", "analyte": " ", "loinc": ""}, "unknown-test"),
        ({"unit": "g/dL"}, "unknown-unit"),
        ({"unit": None}, "unknown-unit"),
        ({"local_code": "UREA", "unit": "furlong"}, "unknown-unit"),
        ({"value": None}, "bad-value"),
        ({"value": "1,5"}, "bad-value"),
        ({"value": "1e-13"}, "bad-value"),
        ({"value": "<0"}, "bad-value"),
        ({"uln": "0"}, "bad-limits"),
        ({"lln": ">4"}, "bad-limits"),
        ({"collected_at": None}, "bad-collection-time"),
        ({"collected_at": "2026-03-15"}, "bad-collection-time"),
        ({"collected_at": "2026-03-15T25:00"}, "bad-collection-time"),
        ({"collected_at": "9999-03-15T12:00Z"}, "bad-collection-time"),
        ({"collected_at": "2026-03-16T10:06:00+07:00"}, "bad-collection-time"),
        ({"specimen_type": "hair"}, "unknown-specimen"),
    ],
)
def test_what_is_not_understood_is_named(changed: dict[str, Any], problem: str) -> None:
    course = Course(laboratory=a_laboratory(mapping(UREA=None, GPT="ALT")))
    with pytest.raises(Unreadable) as caught:
        course.read(a_row(**changed))
    assert caught.value.problem == problem


def test_names_that_agree_or_are_not_known_contradict_nothing() -> None:
    course = Course(laboratory=a_laboratory(mapping(GPT="ALT")))
    for beside in ({"loinc": "1742-6"}, {"loinc": "76625-3"}, {"loinc": " "}, {"local_code": " "}):
        assert result(course, **beside).analyte == "ALT"
    assert result(course, local_code="GPT", analyte="alanine transaminase").analyte == "ALT"


def test_an_empty_cell_is_no_limit() -> None:
    read = result(Course(), lln="", uln=" ")
    assert (read.lln, read.uln, read.limits_from) == (None, None, None)


def test_a_row_of_nobody_known_is_not_read() -> None:
    with pytest.raises(Unreadable) as caught:
        rows.read(a_row(), a_laboratory(), None, NOW)
    assert caught.value.problem == "unknown-participant"


def test_of_who_was_handed_to_another_site_it_reads_what_was_collected_until_that_day() -> None:
    gone = Course(person=replace(GIRL, here_until=date(2026, 3, 15)))
    assert result(gone, collected_at="2026-03-15T23:59:59").collected_at
    with pytest.raises(Unreadable, match="another site") as caught:
        result(gone, collected_at="2026-03-16T00:00:00")
    assert caught.value.problem == "unknown-participant"
    assert gone.read(a_row(status="cancelled", reason="Another child's tube")).result is None


def test_a_code_unit_and_specimen_are_read_as_what_they_mean() -> None:
    course = Course(laboratory=a_laboratory(mapping(GPT="ALT")))
    read = result(course, **CODED, unit="IU/L", specimen_type=" Serum ", value="≤120")
    assert (read.test, read.analyte, read.unit, read.specimen, read.qualifier) == ("GPT", "ALT", "U/L", "serum", "<=")
    assert result(course, loinc="1742-6", analyte=None).analyte == "ALT"
    assert result(course, specimen_type=" ").specimen is None


def test_what_is_not_graded_may_come_without_a_unit() -> None:
    course = Course(laboratory=a_laboratory(mapping(UREA=None)))
    units = [result(course, local_code="UREA", unit=unit).unit for unit in (None, " ", "mg/dl")]
    assert units == [None, None, "mg/dL"]


def test_numbers_are_exact_and_flags_are_none() -> None:
    assert str(result(Course(), value=0.1 + 0).value) == "0.1"
    for flag in (True, False):
        with pytest.raises(ValidationError):
            SentRow.model_validate({"value": flag})


def test_a_time_without_an_offset_is_the_laboratorys() -> None:
    """Messages of real laboratories say no zone; what still cannot be read is kept, not refused."""
    here = result(Course(), collected_at="2026-03-15 08:00").collected_at
    assert here == datetime(2026, 3, 15, 8, tzinfo=ZoneInfo("Asia/Bangkok"))
    assert result(Course(), collected_at="2026-03-15T08:00Z").collected_at > here


def test_the_clock_of_a_hospital_may_run_a_little_ahead() -> None:
    assert result(Course(), collected_at="2026-03-16T10:05:00+07:00")


@pytest.mark.parametrize(
    ("birth", "day", "months"),
    [
        ("2017-03", "01", 108),
        ("2017-03", "31", 108),
        ("2017-04", "15", 107),
        ("2026-03", "15", 0),
        ("2026-04", "15", 0),
    ],
)
def test_age_is_in_months_of_the_sites_calendar(birth: str, day: str, months: int) -> None:
    course = Course(person=replace(GIRL, birth_month=birth), now=datetime(2026, 4, 1, tzinfo=ZoneInfo("UTC")))
    assert result(course, collected_at=f"2026-03-{day}T00:30:00+07:00").age_months == months


def test_a_month_begins_at_midnight_of_the_site() -> None:
    ages = [result(Course(), collected_at=f"2026-02-28T{hour}:59:00Z").age_months for hour in (16, 17)]
    assert ages == [107, 108]


def test_without_a_month_of_birth_there_is_no_age() -> None:
    assert result(Course(person=replace(GIRL, birth_month=None))).age_months is None


OWN = a_laboratory(mapping(UREA=None), ranges({"uln": "30", "sex": "F", "age_to_months": 144}))


@pytest.mark.parametrize(
    ("changed", "limits"),
    [
        ({"uln": "40"}, ("40", LimitsSource.RESULT)),
        ({"uln": None}, ("30", LimitsSource.LABORATORY)),
        ({"uln": None, "lln": "5"}, (None, LimitsSource.RESULT)),  # what travels with it is not completed by others
        ({"uln": None, "unit": "ukat/L"}, (None, None)),
        ({"uln": None, "local_code": "UREA"}, (None, None)),
        ({"uln": None, "collected_at": "2024-12-31T23:59"}, (None, None)),
    ],
)
def test_limits_travel_with_the_result_or_are_the_laboratorys(changed: dict[str, Any], limits: Any) -> None:
    """Whatever they are, they are frozen on the result."""
    read = result(Course(laboratory=OWN), **changed)
    assert (None if read.uln is None else str(read.uln), read.limits_from) == limits


def test_a_specimen_and_its_test_identify_a_row_without_an_id() -> None:
    assert result(Course(), row_id=None, specimen_id=" A-1 ").row == "A-1/ALT"
    assert result(Course(), row_id=" R1 ", specimen_id="A-1").row == "R1"
