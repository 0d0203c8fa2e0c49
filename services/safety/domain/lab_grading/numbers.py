"""Numbers as laboratories write them and send them: `120`, `1.5`, `<40`, `>= 1000`."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from services.safety.domain.lab_grading.facts import Measured, Qualifier, UnreadableValue
from shared.contracts.saying import Says

_NUMBER = re.compile(r"(?P<qualifier><=|>=|<|>|≤|≥)?\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?)")
_QUALIFIERS = {"≤": Qualifier.AT_MOST, "≥": Qualifier.AT_LEAST}


def _no_flag(given: object) -> object:
    if isinstance(given, bool):
        raise ValueError("a decimal as a string or a number, or null")  # noqa: TRY004 - as pydantic wants it
    return given


Number = Annotated[
    Annotated[str, Field(max_length=64)] | Decimal | None,
    BeforeValidator(_no_flag),
    Says("a decimal as a number or as a string of at most 64 characters, such as 120 or <40, or null"),
    Field(description="An exact decimal as a string or a JSON number", examples=["40"]),
]
"""One in a request: whether it can be read shows later."""


def measured(given: str | Decimal | None, unit: str | None) -> Measured:
    """A value that was sent, in the unit as reported.

    Raises:
        UnreadableValue: none was sent, or not a decimal.
    """
    qualifier, number = read("value", given)
    if number is None:
        raise UnreadableValue("no value was sent: send a decimal, such as 120 or <40")
    return Measured(number, unit, qualifier)


def plain(name: str, given: str | Decimal | None) -> Decimal | None:
    """One number without a qualifier, or None where none is given.

    Raises:
        UnreadableValue: not a decimal, or a bound.
    """
    qualifier, number = read(name, given)
    if qualifier is not None:
        raise UnreadableValue(f"{name} is one number, without < or >")
    return number


def read(name: str, given: str | Decimal | None) -> tuple[Qualifier | None, Decimal | None]:
    """A number with its qualifier; no more digits than any laboratory reports. None: there is none, or a blank text.

    Raises:
        UnreadableValue: not a decimal.
    """
    text = "" if given is None else str(given).strip()
    if not text:
        return None, None
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise UnreadableValue(f"{name} is not a decimal: send digits with a point, such as 1.5")
    number = Decimal(found["number"])
    exponent = number.as_tuple().exponent
    if len(number.as_tuple().digits) > 28 or not isinstance(exponent, int) or not -12 <= exponent <= 12:
        raise UnreadableValue(f"{name} has more than 28 digits or more than 12 decimal places")
    sign = found["qualifier"]
    return None if sign is None else _QUALIFIERS.get(sign) or Qualifier(sign), number
