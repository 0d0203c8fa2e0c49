"""One visit's measurements as a sheet of comma-separated values: a row per lesion, each with its own outcome.

The columns are those of the template. A target lesion is named by its label; a row whose `state` is `new` describes a
lesion that was not there at baseline. Nothing is recorded as long as one row cannot be read.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from shared.contracts.efficacy_terms import LesionDescription, NewLesion, TargetMeasurement
from shared.kernel.errors import Unacceptable

COLUMNS = (
    "lesion",
    "state",
    "longest_mm",
    "perpendicular_mm",
    "modality",
    "local_therapy",
    "organ",
    "laterality",
    "certainty",
)
NEW = "new"
MOST_ROWS = 100
_OF_TARGETS = ("state", "longest_mm", "perpendicular_mm", "modality", "local_therapy")
_OF_NEW = ("organ", "laterality", "certainty", "longest_mm")


class SheetUnreadable(Unacceptable):
    """The file is no such sheet: send UTF-8 text, with the columns of the template in its first line."""


class RowsRefused(Unacceptable):
    """Some rows cannot be read: see `errors`, mend them, and send the whole sheet again. Nothing was recorded."""

    def __init__(self, places: Sequence[tuple[str, str]]) -> None:
        super().__init__(f"{len(places)} of the rows cannot be read; nothing was recorded")
        self.places = places


class RowOutcome(StrEnum):
    """What became of a row."""

    TARGET = "target"
    NEW_LESION = "new-lesion"


@dataclass(frozen=True, slots=True)
class Row:
    """One row that was read: its number in the file (the columns' line is 1), whose it is, and what it became."""

    number: int
    lesion: str
    outcome: RowOutcome


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet says: target measurements and new lesions, and the rows they came from."""

    targets: tuple[TargetMeasurement, ...]
    new_lesions: tuple[NewLesion, ...]
    rows: tuple[Row, ...]


def template(targets: Mapping[UUID, LesionDescription]) -> str:
    """An empty sheet with a row for each target lesion of the participant."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for lesion in targets.values():
        laterality = lesion.laterality.value if lesion.laterality else ""
        writer.writerow({"lesion": lesion.label, "organ": lesion.organ.value, "laterality": laterality})
    return text.getvalue()


def read(content: bytes, targets: Mapping[UUID, LesionDescription]) -> Sheet:
    """Read a sheet against the target lesions that are on record.

    Raises:
        SheetUnreadable: it is not text, has other columns, or too many rows.
        RowsRefused: some rows name no lesion, name one twice, or hold what no measurement can be.
    """
    by_label = {lesion.label: key for key, lesion in targets.items()}
    measured: list[TargetMeasurement] = []
    new: list[NewLesion] = []
    rows: list[Row] = []
    refused: list[tuple[str, str]] = []
    seen: set[str] = set()
    for number, row in _rows(content):
        label = row["lesion"]
        if label in seen:
            refused.append((f"/{number}/lesion", "it stands in a row above, too; give each lesion once"))
            continue
        seen.add(label)
        try:
            if row["state"] == NEW:
                new.append(_new(row))
                rows.append(Row(number, label, RowOutcome.NEW_LESION))
            else:
                measured.append(_measured(row, by_label))
                rows.append(Row(number, label, RowOutcome.TARGET))
        except _Refused as error:
            refused.append((f"/{number}/{error.column}", error.why))
    if refused:
        raise RowsRefused(refused)
    return Sheet(tuple(measured), tuple(new), tuple(rows))


class _Refused(Exception):
    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column = column
        self.why = why


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetUnreadable("the file is not UTF-8 text; export it as CSV in UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        given = [name.strip().lower() for name in reader.fieldnames or ()]
        unknown, missing = sorted(set(given) - set(COLUMNS)), sorted({"lesion", "state"} - set(given))
        if unknown or missing or len(given) != len(set(given)):
            raise SheetUnreadable(
                f"the first line names the columns, each once, with commas between: {','.join(COLUMNS)}"
            )
        reader.fieldnames = given
        found = list(reader)
    except csv.Error as error:
        raise SheetUnreadable("the file is not comma-separated text: look for a quote that is not closed") from error
    if len(found) > MOST_ROWS:
        raise SheetUnreadable(f"a visit has at most {MOST_ROWS} rows; send one sheet for each visit")
    for number, row in enumerate(found, start=2):
        if None in row or None in row.values():
            raise SheetUnreadable(f"line {number} has another number of cells than the first")
        cells = {name: row.get(name, "").strip() for name in COLUMNS}
        if any(cells.values()):
            yield number, cells


def _measured(row: Mapping[str, str], by_label: Mapping[str, UUID]) -> TargetMeasurement:
    if row["lesion"] not in by_label:
        raise _Refused("lesion", f"no target lesion of this participant; its targets are {', '.join(sorted(by_label))}")
    given: dict[str, Any] = {name: row[name] for name in _OF_TARGETS if row[name]}
    try:
        return TargetMeasurement.model_validate({"lesion_id": by_label[row["lesion"]], **given})
    except ValidationError as error:
        raise _of(error, "state") from error


def _new(row: Mapping[str, str]) -> NewLesion:
    given: dict[str, Any] = {name: row[name] for name in _OF_NEW if row[name]}
    try:
        return NewLesion.model_validate({"label": row["lesion"], "node": row["organ"] == "lymph-node", **given})
    except ValidationError as error:
        raise _of(error, "organ") from error


def _of(error: ValidationError, whole_row: str) -> _Refused:
    """The first thing that is wrong with a row; `whole_row` is the column it is told at if it is about several."""
    first = error.errors(include_url=False, include_input=False)[0]
    column = str(first["loc"][0]) if first["loc"] else whole_row
    return _Refused({"label": "lesion"}.get(column, column), first["msg"].removeprefix("Value error, "))
