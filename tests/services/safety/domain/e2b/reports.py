"""Reports to write as messages, and how a message is read back: by the places that ICH gives its elements."""

from typing import Any
from xml.etree.ElementTree import Element, fromstring

from services.safety.domain.e2b.message import icsr
from shared.contracts.safety_cases import ReportSubmitted
from tests.services.safety.cases.course import Course, opinion

NARRATIVE = "Fever from the evening after the infusion.\nTocilizumab <8 mg/kg> & fluids; ไข้ลดลง"
NS = {"h": "urn:hl7-org:v3"}
CASE = "h:PORR_IN049016UV/h:controlActProcess/h:subject/h:investigationEvent"
_ASSESSMENT = f"{CASE}/h:component/h:adverseEventAssessment"
_PATIENT = f"{_ASSESSMENT}/h:subject1/h:primaryRole"
_PERSON = f"{_PATIENT}/h:player1"
_STUDY = f"{_PATIENT}/h:subjectOf1/h:researchStudy"
_LIST = "2.16.840.1.113883.3.989.2.1.1"
_ID = "2.16.840.1.113883.3.989.2.1.3"


def _observed(code: str) -> str:
    return f"{_PATIENT}/h:subjectOf2/h:observation/h:code[@code='{code}'][@codeSystem='{_LIST}.19']/../h:value"


EVENT = f"{_PATIENT}/h:subjectOf2/h:observation/h:code[@code='29'][@codeSystem='{_LIST}.19']/.."


def _of_event(code: str) -> str:
    return (
        f"{EVENT}/h:outboundRelationship2[@typeCode='PERT']/h:observation/"
        f"h:code[@code='{code}'][@codeSystem='{_LIST}.19']/../h:value"
    )


PRODUCT = (
    f"{_PATIENT}/h:subjectOf2/h:organizer/h:code[@code='4'][@codeSystem='{_LIST}.20']/../"
    "h:component/h:substanceAdministration"
)
_DOSE = f"{PRODUCT}/h:outboundRelationship2[@typeCode='COMP']/h:substanceAdministration"
OPINION = f"{_ASSESSMENT}/h:component/h:causalityAssessment/h:code[@code='39'][@codeSystem='{_LIST}.19']/.."


def _component(code: str) -> str:
    return f"{CASE}/h:component/h:observationEvent/h:code[@code='{code}'][@codeSystem='{_LIST}.19']/../h:value"


def _characteristic(code: str) -> str:
    return (
        f"{CASE}/h:subjectOf2/h:investigationCharacteristic/h:code[@code='{code}'][@codeSystem='{_LIST}.23']/../h:value"
    )


def _related(code: str) -> str:
    return (
        f"{CASE}/h:outboundRelationship[@typeCode='SPRT']/h:relatedInvestigation/"
        f"h:code[@code='{code}'][@codeSystem='{_LIST}.22']/../h:subjectOf2/h:controlActEvent/h:author/h:assignedEntity"
    )


_REPORTER = f"{_related('2')}/h:assignedPerson"
_SENDER = f"{CASE}/h:subjectOf1/h:controlActEvent/h:author/h:assignedEntity"

