"""Terms that more than one service speaks: ids, partial dates, texts that name nobody, measurements."""

import re
from calendar import monthrange
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, StringConstraints

from shared.contracts.saying import Says

ParticipantId = UUID
SiteId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9]{2,12}$"),
    Says("a site's code: 2 to 12 capitals and digits, such as CU"),
    Field(description="A site's short code", examples=["CU"]),
]

BirthMonth = Annotated[
    str,
    StringConstraints(pattern=r"^(19|20)\d{2}-(0[1-9]|1[0-2])$"),
    Says("a year and a month of birth, such as 2017-03; the day is never taken"),
    Field(description="Year and month of birth; the day is never taken", examples=["2017-03"]),
]


def _is_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not an IANA time zone; send one such as Asia/Bangkok") from None
    return name


KnownTimeZone = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_is_time_zone),
    Field(description="An IANA time zone", examples=["Asia/Bangkok"]),
]
"""What a command takes. An event keeps the name as it was taken: zones come and go."""

ProtocolRef = Annotated[str, Field(description="Protocol and version a decision rests on", examples=["CMD03@1.0.0"])]


@lru_cache(maxsize=4096)
def _is_partial_date(text: str) -> str:
    parts = [int(part) for part in text.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    date(year, month, day)
    return text


def _written_out(given: object) -> object:
    """A number, or digits alone, would be read as seconds since 1970: `20260314` is a day in August of that year."""
    if isinstance(given, date) or (isinstance(given, str) and given[4:5] == "-"):
        return given
    raise ValueError("not written out")


Day = Annotated[date, BeforeValidator(_written_out), Says("a day of the calendar, such as 2026-03-14")]

Flag = Annotated[bool, Field(strict=True)]  # `0`, "no" and "off" are not an answer


PartialDate = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$"),
    AfterValidator(_is_partial_date),
    Says("a date of the calendar as far as it is known: 2026-03-14, 2026-03 or 2026"),
    Field(
        description="An ISO 8601 date as far as it is known: 2026, 2026-03 or 2026-03-14",
        examples=["2026-03-14", "2026-03"],
    ),
]


@lru_cache(maxsize=4096)
def earliest(partial: str) -> date:
    """The first day that a partial date can mean. A command compares the same few dates dozens of times."""
    year, month, day = (*map(int, partial.split("-")), 1, 1)[:3]
    return date(year, month, day)


def latest(partial: str) -> date:
    """The last day that a partial date can mean."""
    first = earliest(partial)
    match partial.count("-"):
        case 0:
            return date(first.year, 12, 31)
        case 1:
            return first.replace(day=monthrange(first.year, first.month)[1])
        case _:
            return first


# Signs that a text carries a direct identifier. They catch the common slip, not the determined writer:
# no pattern can prove that a text names nobody, so texts stay short and forms say what they are for.
_ISO_DATE = r"(?:19|20)\d\d-[01]\d-[0-3]\d\b"  # with a time or a count behind it, it has nine digits too
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_YEAR = r"\b(?:19|20|24|25)\d\d\b(?!\s*g\b)"  # of the Gregorian or the Thai calendar; not a birth weight
_DATE = re.compile(
    rf"{_YEAR}|\b\d{{1,2}}([./-])\d{{1,2}}\1\d{{2,4}}\b|\b\d{{6}}(?:\d\d)?\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}|\b{_MONTH}\s+'?\d{{1,2}}\b",
    re.IGNORECASE,
)
_BIRTH = re.compile(
    r"\b(?:born|DOB|birthday|birth ?date|(?:date|day|month|year) of birth|birth(?=\s*:))\b|\bD\.O\.B\b\.?|วันเกิด",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.;]\s+(?=[A-Z])|;")
