"""A regulator's acknowledgement, ICH E2B(R3) MCCI_IN200101UV01, read as the answer to one report.

It is written by somebody else, so nothing in it is believed before it fits: no document type, so no entities either;
a bounded size and depth; the batch and the case that were sent; codes that agree with each other.

Source: ICH E2B(R3), ACK.M, ACK.A and ACK.B; the codes are AA, AE, AR of a transmission and CA, CR of a message.
"""

import re
from datetime import datetime
from typing import Literal
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from zoneinfo import ZoneInfo

from services.safety.domain.cases.case import AcknowledgementOfAnotherReport, AcknowledgeReport
from services.safety.domain.e2b.codes import namespace
from services.safety.domain.e2b.message import BATCH_NAMESPACE, CASE_NAMESPACE
from services.safety.domain.e2b.values import values
from shared.contracts.safety_cases import AcknowledgementForm, ReportSubmitted
from shared.kernel.errors import Unacceptable

ROOT = "MCCI_IN200101UV01"
LARGEST, DEEPEST = 256 * 1024, 32  # bytes, elements within each other; the longest known to us has 5 KiB and 7
_HL7 = "{urn:hl7-org:v3}"
_MESSAGE, _REFERENCE_NAMESPACE = f"{_HL7}MCCI_IN000002UV01", 19
_TRANSMISSION, _OF_MESSAGE = ("AA", "AE", "AR"), ("CA", "CR")
_INSTANT = re.compile(r"((?:19|20)\d{12})(?:\.\d{1,6})?([+-]\d{4})?")
_NOT_AN_INSTANT = "creationTime is an instant to the second, CCYYMMDDhhmmss+ZZzz"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+:-]{0,63}")

Verdict = Literal["accepted", "rejected"]


class UnreadableAcknowledgement(Unacceptable):
    """It is no E2B(R3) acknowledgement, or carries what none needs, such as a document type. The message says what."""


def acknowledgement(body: bytes, report: ReportSubmitted) -> AcknowledgeReport:
    """What the recipient answered to this report.

    Raises:
        UnreadableAcknowledgement, AcknowledgementOfAnotherReport.
    """
    root = _tree(body)
    if root.tag != f"{_HL7}{ROOT}":
        raise UnreadableAcknowledgement(f"an acknowledgement is an HL7 {ROOT}")
    found = values(report)
    transmission = _child(root, "acknowledgement")
    if _target(transmission, "targetBatch", BATCH_NAMESPACE) != found["N.1.2"]:
        raise AcknowledgementOfAnotherReport("it answers another batch; send it to the report of that batch (N.1.2)")
    message = _message(root, found["N.2.r.1"])
    return AcknowledgeReport(
        report_number=report.number,
        form=AcknowledgementForm.E2B,
        verdict=_verdict(_code(transmission, _TRANSMISSION), message),
        receiver_reference=_reference(message),
        acknowledged_at=_instant(_child(root, "creationTime").get("value", ""), report.content.frame.time_zone),
    )


class _NoDocumentType(TreeBuilder):
    """Builds the tree of a document that declares no type and is not deep."""

    depth = 0

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise UnreadableAcknowledgement("a document type is not accepted: it could define entities")

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableAcknowledgement(f"elements lie in each other more than {DEEPEST} deep")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self.depth -= 1
        return super().end(tag)


def _tree(body: bytes) -> Element:
    if len(body) > LARGEST:
        raise UnreadableAcknowledgement(f"an acknowledgement has at most {LARGEST} bytes")
    parser = XMLParser(target=_NoDocumentType())  # noqa: S314 - the target refuses a document type before its entities
    try:
        parser.feed(body)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError):
        raise UnreadableAcknowledgement("it is not well-formed XML") from None
    return root


def _child(parent: Element, tag: str) -> Element:
    child = parent.find(f"{_HL7}{tag}")
    if child is None:
        raise UnreadableAcknowledgement(f"{parent.tag.removeprefix(_HL7)} has no {tag}")
    return child


def _target(of: Element, tag: str, number: int) -> str | None:
    return _extension(_child(of, tag), number)


def _extension(parent: Element, number: int) -> str | None:
    """The identifier within one of ICH's namespaces."""
    found = (each.get("extension") for each in parent.findall(f"{_HL7}id") if each.get("root") == namespace(number))
    return next(found, None)


def _code(acknowledged: Element, allowed: tuple[str, ...]) -> str:
    code = acknowledged.get("typeCode")
    if code not in allowed:
        raise UnreadableAcknowledgement(f"an acknowledgement code is one of {', '.join(allowed)}")
    return code


def _message(root: Element, case_number: str | None) -> Element | None:
    """The answer to the report's own message; None where the batch was answered as a whole."""
    messages = root.findall(_MESSAGE)
    for message in messages:
        if _target(_child(message, "acknowledgement"), "targetMessage", CASE_NAMESPACE) == case_number:
            return message
    if messages:
        raise AcknowledgementOfAnotherReport("it answers another case; send it to the report of that case (C.1.1)")
    return None


def _verdict(transmission: str, message: Element | None) -> Verdict:
    """The message's own code decides; only a batch that could not be read is rejected without one."""
    if message is None:
        if transmission != "AR":
            raise UnreadableAcknowledgement("it says nothing of the report: only AR stands without a message's code")
        return "rejected"
    code = _code(_child(message, "acknowledgement"), _OF_MESSAGE)
    if (transmission, code) in {("AA", "CR"), ("AR", "CA")}:
        raise UnreadableAcknowledgement(f"{transmission} of the batch and {code} of its one message contradict")
    return "accepted" if code == "CA" else "rejected"


def _reference(message: Element | None) -> str | None:
    """The recipient's own number for the report (ACK.B.r.2), where it is one that can be kept."""
    given = None if message is None else _extension(message, _REFERENCE_NAMESPACE)
    return given if given is not None and _CODE.fullmatch(given) else None


def _instant(written: str, zone: str) -> datetime:
    """CCYYMMDDhhmmss+ZZzz; without a distance from UTC, in the site's zone."""
    match = _INSTANT.fullmatch(written)
    if match is None:
        raise UnreadableAcknowledgement(_NOT_AN_INSTANT)
    try:
        at = datetime.strptime(match[1] + (match[2] or "+0000"), "%Y%m%d%H%M%S%z")
    except ValueError:
        raise UnreadableAcknowledgement(_NOT_AN_INSTANT) from None
    return at if match[2] else at.replace(tzinfo=ZoneInfo(zone))
