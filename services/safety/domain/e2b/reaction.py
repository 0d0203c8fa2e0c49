"""The adverse event in an E2B(R3) message (E.i). Seriousness is the event's, and true or not said."""

from uuid import UUID
from xml.etree.ElementTree import Element

from services.safety.domain.e2b import codes
from services.safety.domain.e2b.tree import act, boolean, coded, country, element, observed, related, text_of, value_of
from services.safety.domain.e2b.values import Values


def reaction_reference(tag: str, adverse_event_id: UUID) -> Element:
    """Points at the event from within the message, by the event's own id (G.k.9.i.1)."""
    return act(tag, "OBS EVN", element("id", {"root": str(adverse_event_id)}))


def reaction(adverse_event_id: UUID, found: Values) -> Element:
    return act(
        "observation",
        "OBS EVN",
        element("id", {"root": str(adverse_event_id)}),
        coded("code", "29", codes.OBSERVATION),
        _period(found),
        _term(found),
        _place(found),
        *(related("outboundRelationship2", "PERT", each) for each in _told(found)),
    )


def _period(found: Values) -> Element:
    low = value_of("low", found["E.i.4"], "value")
    high = value_of("high", found["E.i.5"], "value")
    return element("effectiveTime", {"xsi:type": "IVL_TS"}, low, high)


def _term(found: Values) -> Element:
    system = {"codeSystem": codes.MEDDRA, "codeSystemVersion": found["E.i.2.1a"]}
    reported = text_of("originalText", found["E.i.1.1a"], {"language": found["E.i.1.1b"]})
    return element("value", {"xsi:type": "CE", "code": found["E.i.2.1b"], **system}, reported)


def _place(found: Values) -> Element:
    place = act("locatedPlace", "COUNTRY INSTANCE", country("code", found["E.i.9"]))
    return related("location", "LOC", act("locatedEntity", "LOCE", place))


def _told(found: Values) -> list[Element]:
    outcome = coded("value", found["E.i.7"], 11, {"xsi:type": "CE"})
    translation = text_of("value", found["E.i.1.2"], {"xsi:type": "ED"})
    return [
        *([] if translation is None else [observed("30", translation)]),
        *(observed(code, boolean(found[number])) for number, (_, code) in codes.SERIOUSNESS.items()),
        observed("27", outcome),
    ]
