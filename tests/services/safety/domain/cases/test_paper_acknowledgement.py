"""A letter that answers a report: whose it is, when it came, and which numbers a letter may carry."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.safety.domain.cases.case import AcknowledgementOfAnotherReport, CaseDatesContradict
from services.safety.domain.cases.paper_acknowledgement import RecordPaperAcknowledgement, paper_acknowledgement
from shared.contracts.safety_cases import AcknowledgementForm, ReportSubmitted
from tests.services.safety.builders import AWARE
from tests.services.safety.cases.course import Course, kinds

DAY = timedelta(days=1)


def a_letter(**changed: Any) -> RecordPaperAcknowledgement:
    stated = {
        "recipient": "ethics-committee",
        "received_at": AWARE + DAY,
        "verdict": "accepted",
        "reference_number": "IRB-0456/26",
    }
    return RecordPaperAcknowledgement.model_validate({**stated, **changed})


def to_the_committee() -> tuple[Course, ReportSubmitted]:
    course = Course().reported()
    course.sent(1, recipient="ethics-committee")
    return course, course.case.reports[0].sent


def test_a_letter_moves_the_reports_state_once() -> None:
    course, report = to_the_committee()
    answer = paper_acknowledgement(a_letter(), report)
    course.wait(days=2).reviewed()
    assert kinds(course.does(answer)) == ["report-acknowledged"]
    assert course.does(answer) == []
    kept = course.case.reports[0].answer
    assert kept is not None
    assert (kept.form, kept.verdict, kept.receiver_reference, kept.acknowledged_at) == (
        AcknowledgementForm.PAPER,
        "accepted",
        "IRB-0456/26",
        AWARE + DAY,
    )


def test_a_report_that_a_letter_rejects_does_no_duty() -> None:
    course, report = to_the_committee()
    course.wait(days=2).does(paper_acknowledgement(a_letter(verdict="rejected"), report))
    assert course.case.reports[0].rejected
    assert kinds(course.sent(2, recipient="ethics-committee"))[0] == "report-submitted"


def test_a_letter_of_somebody_else_answers_nothing() -> None:
    _, report = to_the_committee()
    with pytest.raises(AcknowledgementOfAnotherReport):
        paper_acknowledgement(a_letter(recipient="thai-fda"), report)


def test_a_letter_comes_after_the_report_was_sent_and_not_in_the_future() -> None:
    course, report = to_the_committee()
    paper_acknowledgement(a_letter(received_at=report.sent_at), report)
    with pytest.raises(CaseDatesContradict):
        paper_acknowledgement(a_letter(received_at=report.sent_at - timedelta(microseconds=1)), report)
    with pytest.raises(CaseDatesContradict):
        course.does(paper_acknowledgement(a_letter(received_at=course.now + DAY), report))


@pytest.mark.parametrize("number", ["IRB-0456/26", "COA_123.2569", "7", f"A{'1' * 8}", f"A1{'B' * 38}"])
def test_a_number_of_a_letter_is_taken(number: str) -> None:
    assert a_letter(reference_number=number).reference_number == number


@pytest.mark.parametrize(
    "number",
    [
        *("", "SOMCHAI", "Somchai Jaidee 1", "mali-7", "นายสมชาย7", "RE CHILD 7", "-7", f"A1{'B' * 39}"),
        *("1103700123456", "HN12345", "A@B.C7"),
    ],
)
def test_what_may_name_somebody_is_no_number(number: str) -> None:
    with pytest.raises(ValidationError):
        a_letter(reference_number=number)


def test_a_letter_brings_no_text() -> None:
    with pytest.raises(ValidationError):
        a_letter(note="Signed by the chair")