# Where ICH puts each element, and in which attribute (None: in its text).
PLACES: dict[str, tuple[str, str | None]] = {
    "N.1.2": (f"h:id[@root='{_ID}.22']", "extension"),
    "N.1.3": (f"h:sender/h:device/h:id[@root='{_ID}.13']", "extension"),
    "N.1.4": (f"h:receiver/h:device/h:id[@root='{_ID}.14']", "extension"),
    "N.2.r.1": (f"h:PORR_IN049016UV/h:id[@root='{_ID}.1']", "extension"),
    "N.2.r.2": (f"h:PORR_IN049016UV/h:sender/h:device/h:id[@root='{_ID}.11']", "extension"),
    "N.2.r.3": (f"h:PORR_IN049016UV/h:receiver/h:device/h:id[@root='{_ID}.12']", "extension"),
    "C.1.1": (f"{CASE}/h:id[@root='{_ID}.1']", "extension"),
    "C.1.2": ("h:PORR_IN049016UV/h:controlActProcess/h:effectiveTime", "value"),
    "C.1.3": (_characteristic("1"), "code"),
    "C.1.4": (f"{CASE}/h:effectiveTime/h:low", "value"),
    "C.1.5": (f"{CASE}/h:availabilityTime", "value"),
    "C.1.6.1": (_component("1"), "value"),
    "C.1.6.1.r.1": (f"{CASE}/h:reference/h:document/h:title", None),
    "C.1.7": (_component("23"), "value"),
    "C.1.8.1": (f"{CASE}/h:id[@root='{_ID}.2']", "extension"),
    "C.1.8.2": (f"{_related('1')}/h:code[@codeSystem='{_LIST}.3']", "code"),
    "C.1.9.1": (_characteristic("2"), "value"),
    "C.1.11.1": (_characteristic("3"), "code"),
    "C.1.11.2": (f"{_characteristic('4')}/h:originalText", None),
    "C.2.r.3": (f"{_REPORTER}/h:asLocatedEntity/h:location/h:code", "code"),
    "C.2.r.4": (f"{_REPORTER}/h:asQualifiedEntity/h:code[@codeSystem='{_LIST}.6']", "code"),
    "C.2.r.5": (f"{CASE}/h:outboundRelationship/h:priorityNumber", "value"),
    "C.3.1": (f"{_SENDER}/h:code[@codeSystem='{_LIST}.7']", "code"),
    "C.3.2": (f"{_SENDER}/h:representedOrganization/h:assignedEntity/h:representedOrganization/h:name", None),
    "C.5.1.r.1": (f"{_STUDY}/h:authorization/h:studyRegistration/h:id[@root='{_ID}.6']", "extension"),
    "C.5.1.r.2": (
        f"{_STUDY}/h:authorization/h:studyRegistration/h:author/h:territorialAuthority/h:governingPlace/h:code",
        "code",
    ),
    "C.5.2": (f"{_STUDY}/h:title", None),
    "C.5.3": (f"{_STUDY}/h:id[@root='{_ID}.5']", "extension"),
    "C.5.4": (f"{_STUDY}/h:code[@codeSystem='{_LIST}.8']", "code"),
    "D.1": (f"{_PERSON}/h:name", None),
    "D.1.1.4": (f"{_PERSON}/h:asIdentifiedEntity/h:id[@root='{_ID}.10']", "extension"),
    "D.2.2a": (_observed("3"), "value"),
    "D.2.2b": (_observed("3"), "unit"),
    "D.2.3": (_observed("4"), "code"),
    "D.3": (_observed("7"), "value"),
    "D.5": (f"{_PERSON}/h:administrativeGenderCode", "code"),
    "D.9.1": (f"{_PERSON}/h:deceasedTime", "value"),
    "D.9.2.r": (f"{_observed('32')}/h:originalText", None),
    "D.9.3": (_observed("5"), "value"),
    "E.i.1.1a": (f"{EVENT}/h:value/h:originalText", None),
    "E.i.1.1b": (f"{EVENT}/h:value/h:originalText", "language"),
    "E.i.1.2": (_of_event("30"), None),
    "E.i.2.1a": (f"{EVENT}/h:value", "codeSystemVersion"),
    "E.i.2.1b": (f"{EVENT}/h:value", "code"),
    "E.i.3.2a": (_of_event("34"), "value"),
    "E.i.3.2b": (_of_event("21"), "value"),
    "E.i.3.2c": (_of_event("33"), "value"),
    "E.i.3.2d": (_of_event("35"), "value"),
    "E.i.3.2e": (_of_event("12"), "value"),
    "E.i.3.2f": (_of_event("26"), "value"),
    "E.i.4": (f"{EVENT}/h:effectiveTime/h:low", "value"),
    "E.i.5": (f"{EVENT}/h:effectiveTime/h:high", "value"),
    "E.i.7": (_of_event("27"), "code"),
    "E.i.9": (f"{EVENT}/h:location/h:locatedEntity/h:locatedPlace/h:code", "code"),
    "G.k.1": (
        f"{_ASSESSMENT}/h:component/h:causalityAssessment/h:code[@code='20'][@codeSystem='{_LIST}.19']/../h:value",
        "code",
    ),
    "G.k.2.2": (f"{PRODUCT}/h:consumable/h:instanceOfKind/h:kindOfProduct/h:name", None),
    "G.k.4.r.1a": (f"{_DOSE}/h:doseQuantity", "value"),
    "G.k.4.r.1b": (f"{_DOSE}/h:doseQuantity", "unit"),
    "G.k.4.r.4": (f"{_DOSE}/h:effectiveTime/h:low", "value"),
    "G.k.4.r.7": (
        f"{_DOSE}/h:consumable/h:instanceOfKind/h:productInstanceInstance/h:lotNumberText",
        None,
    ),
    "G.k.4.r.8": (f"{_DOSE}/h:text", None),
    "G.k.4.r.10": (f"{_DOSE}/h:routeCode", "code"),
    "G.k.8": (f"{PRODUCT}/h:inboundRelationship/h:act/h:code[@codeSystem='{_LIST}.15']", "code"),
    "G.k.9.i.2.r.1": (f"{OPINION}/h:author/h:assignedEntity/h:code/h:originalText", None),
    "G.k.9.i.2.r.2": (f"{OPINION}/h:methodCode/h:originalText", None),
    "G.k.9.i.2.r.3": (f"{OPINION}/h:value", None),
    "G.k.9.i.3.1": (f"{PRODUCT}/h:outboundRelationship1[@typeCode='SAS']/h:pauseQuantity", "value"),
    "H.1": (f"{CASE}/h:text", None),
    "H.4": (f"{_ASSESSMENT}/h:component1/h:observationEvent/h:value", None),
}


