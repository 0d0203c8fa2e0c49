"""A report of a case as an ICH E2B(R3) message: MCCI_IN200100UV01, a batch of one PORR_IN049016UV."""

from xml.etree.ElementTree import Element

from services.safety.domain.e2b import codes
from services.safety.domain.e2b.opinions import METHOD, on_product
from services.safety.domain.e2b.patient import primary_role
from services.safety.domain.e2b.product import product_reference
from services.safety.domain.e2b.reaction import reaction_reference
from services.safety.domain.e2b.tree import (
    act,
    boolean,
    coded,
    country,
    document,
    element,
    identifier,
    related,
    text_of,
    value_of,
)
from services.safety.domain.e2b.values import Values, missing, values
from shared.contracts.safety_cases import ReportSubmitted
from shared.kernel.errors import Conflict

BATCH, MESSAGE, TRIGGER = "MCCI_IN200100UV01", "PORR_IN049016UV", "PORR_TE049016UV"
CASE_NAMESPACE, WORLDWIDE_NAMESPACE, BATCH_NAMESPACE = 1, 2, 22
_SENDER, _DOCUMENT, _FIRST_SENDER, _PRIMARY_SOURCE = "1", "1", "1", "2"


class RequiredElementsMissing(Conflict):
    """The report lacks what every E2B(R3) message must have. `errors` lists each element by its number.

    A report that was sent is not changed: send a follow-up or an amendment that tells what is missing.
    """

    def __init__(self, lacking: list[tuple[str, str]]) -> None:
        listed = ", ".join(f"{number} ({meaning})" for number, meaning in lacking)
        super().__init__(f"the report lacks {listed}; tell it in a later report, or set it in the protocol")
        self.places = lacking


def icsr(report: ReportSubmitted) -> bytes:
    """The message as XML. It follows from the report alone, so the same report gives the same bytes.

    Raises:
        RequiredElementsMissing: something that every message must have is not known.
    """
    found = values(report)
    if lacking := missing(found):
        raise RequiredElementsMissing([(each.number, each.meaning) for each in lacking])
    return document(_batch(report, found))


def _batch(report: ReportSubmitted, found: Values) -> Element:
    return element(
        BATCH,
        {"ITSVersion": "XML_1.0"},
        identifier(found["N.1.2"], BATCH_NAMESPACE),
        element("creationTime", {"value": found["C.1.2"]}),
        element("responseModeCode", {"code": "D"}),
        _interaction(BATCH),
        coded("name", "1", codes.MESSAGE_TYPE),
        _message(report, found),
        _device("receiver", "RCV", found["N.1.4"], 14),
        _device("sender", "SND", found["N.1.3"], 13),
    )


def _message(report: ReportSubmitted, found: Values) -> Element:
    return element(
        MESSAGE,
        None,
        identifier(found["N.2.r.1"], CASE_NAMESPACE),
        element("creationTime", {"value": found["C.1.2"]}),
        _interaction(MESSAGE),
        element("processingCode", {"code": "P"}),
        element("processingModeCode", {"code": "T"}),
        element("acceptAckCode", {"code": "AL"}),
        _device("receiver", "RCV", found["N.2.r.3"], 12),
        _device("sender", "SND", found["N.2.r.2"], 11),
        act(
            "controlActProcess",
            "CACT EVN",
            element("code", {"code": TRIGGER, "codeSystem": codes.HL7_TRIGGER}),
            element("effectiveTime", {"value": found["C.1.2"]}),
            related("subject", "SUBJ", _investigation(report, found)),
        ),
    )


def _interaction(name: str) -> Element:
    return element("interactionId", {"root": codes.HL7_INTERACTION, "extension": name})


def _device(tag: str, type_code: str, value: str | None, number: int) -> Element:
    return related(tag, type_code, act("device", "DEV INSTANCE", identifier(value, number)))


def _investigation(report: ReportSubmitted, found: Values) -> Element:
    return act(
        "investigationEvent",
        "INVSTG EVN",
        identifier(found["C.1.1"], CASE_NAMESPACE),
        identifier(found["C.1.8.1"], WORLDWIDE_NAMESPACE),
        element("code", {"code": "PAT_ADV_EVNT", "codeSystem": codes.HL7_ACT_CODE}),
        text_of("text", found["H.1"]),
        element("statusCode", {"code": "active"}),
        element("effectiveTime", None, element("low", {"value": found["C.1.4"]})),
        element("availabilityTime", {"value": found["C.1.5"]}),
        _documents(found),
        related("component", "COMP", _assessment(report, found)),
        _component("1", found["C.1.6.1"]),
        _component("23", found["C.1.7"]),
        _first_sender(found),
        _reporter(found),
        _sender(found),
        _characteristic("1", coded("value", found["C.1.3"], 2, {"xsi:type": "CE"})),
        _characteristic("2", boolean(found["C.1.9.1"])),
        *_change(found),
    )


