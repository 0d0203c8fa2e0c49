"""CSV after RFC 4180, in which no cell is ever a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

FORMULA_SIGNS = ("=", "+", "-", "@")
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A flat table: its name, its columns, its rows."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


def as_csv(sheet: Sheet) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(sheet.columns)
    writer.writerows([cell(value) for value in row] for row in sheet.rows)
    return text.getvalue()


def cell(value: object) -> object:
    """What is missing is empty. A text that a spreadsheet would run as a formula begins with an apostrophe.

    Source: OWASP, "CSV Injection".
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return _harmless(_text(value))


def _text(value: object) -> str:
    if isinstance(value, tuple | list):
        return "; ".join(map(_text, value))
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    match value:
        case Enum():
            return str(value.value)
        case Decimal():
            return format(value, "f")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _harmless(text: str) -> str:
    if _NUMBER.match(text):
        return text
    is_formula = text.lstrip().startswith(FORMULA_SIGNS) or text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if is_formula else text
