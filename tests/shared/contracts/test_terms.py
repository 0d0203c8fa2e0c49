"""Partial dates, texts that name nobody, exact measurements."""

from datetime import date
from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.contracts import terms


def valid(term: Any, value: object) -> bool:
    try:
        TypeAdapter(term).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("9999-12", date(9999, 12, 1), date(9999, 12, 31)),
        ("2026-03-14", date(2026, 3, 14), date(2026, 3, 14)),
    ],
)
def test_a_partial_date_means_a_span_of_days(text: str, first: date, last: date) -> None:
    assert valid(terms.PartialDate, text)
    assert (terms.earliest(text), terms.latest(text)) == (first, last)


@pytest.mark.parametrize(
    "text", ["26", "2026-13", "2026-02-30", "2026-3", "2026-03-14T10:00", "", "0000", "2026-03-14 "]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    assert not valid(terms.PartialDate, text)


@given(st.dates())
def test_a_whole_date_is_its_own_first_and_last_day(day: date) -> None:
    text = day.isoformat()
    assert terms.earliest(text) == terms.latest(text) == day
    assert terms.earliest(text[:7]) <= day <= terms.latest(text[:7])
    assert terms.earliest(text[:4]) <= day <= terms.latest(text[:4])


@pytest.mark.parametrize(
    "text",
    [
        "call mother at 081 234 5678",
        "see a.b@hospital.example",
        "HN 0012345",
        "ด.ช. สมชาย",
        "เด็กหญิงมาลี",
        "Mr. Smith says so",
        "id 1-2345-67890-12-3",
        "HN-less 2345678901234",
        "081-234-5678 since 2026-03-14",
        "line\nbreak",
        "bell\x07",
    ],
)
def test_a_text_that_seems_to_name_somebody_is_refused(text: str) -> None:
    assert not valid(terms.Reason, text)
    assert not valid(terms.ShortText, text)


@pytest.mark.parametrize(
    "text",
    [
        "Transcription error: the report says 24 mm",
        "ไข้สูงหลังให้เซลล์",
        "grade 3 at 39.4 C, day 12",
        "The pump log says 2026-03-16 10:05",
        "from 2026-03-14 2 doses until 2026-03-15",
    ],
)
def test_a_clinical_text_passes(text: str) -> None:
    assert valid(terms.Reason, text)


@pytest.mark.parametrize(
    "text",
    [
        "born 2017-03-14",
        "Child born in May 2019",
        "child was born prematurely at 32 weeks in 2019",
        "BORN 2017",
        "born on 14 March",
        "born on the 14th of March",
        "born March 14",
        "born May '19",
        "born 14/3/2017",
        "born 14.03.17",
        "DOB 2017-03",
        "DOB: 140317",
        "D.O.B. 14-3-2017",
        "Date of birth is 14 Mar 2017",
        "year of birth 2560",
        "Birth: 2017",
        "birthday 14 March",
        "in 2017 she was born",
        "วันเกิด 14 มี.ค. 2560",
    ],
)
def test_a_birth_with_its_date_is_refused(text: str) -> None:
    assert not valid(terms.Reason, text)


@pytest.mark.parametrize(
    "text",
    [
        "Born prematurely",
        "Born prematurely at 32 weeks",
        "Born at 32/40, 2.8 kg, 48.5 cm",
        "Born with 1980 g at 32+4 weeks",
        "Child born in May",
        "Date of birth was mistyped on the form",
        "DOB on the request form did not match",
        "Born prematurely. CT of 2026-03-14 shows calcifications",
        "Born at term; scan repeated on 2026-03-14",
        "Newborn screening 2017 was normal",
        "Inborn error excluded 2026-03-14",
        "Air-borne precautions since 14 March 2026",
        "Birth weight below the third percentile",
        "Birth defect repaired 2019",
        "Rash since 2026-03-14",
        "stubborn fever, 14 March 2026",
        "เกิดผื่นวันที่ 14 มี.ค. 2569",
    ],
)
def test_a_birth_without_its_date_passes_and_so_does_another_date(text: str) -> None:
    assert valid(terms.Reason, text)


@pytest.mark.parametrize("value", ["12.5", 12, Decimal("0.001"), "-3.20"])
def test_a_measurement_keeps_every_digit(value: object) -> None:
    adapter: TypeAdapter[Decimal] = TypeAdapter(terms.Measurement)
    measured = adapter.validate_python(value)
    assert adapter.validate_json(adapter.dump_json(measured)) == measured
    assert str(adapter.validate_json(adapter.dump_json(measured))) == format(measured, "f")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e13", "1e-13", "1" * 29, "high", None])
def test_what_is_no_plain_number_is_refused(value: object) -> None:
    assert not valid(terms.Measurement, value)


@pytest.mark.parametrize(
    ("text", "good"), [("2017-03", True), ("2017-13", False), ("2017-03-14", False), ("1899-01", False)]
)
def test_a_birth_is_a_month(text: str, good: bool) -> None:
    assert valid(terms.BirthMonth, text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-03-14T10:30:00+07:00", True),
        ("1900-01-01T00:00:00Z", True),
        ("2026-03-14T10:30:00", False),
        ("0001-01-01T00:00:00+14:00", False),
        ("9999-12-31T23:59:59-12:00", False),
    ],
)
def test_an_instant_has_an_offset_and_a_date_in_every_time_zone(text: str, good: bool) -> None:
    assert valid(terms.Instant, text) is good


@pytest.mark.parametrize("number", [0, 1_700_000_000, "1700000000", "20260314", 20260314.0, True])
def test_a_number_is_no_date_since_it_would_be_read_as_seconds_since_1970(number: object) -> None:
    assert not valid(terms.Instant, number)
    assert not valid(terms.Day, number)


@pytest.mark.parametrize(("text", "good"), [("2026-03-14", True), ("2026-03", False), ("2026-02-30", False)])
def test_a_day_is_a_whole_date(text: str, good: bool) -> None:
    assert valid(terms.Day, text) is good


@pytest.mark.parametrize("given", [0, 1, "yes", "false", None])
def test_a_flag_is_true_or_false_and_nothing_that_may_mean_it(given: object) -> None:
    assert valid(terms.Flag, value=True)
    assert not valid(terms.Flag, given)


@pytest.mark.parametrize("text", ["Fever.\nTocilizumab; ดีขึ้น", "One line", "x" * 20_000])
def test_a_narrative_has_lines_and_names_nobody(text: str) -> None:
    assert TypeAdapter(terms.Narrative).validate_python(f" {text}\n") == text


@pytest.mark.parametrize(
    "text", ["", " \n ", "a\tb", "a\r\nb", "a\x00", "x" * 20_001, "Fever.\nMr. Somchai", "born\n2017"]
)
def test_what_is_no_narrative_is_refused(text: str) -> None:
    assert not valid(terms.Narrative, text)


@pytest.mark.parametrize(
    "unit", ["x", "1", "@", "a@", "a@b.", "born ", "born;", "born\n", "2024-01-01 ", "Mr ", "นาย "]
)
def test_the_longest_narrative_is_judged_at_once(unit: str) -> None:
    """A search that went over the whole text from every letter of it would take seconds, and hold up everybody."""
    began = process_time()
    valid(terms.Narrative, (unit * 20_000)[:20_000])
    assert process_time() - began < 0.5


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Asia/Bangkok", True),
        ("UTC", True),
        ("Asia/Nowhere", False),
        ("", False),
        ("../etc/passwd", False),
        ("/", False),
    ],
)
def test_a_command_takes_time_zones_that_are_known(name: str, known: bool) -> None:
    assert valid(terms.KnownTimeZone, name) is known
