"""The definitions of CTCAE's grades, from the official workbook that an operator has loaded.

The dictionary that ships holds terms, codes, classes and offered grades. The NCI's wording is shown beside them where
somebody has loaded its workbook:

    python -m services.safety ctcae import CTCAE_v5.0.xlsx

Editions stand side by side, each under its number; loading one again replaces it as a whole.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import delete, insert, select

from services.safety.domain import ctcae
from services.safety.tables import ctcae_definitions
from shared.db import Database
from shared.kernel.errors import Unacceptable

GRADES = (1, 2, 3, 4, 5)
_EDITION = re.compile(r"CTCAE\s*v?(?:ersion)?\s*(\d+\.\d+)", re.IGNORECASE)
_NOT_OFFERED = frozenset({"", "-", "\u2013", "\u2014"})
_LARGEST = 16 * 1024 * 1024  # bytes; the workbook of v5.0 has less than half a megabyte


class WorkbookUnreadable(Unacceptable):
    """This is no CTCAE workbook of the NCI; the message says what is missing."""


class Definitions(BaseModel):
    """The wording of one edition for one term."""

    edition: str = Field(examples=["5.0"])
    definition: str | None = Field(description="What the term means")
    note: str | None = Field(description="Navigational note")
    grades: dict[int, str] = Field(description="The definition of each offered grade")


@dataclass(frozen=True, slots=True)
class Row:
    """One term of a workbook."""

    meddra_code: str
    definition: str | None
    note: str | None
    grades: Mapping[int, str]


async def definitions(db: Database, meddra_code: str) -> list[Definitions]:
    """What the loaded editions say of a term, in the order of their numbers. Empty: none is loaded, or none has it."""
    query = select(ctcae_definitions).where(ctcae_definitions.c.meddra_code == meddra_code)
    async with db.connect() as connection:
        rows = (await connection.execute(query.order_by(ctcae_definitions.c.edition))).all()
    return [_shown(row) for row in rows]


def _shown(row: Any) -> Definitions:
    grades = {grade: getattr(row, f"grade_{grade}") for grade in GRADES}
    return Definitions(
        edition=row.edition,
        definition=row.definition,
        note=row.note,
        grades={grade: text for grade, text in grades.items() if text is not None},
    )


async def run(db: Database, words: Sequence[str]) -> str:
    """`ctcae import FILE`: load a workbook."""
    match words:
        case ["import", file]:
            edition, rows = read(Path(file))
            await _replace(db, edition, rows)
            return f"CTCAE {edition}: the definitions of {len(rows)} terms"
        case _:
            raise WorkbookUnreadable("say which: ctcae import FILE.xlsx")


async def _replace(db: Database, edition: str, rows: Sequence[Row]) -> None:
    values = [
        {
            "edition": edition,
            "meddra_code": row.meddra_code,
            "definition": row.definition,
            "note": row.note,
            **{f"grade_{grade}": row.grades.get(grade) for grade in GRADES},
        }
        for row in rows
    ]
    async with db.begin() as connection:
        await connection.execute(delete(ctcae_definitions).where(ctcae_definitions.c.edition == edition))
        await connection.execute(insert(ctcae_definitions), values)


def read(file: Path) -> tuple[str, list[Row]]:
    """The edition of a workbook and its terms.

    Raises:
        WorkbookUnreadable: it is no workbook, names no edition, lacks a column, or its grades are not those that the
            dictionary of this edition offers.
    """
    book = _opened(file)
    try:
        return _terms(book, file)
    finally:
        book.close()


def _opened(file: Path) -> Any:
    from openpyxl import load_workbook  # noqa: PLC0415 - this command alone reads workbooks

    try:
        size = file.stat().st_size
        if size <= _LARGEST:
            return load_workbook(file, read_only=True, data_only=True)
    except Exception as unreadable:
        why = type(unreadable).__name__
        raise WorkbookUnreadable(f"{file} cannot be read as an .xlsx workbook: {why}") from unreadable
    raise WorkbookUnreadable(f"{file} has {size} bytes; a workbook of the NCI has less than 16 MiB")


def _terms(book: Any, file: Path) -> tuple[str, list[Row]]:
    for sheet in book.worksheets:
        lines = [[_text(cell) for cell in line] for line in sheet.iter_rows(values_only=True)]
        header = next((at for at, line in enumerate(lines) if "MedDRA Code" in line), None)
        if header is None:
            continue
        named = [file.name, sheet.title, *(text for line in lines[: header + 1] for text in line)]
        edition = next((found[1] for text in named if (found := _EDITION.search(text))), None)
        if edition is None:
            raise WorkbookUnreadable("neither the file's name nor the sheet says which edition of CTCAE this is")
        rows = [*_rows(lines[header], lines[header + 1 :])]
        _check(edition, rows)
        return edition, rows
    raise WorkbookUnreadable("no sheet has a column named 'MedDRA Code'")


def _text(cell: object) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _rows(header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[Row]:
    wanted = ["MedDRA Code", *(f"Grade {grade}" for grade in GRADES)]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise WorkbookUnreadable(f"the sheet has no column named {', '.join(missing)}")
    for line in lines:
        told = dict(zip(header, line, strict=False))
        if not told["MedDRA Code"].isdigit():
            continue  # a heading, or an empty line
        grades = {grade: told[f"Grade {grade}"] for grade in GRADES}
        yield Row(
            meddra_code=told["MedDRA Code"],
            definition=told.get("Definition") or None,
            note=told.get("Navigational Note", "").strip("- ") or None,
            grades={grade: text for grade, text in grades.items() if text not in _NOT_OFFERED},
        )


def _check(edition: str, rows: Sequence[Row]) -> None:
    """A workbook of the edition that ships has its very terms and grades; of another one, only that it has terms."""
    if not rows:
        raise WorkbookUnreadable("the sheet has no terms")
    told = {row.meddra_code: row for row in rows}
    if len(told) != len(rows):
        raise WorkbookUnreadable("a MedDRA code stands twice")
    if edition != ctcae.EDITION:
        return
    differing = [term.name for term in ctcae.TERMS if term.meddra_code not in told]
    differing += [
        term.name
        for term in ctcae.TERMS
        if term.meddra_code in told and tuple(told[term.meddra_code].grades) != term.grades
    ]
    if differing or len(told) != len(ctcae.TERMS):
        shown = ", ".join(differing[:5]) or "terms that the dictionary does not have"
        raise WorkbookUnreadable(f"the workbook differs from CTCAE {edition}, for example: {shown}")
