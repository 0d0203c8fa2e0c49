"""An acknowledgement is read as the answer to one report, and refused where it is anything else."""

from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain.cases.case import AcknowledgementOfAnotherReport
from services.safety.domain.e2b.acknowledgement import (
    DEEPEST,
    LARGEST,
    UnreadableAcknowledgement,
    acknowledgement,
)
from tests.services.safety.builders import BANGKOK
from tests.services.safety.domain.e2b.acknowledgements import an_acknowledgement
from tests.services.safety.domain.e2b.reports import a_course, a_report

REPORT = a_report()
GOOD = an_acknowledgement(REPORT)


def test_an_acknowledgement_answers_its_report() -> None:
    command = acknowledgement(GOOD, REPORT)
    assert (command.report_number, command.verdict, command.receiver_reference) == (1, "accepted", "TH-19426650")
    assert command.acknowledged_at == datetime(2026, 3, 19, 10, 12, 46, tzinfo=BANGKOK)


@pytest.mark.parametrize(
    ("transmission", "message", "verdict"),
    [
        ("AA", "CA", "accepted"),
        ("AE", "CA", "accepted"),  # others of the batch need something, this one does not
        ("AE", "CR", "rejected"),
        ("AR", "CR", "rejected"),
        ("AR", None, "rejected"),
    ],
)
def test_the_messages_code_decides_and_a_batch_is_rejected_as_a_whole(
    transmission: str, message: str | None, verdict: str
) -> None:
    body = an_acknowledgement(REPORT, transmission=transmission, message=message)
    assert acknowledgement(body, REPORT).verdict == verdict


@pytest.mark.parametrize(
    ("transmission", "message", "why"),
    [
        ("AA", "CR", "contradict"),
        ("AR", "CA", "contradict"),
        ("AA", None, "says nothing of the report"),
        ("AE", None, "says nothing of the report"),
        ("CA", "CA", "one of AA, AE, AR"),
        ("AA", "AA", "one of CA, CR"),
        ("", "CA", "one of AA, AE, AR"),
    ],
)
def test_codes_that_do_not_agree_are_refused(transmission: str, message: str | None, why: str) -> None:
    with pytest.raises(UnreadableAcknowledgement, match=why):
        acknowledgement(an_acknowledgement(REPORT, transmission=transmission, message=message), REPORT)


def test_the_answer_to_another_report_is_refused() -> None:
    course = a_course()
    first = a_report(course=course)
    second = a_report(course=course.wait(days=1), kind="follow-up")
    with pytest.raises(AcknowledgementOfAnotherReport, match=r"another batch.*N\.1\.2"):
        acknowledgement(an_acknowledgement(first), second)
    with pytest.raises(AcknowledgementOfAnotherReport, match=r"another case.*C\.1\.1"):
        acknowledgement(an_acknowledgement(REPORT, case="TH-CHULA-another"), REPORT)


def test_the_reports_own_message_is_found_among_others() -> None:
    other = an_acknowledgement(REPORT, message="CR", case="TH-CHULA-another", transmission="AE").decode()
    start, end = other.index(" <MCCI_IN000002UV01>"), other.index("</MCCI_IN000002UV01>") + len("</MCCI_IN000002UV01>")
    body = an_acknowledgement(REPORT, transmission="AE").decode()
    both = body.replace(" <MCCI_IN000002UV01>", f"{other[start:end]}\n <MCCI_IN000002UV01>", 1)
    assert acknowledgement(both.encode(), REPORT).verdict == "accepted"


@pytest.mark.parametrize(
    ("at", "hour"),
    [("20260319101246+0700", 10), ("20260319031246+0000", 10), ("20260319101246", 10), ("20260319101246.123+0700", 10)],
)
def test_an_instant_without_a_distance_from_utc_is_the_sites(at: str, hour: int) -> None:
    answered = acknowledgement(an_acknowledgement(REPORT, at=at), REPORT).acknowledged_at
    assert answered == datetime(2026, 3, 19, hour, 12, 46, tzinfo=BANGKOK)


@pytest.mark.parametrize("at", ["", "20260319", "20261319101246+0700", "2026-03-19T10:12:46Z", "18260319101246"])
def test_an_instant_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(UnreadableAcknowledgement, match="creationTime is an instant"):
        acknowledgement(an_acknowledgement(REPORT, at=at), REPORT)


@pytest.mark.parametrize("reference", ["", "x" * 65, "no {braces}", "ไทย"])
def test_a_reference_that_cannot_be_kept_is_left_out(reference: str) -> None:
    assert acknowledgement(an_acknowledgement(REPORT, reference=reference), REPORT).receiver_reference is None


BOMB = """<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"""


@pytest.mark.parametrize(
    "declared",
    [
        BOMB,
        "<!DOCTYPE MCCI_IN200101UV01>",
        """<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>""",
        """<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">""",
        """<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>""",
    ],
)
def test_a_document_type_is_refused_before_its_entities(declared: str) -> None:
    body = GOOD.replace(b"?>", b"?>" + declared.encode(), 1).replace(b"whatever it says", b"&b;")
    with pytest.raises(UnreadableAcknowledgement, match="document type"):
        acknowledgement(body, REPORT)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "well-formed"),
        (b"{}", "well-formed"),
        (GOOD[:-30], "well-formed"),
        (GOOD + b"<more/>", "well-formed"),
        (GOOD.replace(b"UTF-8", b"UTF-77"), "well-formed"),
        (GOOD.replace(b"whatever it says", b"&unknown;"), "well-formed"),
        (GOOD.replace(b"whatever it says", b"\xff\xfe"), "well-formed"),
        (GOOD.replace(b"MCCI_IN200101UV01", b"MCCI_IN200100UV01"), "HL7 MCCI_IN200101UV01"),
        (GOOD.replace(b"urn:hl7-org:v3", b"urn:other"), "HL7 MCCI_IN200101UV01"),
        (GOOD.replace(b"targetBatch", b"target"), "acknowledgement has no targetBatch"),
        (GOOD.replace(b"targetMessage", b"target"), "acknowledgement has no targetMessage"),
        (GOOD.replace(b"creationTime", b"time"), "has no creationTime"),
        (b"<a/>" + b" " * LARGEST, f"at most {LARGEST} bytes"),
        (b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1), f"more than {DEEPEST} deep"),
        (b"<a>" * 80_000, f"more than {DEEPEST} deep"),
    ],
)
def test_what_is_no_acknowledgement_is_refused_and_says_why(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableAcknowledgement, match=why):
        acknowledgement(body, REPORT)


def test_a_batch_number_of_another_namespace_is_none() -> None:
    body = GOOD.replace(b'root="2.16.840.1.113883.3.989.2.1.3.22"', b'root="1.2.3"')
    with pytest.raises(AcknowledgementOfAnotherReport):
        acknowledgement(body, REPORT)


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=6))
def test_a_damaged_file_is_read_or_refused_and_never_a_mistake_of_ours(place: int, damage: bytes) -> None:
    body = GOOD[:place] + damage + GOOD[place + len(damage) :]
    with suppress(UnreadableAcknowledgement, AcknowledgementOfAnotherReport):
        assert acknowledgement(body, REPORT).report_number == 1