_NEAR = 40  # characters
_IDENTIFYING = (
    (re.compile(r"\S@[^\s@]+\.\S"), "an e-mail address"),
    (
        re.compile(rf"(?<!\d)(?:(?!{_ISO_DATE})\d[ -]?){{9,}}"),
        "a long number, such as a national id or a telephone number",
    ),
    (re.compile(r"\b(?:HN|MRN|AN)\W{0,3}\d{3,}", re.IGNORECASE), "a hospital number"),
    (re.compile(r"(?:ด\.ช\.|ด\.ญ\.|เด็กชาย|เด็กหญิง|นางสาว|นาย|นาง)\s*\S+"), "a title and a name"),
    (re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Master)\b\.?\s+[A-Z]", re.IGNORECASE), "a title and a name"),
)


def _names_nobody(text: str) -> str:
    for pattern, what in _IDENTIFYING:
        if pattern.search(text):
            raise ValueError(f"this text seems to hold {what}; describe the matter without naming anybody")
    if _dates_a_birth(text):
        raise ValueError("this text seems to hold a date of birth; describe the matter without naming anybody")
    return text


def _dates_a_birth(text: str) -> bool:
    """A birth with a date, a month and its year, or a year near it in the same sentence."""
    return any(
        _DATE.search(_SENTENCE_END.split(text[max(birth.start() - _NEAR, 0) : birth.start()])[-1])
        or _DATE.search(_SENTENCE_END.split(text[birth.end() : birth.end() + _NEAR])[0])
        for birth in _BIRTH.finditer(text)
    )


def _plain_text(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 or 0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise ValueError("one line of plain text: control characters are not accepted")
    return text


ShortText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_plain_text),
    AfterValidator(_names_nobody),
    Field(description="A short text that names nobody"),
]

ActorId = Annotated[str, Field(description="As in the envelope: the decision that two people made depends on it")]

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=500),
    AfterValidator(_plain_text),
    AfterValidator(_names_nobody),
    Field(description="Why, in words that name nobody", examples=["Transcription error: the scan report says 24 mm"]),
]


def _plain_lines(text: str) -> str:
    return "\n".join(_plain_text(line) for line in text.split("\n"))


Narrative = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
    AfterValidator(_plain_lines),
    AfterValidator(_names_nobody),
    Field(description="The course of an event in plain lines that name nobody and give no date of birth"),
]

Code = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/+:-]{0,63}$"),
    Says("a code of at most 64 letters, digits, blanks and . _ / + : - that begins with a letter or a digit"),
    Field(description="A code or identifier of a thing, never of a person"),
]


def _numbers_something(text: str) -> str:
    if not any(character.isdigit() for character in text):
        raise ValueError("a reference number has a digit; a word alone could be a name")
    return text


ReferenceNumber = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[A-Z0-9][A-Z0-9./_-]{0,39}$"),
    Says("a reference number of at most 40 capitals, digits and . / _ - without blanks, such as IRB-0456/26"),
    AfterValidator(_numbers_something),
    AfterValidator(_names_nobody),
    Field(description="The number on a letter: capitals, digits and . / _ - without blanks", examples=["IRB-0456/26"]),
]


def _plain_decimal(value: Decimal) -> Decimal:
    if len(value.as_tuple().digits) > 28:
        raise ValueError("at most 28 significant digits")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not -12 <= exponent <= 12:
        raise ValueError("at most 12 decimal places and no power of ten beyond 12")
    return value


def _decimal_text(value: Decimal) -> str:
    return format(value, "f")


Measurement = Annotated[
    Decimal,
    AfterValidator(_plain_decimal),
    PlainSerializer(_decimal_text, return_type=str, when_used="json"),
    Field(description="An exact decimal, as a JSON number or a string", examples=["12.5"]),
]


def _within_every_calendar(at: datetime) -> datetime:
    """At the ends of the calendar an instant has no date in some time zones."""
    if not 1900 <= at.year <= 9998:
        raise ValueError("an instant of the years 1900 to 9998")
    return at


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_written_out),
    AfterValidator(_within_every_calendar),
    Says("an instant with its offset from UTC, of the years 1900 to 9998, such as 2026-03-14T10:30:00+07:00"),
    Field(description="An RFC 3339 instant with its offset", examples=["2026-03-14T10:30:00+07:00"]),
]
