"""Code systems of ICH E2B(R3), and the trial's words in their codes.

A value without a code of its own takes the nearest that says no more than is known; each such choice is marked [D] in
the README.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from shared.contracts.enrollment_terms import Route, Sex
from shared.contracts.safety import ActionTaken, Outcome, Seriousness
from shared.contracts.safety_cases import ReportKind
from shared.protocol import Qualification, SenderType, StudyType

_ICH = "2.16.840.1.113883.3.989.2.1"
HL7_INTERACTION = "2.16.840.1.113883.1.6"
HL7_TRIGGER = "2.16.840.1.113883.1.18"
HL7_ACT_CODE = "2.16.840.1.113883.5.4"
MEDDRA = "2.16.840.1.113883.6.163"
COUNTRY = "1.0.3166.1.2.2"
SEX = "1.0.5218"
EDQM_ROUTE = "0.4.0.127.0.16.1.1.2.6"

MESSAGE_TYPE, OBSERVATION, GROUPING, AUTHOR, RELATION, CHARACTERISTIC = 1, 19, 20, 21, 22, 23


class NullFlavour(StrEnum):
    """Why an element holds no value (HL7; those of them that E2B(R3) allows here)."""

    NO_INFORMATION = "NI"
    MASKED = "MSK"
    UNKNOWN = "UNK"
    ASKED_BUT_UNKNOWN = "ASKU"


def code_list(number: int) -> str:
    return f"{_ICH}.1.{number}"


def namespace(number: int) -> str:
    """Of an identifier, such as a batch's or a case's."""
    return f"{_ICH}.3.{number}"


def version_of(code_list_number: int) -> str:
    return "1.0" if code_list_number == CHARACTERISTIC else "2.0"


SENDER_TYPES: Mapping[str, str] = MappingProxyType(
    {
        SenderType.COMPANY: "1",
        SenderType.REGULATOR: "2",
        SenderType.HEALTH_PROFESSIONAL: "3",
        SenderType.REGIONAL_CENTRE: "4",
        SenderType.WHO_CENTRE: "5",
        SenderType.OTHER: "6",
    }
)
QUALIFICATIONS: Mapping[str, str] = MappingProxyType(
    {
        Qualification.PHYSICIAN: "1",
        Qualification.PHARMACIST: "2",
        Qualification.OTHER_HEALTH_PROFESSIONAL: "3",
        Qualification.LAWYER: "4",
        Qualification.CONSUMER: "5",
    }
)
STUDY_TYPES: Mapping[str, str] = MappingProxyType(
    {StudyType.CLINICAL_TRIAL: "1", StudyType.INDIVIDUAL_USE: "2", StudyType.OTHER: "3"},
)
CHANGES = MappingProxyType({ReportKind.NULLIFICATION: "1", ReportKind.AMENDMENT: "2"})
SEXES = MappingProxyType(
    {
        Sex.MALE: "1",
        Sex.FEMALE: "2",
        Sex.UNKNOWN: NullFlavour.UNKNOWN,
        Sex.UNDIFFERENTIATED: NullFlavour.UNKNOWN,
    }
)
# E.i.3.2a to f, with the code of each among the observations.
SERIOUSNESS = MappingProxyType(
    {
        "E.i.3.2a": (Seriousness.DEATH, "34"),
        "E.i.3.2b": (Seriousness.LIFE_THREATENING, "21"),
        "E.i.3.2c": (Seriousness.HOSPITALISATION, "33"),
        "E.i.3.2d": (Seriousness.DISABILITY, "35"),
        "E.i.3.2e": (Seriousness.CONGENITAL_ANOMALY, "12"),
        "E.i.3.2f": (Seriousness.MEDICALLY_IMPORTANT, "26"),
    }
)
OUTCOMES = MappingProxyType(
    {
        Outcome.RECOVERED: "1",
        Outcome.RECOVERING: "2",
        Outcome.NOT_RECOVERED: "3",
        Outcome.RECOVERED_WITH_SEQUELAE: "4",
        Outcome.FATAL: "5",
        Outcome.UNKNOWN: "0",
    }
)
ACTIONS = MappingProxyType(
    {
        ActionTaken.DRUG_WITHDRAWN: "1",
        ActionTaken.DRUG_INTERRUPTED: "1",
        ActionTaken.DOSE_REDUCED: "2",
        ActionTaken.DOSE_RATE_REDUCED: "2",
        ActionTaken.DOSE_INCREASED: "3",
        ActionTaken.DOSE_NOT_CHANGED: "4",
        ActionTaken.UNKNOWN: "0",
        ActionTaken.NOT_EVALUABLE: "0",
        ActionTaken.NOT_APPLICABLE: "9",
    }
)
# Only this code was found in two sources; the other routes are told in words (G.k.4.r.10.1).
ROUTES = MappingProxyType({Route.INTRAVENOUS: "ROA-20045000"})