def _documents(found: Values) -> Element | None:
    title = text_of("title", found["C.1.6.1.r.1"])
    if title is None:
        return None
    return related("reference", "REFR", act("document", "DOC EVN", coded("code", _DOCUMENT, 27), title))


def _assessment(report: ReportSubmitted, found: Values) -> Element:
    """Patient, event and product, then how product and event belong together, then the sender's comment."""
    role = _causality(report, "20", coded("value", found["G.k.1"], 13, {"xsi:type": "CE"}))
    opinions = [
        _causality(
            report,
            "39",
            element("value", {"xsi:type": "ST"}, each.result),
            element("methodCode", None, element("originalText", None, METHOD)),
            related(
                "author",
                "AUT",
                act("assignedEntity", "ASSIGNED", element("code", None, element("originalText", None, each.source))),
            ),
            related("subject1", "SUBJ", reaction_reference("adverseEffectReference", report.adverse_event_id)),
        )
        for each in on_product(report.content)
    ]
    return act(
        "adverseEventAssessment",
        "INVSTG EVN",
        related("subject1", "SBJ", primary_role(report, found)),
        role,
        *opinions,
        _comment(found),
    )


def _causality(report: ReportSubmitted, code: str, value: Element, *content: Element) -> Element:
    assessed = act(
        "causalityAssessment",
        "OBS EVN",
        coded("code", code, codes.OBSERVATION),
        value,
        *content,
        related("subject2", "SUBJ", product_reference(report)),
    )
    return related("component", "COMP", assessed)


def _comment(found: Values) -> Element:
    author = act("assignedEntity", "ASSIGNED", coded("code", _SENDER, codes.AUTHOR))
    comment = act(
        "observationEvent",
        "OBS EVN",
        coded("code", "10", codes.OBSERVATION),
        text_of("value", found["H.4"], {"xsi:type": "ED"}),
        related("author", "AUT", author),
    )
    return related("component1", "COMP", comment)


def _component(code: str, value: str | None) -> Element:
    observed = act("observationEvent", "OBS EVN", coded("code", code, codes.OBSERVATION), boolean(value))
    return related("component", "COMP", observed)


def _first_sender(found: Values) -> Element:
    sender = coded("code", found["C.1.8.2"], 3)
    return related("outboundRelationship", "SPRT", _told_by(_FIRST_SENDER, act("assignedEntity", "ASSIGNED", sender)))


def _reporter(found: Values) -> Element:
    name = element("name", None, text_of("given", found["C.2.r.1.2"]), text_of("family", found["C.2.r.1.4"]))
    qualified = act("asQualifiedEntity", "QUAL", coded("code", found["C.2.r.4"], 6))
    located = act("asLocatedEntity", "LOCE", act("location", "COUNTRY INSTANCE", country("code", found["C.2.r.3"])))
    person = act("assignedPerson", "PSN INSTANCE", name, qualified, located)
    return related(
        "outboundRelationship",
        "SPRT",
        value_of("priorityNumber", found["C.2.r.5"], "value"),
        _told_by(_PRIMARY_SOURCE, act("assignedEntity", "ASSIGNED", person)),
    )


def _told_by(relation: str, who: Element) -> Element:
    told = act("controlActEvent", "CACT EVN", related("author", "AUT", who))
    return act(
        "relatedInvestigation",
        "INVSTG EVN",
        coded("code", relation, codes.RELATION),
        related("subjectOf2", "SUBJ", told),
    )


def _sender(found: Values) -> Element:
    organisation = act("representedOrganization", "ORG INSTANCE", text_of("name", found["C.3.2"]))
    department = act("representedOrganization", "ORG INSTANCE", act("assignedEntity", "ASSIGNED", organisation))
    sender = act("assignedEntity", "ASSIGNED", coded("code", found["C.3.1"], 7), department)
    return related("subjectOf1", "SUBJ", act("controlActEvent", "CACT EVN", related("author", "AUT", sender)))


def _characteristic(code: str, value: Element | None) -> Element:
    characteristic = act("investigationCharacteristic", "OBS EVN", coded("code", code, codes.CHARACTERISTIC), value)
    return related("subjectOf2", "SUBJ", characteristic)


def _change(found: Values) -> list[Element]:
    """C.1.11: that the case is amended or nullified, and why."""
    if found["C.1.11.1"] is None:
        return []
    why = element("value", {"xsi:type": "CE"}, text_of("originalText", found["C.1.11.2"]))
    return [
        _characteristic("3", coded("value", found["C.1.11.1"], 5, {"xsi:type": "CE"})),
        _characteristic("4", why),
    ]
