"""HL7 version 3 as a tree of XML: elements, coded values, null flavours, and the bytes of the whole."""

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, indent, tostring

from services.safety.domain.e2b import codes
from services.safety.domain.e2b.codes import NullFlavour
from services.safety.domain.e2b.values import Value

_NAMESPACES = {"xmlns": "urn:hl7-org:v3", "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"}
# What XML 1.0 has no place for, escaped or not (section 2.2, production Char).
_NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\ufffd"

Content = Element | str | None
Attributes = Mapping[str, str | None]


def element(tag: str, attributes: Attributes | None = None, *content: Content) -> Element:
    """An element with the attributes and children that are there: a None is left out."""
    made = Element(tag, {name: _legal(value) for name, value in (attributes or {}).items() if value is not None})
    for each in content:
        if isinstance(each, Element):
            made.append(each)
        elif each is not None:
            made.text = _legal(each)
    return made


def _legal(text: str) -> str:
    return _NO_CHARACTER.sub(_REPLACEMENT, text)


def act(tag: str, attributes: str, *content: Content) -> Element:
    """An element whose attributes are written `OBS EVN`: class and mood, or class and determiner of a thing."""
    class_code, _, second = attributes.partition(" ")
    name = "moodCode" if second == "EVN" else "determinerCode"
    return element(tag, {"classCode": class_code, name: second or None}, *content)


def related(tag: str, type_code: str, *content: Content) -> Element:
    return element(tag, {"typeCode": type_code}, *content)


def value_of(tag: str, value: Value, attribute: str, attributes: Attributes | None = None) -> Element | None:
    """An element with its value in an attribute, or the null flavour in its place; None where there is no value."""
    if value is None:
        return None
    name = "nullFlavor" if isinstance(value, NullFlavour) else attribute
    return element(tag, {**(attributes or {}), name: str(value)})


def text_of(tag: str, value: Value, attributes: Attributes | None = None) -> Element | None:
    """An element with its value as its text, or the null flavour in its place; None where there is no value."""
    if value is None:
        return None
    if isinstance(value, NullFlavour):
        return element(tag, {**(attributes or {}), "nullFlavor": str(value)})
    return element(tag, attributes, value)


def identifier(value: Value, number: int) -> Element | None:
    """An `id` within ICH's namespace of this number."""
    return value_of("id", value, "extension", {"root": codes.namespace(number)})


def coded(tag: str, code: str | None, number: int, attributes: Attributes | None = None) -> Element:
    """A code of the ICH code list of this number."""
    system = {"codeSystem": codes.code_list(number), "codeSystemVersion": codes.version_of(number)}
    return element(tag, {**(attributes or {}), "code": code, **system})


def observed(code: str, value: Element | None, *content: Content) -> Element:
    """An observation of the kind that a code of ICH's list 19 names."""
    return act("observation", "OBS EVN", coded("code", code, codes.OBSERVATION), value, *content)


def boolean(value: Value) -> Element | None:
    return value_of("value", value, "value", {"xsi:type": "BL"})


def country(tag: str, value: Value) -> Element | None:
    return value_of(tag, value, "code", {"codeSystem": codes.COUNTRY})


def document(root: Element) -> bytes:
    """UTF-8, with a declaration, indented. The same tree gives the same bytes."""
    for name, namespace in _NAMESPACES.items():
        root.set(name, namespace)
    indent(root, " ")
    encoded: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return encoded + b"\n"
