"""HL7 v2 ORU^R01, read leniently, and its acknowledgement.

Segments end in CR, LF or both; the separators are those that MSH names; segments and fields that are not read are
passed over. An own reader of what is needed: the library `hl7` (0.4.5, of 2022) keeps whole messages, names of people
with them, and wants CR and well-formed MSH, which laboratories do not always send.

Source: HL7 v2.5.1, chapter 2 (control, acknowledgement) and chapter 7 (observation reporting).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.biomarkers.intake.observations import (
    MOST_OBSERVATIONS,
    SentObservation,
    Status,
    accession_numbers,
    code_text,
    codes_of,
    number_beside,
    number_text,
    subject_numbers,
    unit_text,
)
from shared.kernel.errors import Unacceptable

# HL7 table 0085, with the lenient reading that no status is a final one.
_STATUSES = {
    "": Status.FINAL,
    "F": Status.FINAL,
    "U": Status.FINAL,
    "P": Status.PRELIMINARY,
    "R": Status.PRELIMINARY,
    "S": Status.PRELIMINARY,
    "C": Status.CORRECTED,
    "X": Status.CANCELLED,
    "D": Status.ENTERED_IN_ERROR,
    "W": Status.ENTERED_IN_ERROR,
}
_NO_RESULT = frozenset({"I", "N", "O"})  # the specimen is in the laboratory, or was not asked for: nothing to read
_SEGMENT_END = re.compile(r"\r\n|\r|\n")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
MOST_SEGMENTS = 5000


class NotHl7(Unacceptable):
    """The body is no HL7 v2 message that can be answered for: it begins with MSH, and is an ORU^R01."""


@dataclass(frozen=True, slots=True)
class Header:
    """What MSH says: who sends, and what the message is known by. Empty where it says nothing."""

    application: str = ""
    facility: str = ""
    message_type: str = ""
    control_id: str = ""
    processing: str = "P"
    version: str = "2.5.1"

    @property
    def source_id(self) -> str:
        """The sender as its source is registered."""
        return f"{_plain(self.application)}@{_plain(self.facility)}"


@dataclass(frozen=True, slots=True)
class Message:
    """What is read of an ORU^R01."""

    header: Header
    observations: tuple[SentObservation, ...]


@dataclass(frozen=True, slots=True)
class _Separators:
    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str

    def unescaped(self, text: str) -> str:
        """Text with what stood for separators put back (2.7.1), as in `10\\S\\9/L`; other sequences stay."""
        if self.escape not in text:
            return text
        meant = {"F": self.field, "S": self.component, "T": self.subcomponent, "R": self.repetition, "E": self.escape}
        mark = re.escape(self.escape)
        return re.sub(f"{mark}([FSTRE]){mark}", lambda found: meant[found[1]], text)


class _Segment:
    """One line of a message. Fields count from 1, as in the standard."""

    def __init__(self, line: str, separators: _Separators) -> None:
        self._fields = line.split(separators.field)
        self._separators = separators
        self.name = self._fields[0].strip().upper()

    def field(self, number: int) -> str:
        return self._fields[number].strip() if number < len(self._fields) else ""

    def repetitions(self, number: int) -> list[str]:
        return self.field(number).split(self._separators.repetition)

    def component(self, number: int, place: int = 1, repetition: int = 0) -> str:
        return _component(self.repetitions(number)[repetition], place, self._separators)

    def components(self, number: int, *places: int) -> list[str]:
        return [self.component(number, place) for place in places]


def _component(text: str, place: int, separators: _Separators) -> str:
    parts = text.split(separators.component)
    found = parts[place - 1].split(separators.subcomponent)[0].strip() if place <= len(parts) else ""
    return "" if found == '""' else separators.unescaped(found)  # HL7's explicit null


def header_of(content: bytes) -> Header:
    """The sender and the control id as far as they can be read, so that even a refusal can name its message."""
    try:
        return _header(_segments(content)[0])
    except NotHl7:
        return Header()


def read(content: bytes) -> Message:
    """Read a message.

    Raises:
        NotHl7: it does not begin with MSH, is of another type, or holds no observation.
    """
    segments = _segments(content)
    header = _header(segments[0])
    if len(segments) > MOST_SEGMENTS:
        raise NotHl7(f"at most {MOST_SEGMENTS} segments in one message")
    if header.message_type not in {"ORU^R01", "ORU"}:
        raise NotHl7("MSH-9 names another message than ORU^R01, the one that is taken here")
    if not header.control_id:
        raise NotHl7("MSH-10 is no control id of 1 to 64 printable characters, by which a message sent twice is known")
    observations = _observations(segments)
    if not observations:
        raise NotHl7("the message holds no OBX with a result")
    if len(observations) > MOST_OBSERVATIONS:
        raise NotHl7(f"at most {MOST_OBSERVATIONS} OBX in one message")
    return Message(header, observations)


def _segments(content: bytes) -> list[_Segment]:
    text = _decoded(content).strip("\x0b\x1c\r\n\t \ufeff")
    lines = [line for line in _SEGMENT_END.split(text) if line.strip()]
    if not lines or not lines[0].startswith("MSH") or len(lines[0]) < 8:
        raise NotHl7("the message does not begin with the segment MSH")
    field = lines[0][3]
    named = lines[0][4:].split(field, 1)[0]
    if field.isalnum() or field.isspace():
        raise NotHl7("MSH-1 names no separator of fields")
    separators = _Separators(field, *(named[place] if place < len(named) else usual for place, usual in _USUAL))
    return [_Segment(line, separators) for line in lines]


_USUAL = ((0, "^"), (1, "~"), (2, "\\"), (3, "&"))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # every byte is a character of it


def _header(segment: _Segment) -> Header:
    # MSH-1 is the separator itself, so MSH-n is the part before number n.
    kind, trigger = segment.component(8, 1).upper(), segment.component(8, 2).upper()
    return Header(
        application=segment.component(2),
        facility=segment.component(3),
        message_type=f"{kind}^{trigger}" if trigger else kind,
        control_id=code_text(segment.component(9)) or "",
        processing=segment.component(10) or "P",
        version=segment.component(11) or "2.5.1",
    )


def _observations(segments: Sequence[_Segment]) -> tuple[SentObservation, ...]:
    found: list[SentObservation] = []
    subjects: tuple[str, ...] = ()
    about = specimen = None
    number = 0
    of_order: list[int] = []  # the observations of the order at hand: an SPM may follow them
    for segment in segments:
        match segment.name:
            case "PID":
                subjects, about, specimen, of_order = _subjects(segment), None, None, []
            case "OBR":
                about, specimen, of_order = segment, None, []
            case "SPM":
                specimen = segment
                for place in of_order:
                    found[place] = found[place].model_copy(update=_specimen(specimen, found[place]))
            case "OBX":
                number += 1
                if segment.field(11).upper() not in _NO_RESULT:
                    of_order.append(len(found))
                    found.append(_observation(segment, number, subjects, about, specimen))
    return tuple(found)


def _subjects(segment: _Segment) -> tuple[str, ...]:
    identifiers = [segment.component(3, 1, place) for place in range(len(segment.repetitions(3)))]
    return subject_numbers([*identifiers, segment.component(2), segment.component(4)])


def _observation(
    segment: _Segment, number: int, subjects: tuple[str, ...], about: _Segment | None, specimen: _Segment | None
) -> SentObservation:
    value, comparator = _value(segment)
    status = _STATUSES.get(segment.field(11).upper())
    collected = (about.component(7) if about else "") or segment.component(14)
    sent = SentObservation(
        place=f"OBX[{number}]",
        subjects=subjects,
        codes=codes_of(segment.components(3, 1, 4)),
        status=status or Status.PRELIMINARY,  # an unknown one supersedes nothing
        value=value,
        comparator=comparator,
        unit=unit_text(segment.component(6)),
        collected=code_text(collected),
        specimen=code_text(about.component(15)) if about else None,
        accessions=accession_numbers([about.component(3)]) if about else (),
        platform=_platform(segment),
    )
    return sent if specimen is None else sent.model_copy(update=_specimen(specimen, sent))


def _value(segment: _Segment) -> tuple[str | None, str | None]:
    """OBX-5: a number (NM), a structured number `<^2.5` (SN), or a number in text (ST)."""
    if segment.field(2).upper() != "SN":
        return number_text(segment.component(5)), None
    comparator, value = segment.component(5, 1), segment.component(5, 2)
    if segment.component(5, 3):  # `2^-^5` is a range and `1^:^128` a titre: no number
        return None, None
    return number_beside("" if comparator == "=" else comparator, value)


def _platform(segment: _Segment) -> str | None:
    from_method = segment.component(17) or segment.component(18)
    plain = re.sub(r"[^A-Za-z0-9 ._/+:-]", "-", from_method).strip(" -")
    return plain if plain and plain[0].isalnum() and len(plain) <= 64 else None


def _specimen(segment: _Segment, sent: SentObservation) -> dict[str, Any]:
    """SPM tells the specimen, its number, and when it was collected, better than OBR does.

    SPM-30 is the accession id (v2.7), SPM-2 the numbers of who ordered and who has it.
    """
    numbers = [segment.component(30), segment.component(2, 2), segment.component(2)]
    found = {
        "specimen": code_text(segment.component(4)),
        "specimen_id": code_text(segment.component(2)),
        "collected": code_text(segment.component(17)),
    }
    told = {name: value for name, value in found.items() if value is not None}
    accessions = accession_numbers([*numbers, *sent.accessions])
    return {"collected": sent.collected, "accessions": accessions, **told}


def _plain(text: str) -> str:
    """A name as a source id has it; an empty one is `NONE`."""
    return _NOT_PLAIN.sub("-", text.strip())[:32].lstrip("._-") or "NONE"


def acknowledgement(header: Header, code: str, errors: Sequence[tuple[str, str]], at: datetime) -> str:
    """An ACK of this message: `AA` taken, `AE` some of it waits in quarantine, `AR` refused and not kept.

    `errors` are places and words of our own; nothing that was sent is quoted but what names the message.
    """
    stamp = at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    to = [_safe(each) for each in (header.application, header.facility)]
    control, version = _safe(header.control_id), _safe(header.version) or "2.5.1"
    msh = f"MSH|^~\\&|CMD03|BIOMARKERS|{to[0]}|{to[1]}|{stamp}||ACK^R01^ACK|{control}|{_safe(header.processing) or 'P'}"
    lines = [f"{msh}|{version}", f"MSA|{code}|{control}"]
    # ERR-3 table 0357: 204 unknown key, 207 application error; ERR-4: E error; ERR-8: words for people
    lines += [f"ERR||{_safe(place)}|207^Application error^HL70357|E||||{_safe(words)}" for place, words in errors[:50]]
    return "\r".join(lines) + "\r"


def _safe(text: str) -> str:
    """Text without what would separate fields."""
    return re.sub(r"[|^~\\&\x00-\x1f\x7f]", " ", text)[:250].strip()
