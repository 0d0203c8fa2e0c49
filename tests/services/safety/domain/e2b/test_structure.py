"""Every message keeps an order and a number of elements: of ICH's list by number, and of HL7's by place.

`structure.csv` is this project's own list, as no package carries ICH's schema: under each element its children, in the
order that was compared with the public templates and instance of `elements.README.md`, and how many of each this
project writes. It guards what was compared; it is no proof that ICH's schema takes the message.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from services.safety.domain.correction import RetractAdverseEvent
from services.safety.domain.e2b.elements import ELEMENTS
from services.safety.domain.e2b.message import icsr
from services.safety.domain.follow_up import RecordDeath
from shared.contracts.safety_cases import ReportSubmitted
from tests.services.safety.domain.e2b.reports import PLACES, a_course, a_report, told, with_content

STRUCTURE = Path(__file__).with_name("structure.csv")
_REPEATS = re.compile(r"\.(r|i|k)(\.|$)")  # how ICH numbers what may come more than once


def fatal() -> ReportSubmitted:
    course = a_course(seriousness=["life-threatening"])
    course.site(RecordDeath(died_on="2026-03-18", became_aware_at=course.now))
    return a_report(course=course)


def nullified() -> ReportSubmitted:
    course = a_course()
    a_report(course=course)
    course.site(RetractAdverseEvent(reason="Entered for another participant"))
    return a_report(course=course, kind="nullification", reason="Entered for another participant")


MESSAGES: dict[str, Callable[[], ReportSubmitted]] = {
    "initial": a_report,
    "fatal": fatal,
    "nullified": nullified,
    "without infusion": lambda: with_content(a_report(), infusions=()),
    "without documents": lambda: with_content(a_report(), narrative_reference=None),
}


@pytest.fixture(params=MESSAGES, scope="module")
def message(request: pytest.FixtureRequest) -> bytes:
    return icsr(MESSAGES[request.param]())


def test_what_does_not_repeat_by_its_number_comes_once_and_what_is_required_comes(message: bytes) -> None:
    for element in ELEMENTS:
        found = len(told(message, element.number)) if element.number in PLACES else None
        if found is not None and not _REPEATS.search(element.number):
            assert found <= 1, element.number
        if element.is_required:
            assert found, element.number


def listed() -> dict[str, dict[str, tuple[int, int, int]]]:
    """Per parent its children: place, least, most."""
    with STRUCTURE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        parent: {row["child"]: (place, int(row["least"]), int(row["most"])) for place, row in enumerate(children)}
        for parent, children in groupby(rows, key=lambda row: row["parent"])
    }


def violations(xml: bytes) -> Iterator[str]:
    allowed = listed()
    for parent in fromstring(xml).iter():  # noqa: S314 - our own message
        yield from _of(parent, allowed.get(_tag(parent), {}))


def _of(parent: Element, allowed: dict[str, tuple[int, int, int]]) -> Iterator[str]:
    tags = [_tag(child) for child in parent]
    unknown = [tag for tag in tags if tag not in allowed]
    if unknown:
        yield f"{_tag(parent)} holds {unknown}"
        return
    if [allowed[tag][0] for tag in tags] != sorted(allowed[tag][0] for tag in tags):
        yield f"{_tag(parent)} holds {tags} out of order"
    counted = Counter(tags)
    for tag, (_, least, most) in allowed.items():
        if not least <= counted[tag] <= most:
            yield f"{_tag(parent)} holds {counted[tag]} {tag}"


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def test_elements_stand_in_their_order_and_number(message: bytes) -> None:
    assert list(violations(message)) == []


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (b'<responseModeCode code="D" />', b"", "MCCI_IN200100UV01 holds 0 responseModeCode"),
        (b'<statusCode code="active" />', b'<statusCode code="active" /><text>x</text>', "out of order"),
        (b'<processingCode code="P" />', b'<processing code="P" />', "PORR_IN049016UV holds ['processing']"),
    ],
)
def test_the_list_finds_what_is_missing_unknown_or_out_of_order(was: bytes, now: bytes, expected: str) -> None:
    xml = icsr(a_report())
    assert xml.count(was) == 1
    assert any(expected in found for found in violations(xml.replace(was, now)))
