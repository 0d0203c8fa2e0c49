"""Numbers as laboratories write them: `120`, `1.5`, `<40`, `>= 1000`."""

import re
from decimal import Decimal

from services.safety.domain.laboratory.facts import Qualifier, UnreadableValue

_NUMBER = re.compile(r"(?P<qualifier><=|>=|<|>|≤|≥)?\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?)")
_QUALIFIERS = {"≤": Qualifier.AT_MOST, "≥": Qualifier.AT_LEAST}


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