def told(xml: bytes, number: str) -> list[str | None]:
    """What a message says of an element, once for each time it occurs: the value, or the null flavour in its place."""
    path, attribute = PLACES[number]
    return [_read(each, attribute) for each in found(xml, path)]


def found(xml: bytes, path: str) -> list[Element]:
    return fromstring(xml).findall(path, NS)  # noqa: S314 - our own message


def _read(element: Element, attribute: str | None) -> str | None:
    flavour = element.get("nullFlavor")
    if flavour is not None:
        return flavour
    return element.text if attribute is None else element.get(attribute)


def a_course(**event: Any) -> Course:
    """A serious event that both have an opinion on, two days on."""
    course = Course().reported(grade=4, causality=opinion("probable"), **event)
    course.assessed(causality=opinion("possible"), became_aware_at=course.now)
    return course.wait(days=2)


def a_report(*, course: Course | None = None, **given: Any) -> ReportSubmitted:
    """The last report of a course, with a narrative."""
    course = course or a_course()
    sent = len(course.case.reports) + 1
    course.sent(sent, **{"narrative": NARRATIVE, "narrative_reference": "DOC-0007", **given})
    return course.case.reports[-1].sent


def with_content(report: ReportSubmitted, **changed: Any) -> ReportSubmitted:
    return report.model_copy(update={"content": report.content.model_copy(update=changed)})


def with_part(report: ReportSubmitted, part: str, **changed: Any) -> ReportSubmitted:
    """The same report with fields of one part of its content changed."""
    return with_content(report, **{part: getattr(report.content, part).model_copy(update=changed)})


def says(report: ReportSubmitted, number: str) -> list[str | None]:
    return told(icsr(report), number)
