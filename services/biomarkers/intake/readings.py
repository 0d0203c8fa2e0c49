"""What a sent observation says once its codes, units and times are understood, or why that cannot be told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.intake.observations import SentObservation, Status, TakenCode, specimen_types, taken_codes

# HL7 v2.5.1, 2.A.22 (DTM): YYYYMMDDHHMM[SS[.S[S[S[S]]]]][+/-ZZZZ]; FHIR R4 dateTime with its time.
_HL7_TIME = re.compile(r"^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?(?:\.\d{1,6})?([+-]\d{4})?$")
_ISO_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$")
_NO_INSTANT = "the collection time is an instant: a date alone does not do"
_VALUE = re.compile(r"^([<>]=?)?([+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?)$")
_SPELLED = {"/ml": "/mL", "/ul": "/uL", "/l": "/L", "/dl": "/dL"}  # UCUM takes l and L alike; our table has L


class ReadingProblem(StrEnum):
    """Why an observation could not be read."""

    UNKNOWN_SOURCE = "unknown-source"
    UNKNOWN_SUBJECT = "unknown-subject"
    UNKNOWN_CODE = "unknown-code"
    UNKNOWN_SPECIMEN = "unknown-specimen"
    UNKNOWN_PLATFORM = "unknown-platform"
    BAD_VALUE = "bad-value"
    BAD_TIME = "bad-time"
    REFUSED = "refused"  # a rule of the service; the words say which
    CONFLICT = "conflict"  # another value stands


class Unreadable(Exception):
    """Why an observation could not be read; it never leaves this room."""

    def __init__(self, problem: ReadingProblem, says: str) -> None:
        super().__init__(says)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Known:
    """What observations are read with: their source if one is named, and participants by subject number."""

    source: ResultSource | None
    subjects: Mapping[str, UUID]


@dataclass(frozen=True, slots=True)
class Reading:
    """An observation that was understood. `value` None: it has none, and `qualifier` alone or the status says why."""

    participant_id: UUID
    taken: TakenCode
    status: Status
    value: Decimal | None
    qualifier: str | None
    unit: str | None
    collected_at: datetime
    specimen: str
    specimen_id: UUID | None
    platform: str | None
    kit: str | None
    lot: str | None
    lloq: Decimal | None
    uloq: Decimal | None


def read(sent: SentObservation, known: Known) -> Reading | None:
    """Read an observation. None: its sender's code is mapped to nothing, so it is not taken.

    Raises:
        Unreadable: with the problem, and what to send or to add.
    """
    taken = _taken(sent, known.source)
    if taken is None:
        return None
    withdrawn = sent.status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}
    value, qualifier = (None, None) if withdrawn and sent.value is None else _value(sent)
    platform = sent.platform or (known.source.registered.platform if known.source else None)
    if taken.kind == "cytokine" and platform is None:
        raise Unreadable(
            ReadingProblem.UNKNOWN_PLATFORM,
            "a cytokine needs its assay platform: name the method, or register the source with a platform",
        )
    return Reading(
        participant_id=_subject(sent, known),
        taken=taken,
        status=sent.status,
        value=value,
        qualifier=qualifier,
        unit=_unit(sent.unit),
        collected_at=instant(sent.collected, known.source.zone if known.source else None),
        specimen=_specimen(sent, taken),
        specimen_id=_uuid(sent.specimen_id),
        platform=platform,
        kit=sent.kit,
        lot=sent.lot,
        lloq=_limit(sent.lloq),
        uloq=_limit(sent.uloq),
    )


def _taken(sent: SentObservation, source: ResultSource | None) -> TakenCode | None:
    mapped = source.codes if source else {}
    for code in sent.codes:
        if code in mapped:
            key = mapped[code]
            return None if key is None else taken_codes()[key]
    for code in sent.codes:
        if code in taken_codes():
            return taken_codes()[code]
    raise Unreadable(
        ReadingProblem.UNKNOWN_CODE, "no LOINC code or key that is taken here, and no mapping of the sender's own code"
    )


def _subject(sent: SentObservation, known: Known) -> UUID:
    found = {known.subjects[number] for number in sent.subjects if number in known.subjects}
    if len(found) != 1:
        raise Unreadable(
            ReadingProblem.UNKNOWN_SUBJECT,
            "no subject number of one participant at your sites among the identifiers; one screened just now may "
            "still arrive",
        )
    return found.pop()


def _value(sent: SentObservation) -> tuple[Decimal, str | None]:
    match = _VALUE.match(re.sub(r"\s", "", sent.value or ""))
    comparator = (match.group(1) if match else None) or sent.comparator
    if match is None or comparator not in {None, "<", ">"}:
        raise Unreadable(
            ReadingProblem.BAD_VALUE, "the value is a number, alone or with the comparator < or > of its limit"
        )
    return _decimal(match.group(2)), comparator


def _limit(text: str | None) -> Decimal | None:
    if text is None:
        return None
    match = _VALUE.match(text)
    if match is None or match.group(1):
        raise Unreadable(ReadingProblem.BAD_VALUE, "a limit of quantification is a number")
    return _decimal(match.group(2))


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(format(Decimal(text), "f"))
    except InvalidOperation as error:  # an exponent that no measurement has
        raise Unreadable(ReadingProblem.BAD_VALUE, "the value is no decimal number") from error


def _unit(text: str | None) -> str | None:
    plain = (text or "").strip().replace("\u00b5", "u").replace("\u03bc", "u")
    for spelled, ours in _SPELLED.items():
        if plain.endswith(spelled):
            return plain.removesuffix(spelled) + ours
    return plain or None


def instant(text: str | None, zone: ZoneInfo | None) -> datetime:
    """An instant as HL7 or FHIR write it; without an offset it is in the zone of its source.

    Raises:
        Unreadable: it is no instant, or has no offset and no source that tells one.
    """
    plain = (text or "").strip()
    if not _HL7_TIME.match(plain) and not _ISO_TIME.match(plain):
        raise Unreadable(ReadingProblem.BAD_TIME, _NO_INSTANT)
    try:
        if match := _HL7_TIME.match(plain):
            date, clock = "-".join(match.group(1, 2, 3)), ":".join((*match.group(4, 5), match.group(6) or "00"))
            found = datetime.fromisoformat(f"{date}T{clock}{match.group(7) or ''}")
        else:
            found = datetime.fromisoformat(plain)
    except ValueError as error:
        raise Unreadable(ReadingProblem.BAD_TIME, _NO_INSTANT) from error
    if found.tzinfo is None:
        if zone is None:
            raise Unreadable(
                ReadingProblem.BAD_TIME, "the collection time needs its offset, or a source with a time zone"
            )
        found = found.replace(tzinfo=zone)
    if not 1900 <= found.year <= 9998:
        raise Unreadable(ReadingProblem.BAD_TIME, "the collection time is of no year that is taken")
    return found


def _specimen(sent: SentObservation, taken: TakenCode) -> str:
    if sent.specimen is None:
        return "serum" if taken.kind == "cytokine" else "blood"
    found = specimen_types().get(sent.specimen.upper())
    if found is None or (taken.kind == "cytokine") != (found in {"serum", "plasma"}):
        raise Unreadable(
            ReadingProblem.UNKNOWN_SPECIMEN, "a specimen type that is not known, or in which this is not measured"
        )
    return found


def _uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
