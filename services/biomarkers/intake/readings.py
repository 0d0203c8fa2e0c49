"""What a sent observation says once its codes, units and times are understood, or why that cannot be told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from services.biomarkers.domain.assays import Registry
from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.intake.known_specimens import KnownSpecimen, KnownSpecimens
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
    CONSENT_LACKING = "consent-lacking"  # taken again by itself once enrollment tells of more consent
    REFUSED = "refused"  # a rule of the service; the words say which
    CONFLICT = "conflict"  # another value stands


class Unreadable(Exception):
    """Why an observation could not be read; it never leaves this room."""

    def __init__(self, problem: ReadingProblem, says: str) -> None:
        super().__init__(says)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Known:
    """What observations are read with: their source if one is named, participants by subject number, specimens by the
    number on their tubes, the lots of assays, and who went from the source's site, with the last day there."""

    source: ResultSource | None
    subjects: Mapping[str, UUID]
    specimens: KnownSpecimens = field(default_factory=KnownSpecimens)
    lots: Registry = field(default_factory=Registry)
    gone: Mapping[UUID, date] = field(default_factory=dict)


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
    assay_lot_id: UUID | None = None
    assayed_at: datetime | None = None
    dilution_factor: Decimal | None = None
    dilution_corrected: bool | None = None
    replicates: tuple[tuple[Decimal | None, str | None], ...] = ()
    failed: bool = False


def read(sent: SentObservation, known: Known) -> Reading | None:
    """Read an observation. None: its sender's code is mapped to nothing, so it is not taken.

    Raises:
        Unreadable: with the problem, and what to send or to add.
    """
    taken = _taken(sent, known.source)
    if taken is None:
        return None
    value, qualifier = _value_of(sent)
    platform = sent.platform or (known.source.registered.platform if known.source else None)
    if taken.kind == "cytokine" and platform is None:
        raise Unreadable(
            ReadingProblem.UNKNOWN_PLATFORM,
            "a cytokine needs its assay platform: name the method, or register the source with a platform",
        )
    zone = known.source.zone if known.source else None
    tube = _tube(sent, known)
    participant_id = _subject(sent, known, tube)
    collected_at = tube.collected_at if tube and sent.collected is None else instant(sent.collected, zone)
    _refuse_after_leaving(participant_id, collected_at, known)
    return Reading(
        participant_id=participant_id,
        taken=taken,
        status=sent.status,
        value=value,
        qualifier=qualifier,
        unit=_unit(sent.unit),
        collected_at=collected_at,
        specimen=_specimen(sent, taken, tube),
        specimen_id=tube.specimen_id if tube else _uuid(sent.specimen_id),
        platform=platform,
        kit=sent.kit,
        lot=sent.lot,
        lloq=_limit(sent.lloq),
        uloq=_limit(sent.uloq),
        assay_lot_id=_assay_lot(known.lots, platform, sent),
        assayed_at=None if sent.assayed is None or zone is None else instant(sent.assayed, zone),
        dilution_factor=_limit(sent.dilution_factor),
        dilution_corrected=sent.dilution_corrected,
        replicates=tuple(map(_well, sent.replicates)),
        failed=sent.failed,
    )


def _refuse_after_leaving(participant_id: UUID, collected_at: datetime, known: Known) -> None:
    until = known.gone.get(participant_id)
    zone = known.source.zone if known.source else None
    if until is not None and collected_at.astimezone(zone).date() > until:
        raise Unreadable(
            ReadingProblem.UNKNOWN_SUBJECT,
            "the participant had been handed to another site when this was collected: its laboratory sends it",
        )


def _value_of(sent: SentObservation) -> tuple[Decimal | None, str | None]:
    withdrawn = sent.status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}
    if sent.value is None and (withdrawn or sent.failed or sent.replicates):
        return None, None
    if sent.value is None and sent.beyond is not None:
        return None, sent.beyond
    return _value(sent)


def _well(text: str) -> tuple[Decimal | None, str | None]:
    if text in {"<", ">"}:
        return None, text
    return _value(SentObservation(value=text))


def _tube(sent: SentObservation, known: Known) -> KnownSpecimen | None:
    """The specimen on record that the sender names, by its id or by a number on its tube."""
    found = known.specimens.named(sent.specimen_id, sent.accessions)
    if len(found) > 1:
        raise Unreadable(
            ReadingProblem.UNKNOWN_SPECIMEN, "several specimens on record bear this number: name one by its id"
        )
    return found[0] if found else None


def _assay_lot(lots: Registry, platform: str | None, sent: SentObservation) -> UUID | None:
    """The registered lot of this platform and kit, if it stands."""
    if sent.kit is None or sent.lot is None:
        return None
    named = (platform, sent.kit, sent.lot)
    for each in lots.registered:
        if (each.sheet.platform, each.sheet.kit, each.sheet.lot) == named and lots.is_standing(each):
            return each.assay_lot_id
    return None


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


def _subject(sent: SentObservation, known: Known, tube: KnownSpecimen | None) -> UUID:
    found = {known.subjects[number] for number in sent.subjects if number in known.subjects}
    if tube is not None and (found == {tube.participant_id} or not sent.subjects):
        return tube.participant_id
    if tube is not None and found:
        raise Unreadable(
            ReadingProblem.UNKNOWN_SUBJECT, "the specimen that is named is of another participant than the subject"
        )
    if len(found) != 1:
        raise Unreadable(
            ReadingProblem.UNKNOWN_SUBJECT,
            "no subject number of one participant at your sites among the identifiers, and no number of a specimen on "
            "record; one screened just now may still arrive",
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


def _specimen(sent: SentObservation, taken: TakenCode, tube: KnownSpecimen | None) -> str:
    if sent.specimen is None:
        usual = "serum" if taken.kind == "cytokine" else "blood"
        if tube is None or (taken.kind == "cytokine" and tube.type == "blood"):
            return usual  # serum may be told of a tube of blood
        return _fitting(tube.type, taken)
    return _fitting(specimen_types().get(sent.specimen.upper()), taken)


def _fitting(found: str | None, taken: TakenCode) -> str:
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
