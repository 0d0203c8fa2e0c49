"""One observation as a feed sent it, whatever its format: the few fields that are read, and nothing else of a message.

This is also what the quarantine keeps, so names, birth dates and free text of a message are never stored anywhere.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

# `<site>-<number>` (shared.contracts.enrollment_terms). What has another shape may be a hospital number: it is dropped.
_SUBJECT_NUMBER = re.compile(r"^[A-Z0-9]{2,12}-[0-9]{3,4}$")
_ACCESSION = re.compile(r"^(?=.*\d)[A-Za-z0-9][A-Za-z0-9._/#:+-]{0,63}$")
_CODE = re.compile(r"^[!-~]+( [!-~]+)*$")
_NUMBER = re.compile(r"^(?:[<>]=?)?[+-]?[0-9.,eE+-]{1,40}$")
_COMPARATORS = frozenset({"", "<", ">", "<=", ">="})
MOST_OBSERVATIONS = 1000


class Status(StrEnum):
    """What a sender says of an observation (FHIR `Observation.status`, HL7 table 0085)."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class SentObservation(BaseModel):
    """What is read of one observation, as text: everything in it may be wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str = ""  # where it stood, such as `OBX[3]` or `Bundle.entry[2].resource`
    subjects: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    status: Status = Status.FINAL
    value: str | None = None
    comparator: str | None = None
    unit: str | None = None
    collected: str | None = None
    specimen: str | None = None
    specimen_id: str | None = None
    platform: str | None = None
    kit: str | None = None
    lot: str | None = None
    lloq: str | None = None
    uloq: str | None = None
    accessions: tuple[str, ...] = ()  # numbers, one of which may stand on the tube (`Collection.label`)
    dilution_factor: str | None = None
    dilution_corrected: bool | None = None
    replicates: tuple[str, ...] = ()  # wells of one sample: `12.5`, `<3.2`, `>`
    beyond: str | None = None  # `<` or `>` without its limit, which the lot of the assay tells
    failed: bool = False  # no well holds a number
    assayed: str | None = None


@dataclass(frozen=True, slots=True)
class TakenCode:
    """What an observation measures: one cytokine of a panel, or one field of a flow or a transgene report."""

    key: str
    kind: str
    field: str


@cache
def taken_codes() -> dict[str, TakenCode]:
    """Codes that need no mapping: our keys, and LOINC."""
    found: dict[str, TakenCode] = {}
    for row in _rows("taken_codes.csv"):
        taken = TakenCode(row["key"], row["kind"], row["field"])
        found |= {name: taken for name in (row["key"], row["loinc"]) if name}
    return found


@cache
def specimen_types() -> dict[str, str]:
    """Specimen types by the codes of HL7 and SNOMED CT, and by our own terms."""
    return {row["code"].upper(): row["type"] for row in _rows("specimen_codes.csv")}


@cache
def pcr_methods() -> dict[str, str]:
    """Methods of PCR by the names that laboratories give them, in capitals, and by our own terms."""
    return {row["name"].upper(): row["method"] for row in _rows("pcr_methods.csv")}


def subject_numbers(texts: Iterable[str | None]) -> tuple[str, ...]:
    """The subject numbers among identifiers of a person; all others are forgotten."""
    return tuple(dict.fromkeys(text.strip() for text in texts if text and _SUBJECT_NUMBER.match(text.strip())))


def code_text(text: str | None) -> str | None:
    """A code that may be kept: printable, of at most 64 characters. Longer ones are prose, which may name somebody."""
    plain = (text or "").strip()
    return plain if _CODE.match(plain) and len(plain) <= 64 else None


def unit_text(text: str | None) -> str | None:
    """A unit that may be kept: UCUM has none with a blank, and what has one may be somebody's name."""
    plain = code_text(text)
    return None if plain and " " in plain else plain


def accession_numbers(texts: Iterable[str | None]) -> tuple[str, ...]:
    """What may stand on a tube: it has a digit and no blank. All else may be somebody's name: it is dropped."""
    return tuple(dict.fromkeys(text.strip() for text in texts if text and _ACCESSION.match(text.strip())))


def number_text(text: str | None) -> str | None:
    """A number as text, with its `<` or `>`. Words are dropped: a result in words is none that can be recorded."""
    plain = re.sub(r"\s", "", text or "")
    return plain if _NUMBER.match(plain) else None


def number_beside(comparator: str | None, text: str | None) -> tuple[str | None, str | None]:
    """A number and its comparator; neither where the comparator is none that is read: the number is not exact."""
    plain = (comparator or "").strip()
    return (number_text(text), plain or None) if plain in _COMPARATORS else (None, None)


def codes_of(texts: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for text in texts if (code := code_text(text)) is not None))


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
