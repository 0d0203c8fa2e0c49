"""The patient in an E2B(R3) message, by number and never by name (D): the study (C.5), the event and the product."""

from xml.etree.ElementTree import Element

from services.safety.domain.e2b import codes
from services.safety.domain.e2b.product import product
from services.safety.domain.e2b.reaction import reaction
from services.safety.domain.e2b.tree import (
    act,
    boolean,
    coded,
    country,
    element,
    identifier,
    observed,
    related,
    text_of,
    value_of,
)
from services.safety.domain.e2b.values import Values
from shared.contracts.safety_cases import ReportSubmitted

_INVESTIGATION_NUMBER = "4"


def primary_role(report: ReportSubmitted, found: Values) -> Element:
    return act(
        "primaryRole",
        "INVSBJ",
        _person(found),
        related("subjectOf1", "SBJ", _study(found)),
        *(related("subjectOf2", "SBJ", each) for each in _observations(found)),
        related("subjectOf2", "SBJ", reaction(report.adverse_event_id, found)),
        related("subjectOf2", "SBJ", product(report, found)),
    )


def _person(found: Values) -> Element:
    number = act(
        "asIdentifiedEntity",
        "IDENT",
        identifier(found["D.1.1.4"], 10),
        coded("code", _INVESTIGATION_NUMBER, 4),
    )
    return act(
        "player1",
        "PSN INSTANCE",
        text_of("name", found["D.1"]),
        value_of("administrativeGenderCode", found["D.5"], "code", {"codeSystem": codes.SEX}),
        value_of("deceasedTime", found["D.9.1"], "value"),
        number,
    )


def _study(found: Values) -> Element:
    place = act("governingPlace", "COUNTRY INSTANCE", country("code", found["C.5.1.r.2"]))
    registration = act(
        "studyRegistration",
        "ACT EVN",
        identifier(found["C.5.1.r.1"], 6),
        related("author", "AUT", act("territorialAuthority", "TERR", place)),
    )
    return act(
        "researchStudy",
        "CLNTRL EVN",
        identifier(found["C.5.3"], 5),
        coded("code", found["C.5.4"], 8),
        text_of("title", found["C.5.2"]),
        related("authorization", "AUTH", registration),
    )


def _observations(found: Values) -> list[Element]:
    """Age or age group, weight, and what a death was put down to."""
    age = {"xsi:type": "PQ", "unit": found["D.2.2b"]}
    weight = {"xsi:type": "PQ", "unit": "kg"}
    age_group = {"xsi:type": "CE", "codeSystem": codes.code_list(9)}
    values = {
        "3": value_of("value", found["D.2.2a"], "value", age),
        "4": value_of("value", found["D.2.3"], "code", age_group),
        "7": value_of("value", found["D.3"], "value", weight),
        "32": _cause_of_death(found),
        "5": boolean(found["D.9.3"]),
    }
    return [observed(code, value) for code, value in values.items() if value is not None]


def _cause_of_death(found: Values) -> Element | None:
    if found["D.9.2.r"] is None:
        return None
    return element(
        "value",
        {
            "xsi:type": "CE",
            "code": found["E.i.2.1b"],
            "codeSystem": codes.MEDDRA,
            "codeSystemVersion": found["E.i.2.1a"],
        },
        text_of("originalText", found["D.9.2.r"]),
    )
