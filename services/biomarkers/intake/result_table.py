"""Cytokines, flow results and transgene copies as comma-separated values: a row per value, each with its outcome."""

import csv
import io

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

COLUMNS = (
    "subject_number",
    "collected_at",
    "specimen",
    "specimen_id",
    "code",
    "value",
    "comparator",
    "unit",
    "lloq",
    "uloq",
    "platform",
    "kit",
    "lot",
    "status",
)
_NEEDED = frozenset({"subject_number", "collected_at", "code", "value", "unit"})
_EXAMPLES = (
    "SITE-001,2026-03-09T08:30:00+07:00,serum,,IL6,38.4,,pg/mL,2.5,10000,LUMINEX-200,,,final",
    "SITE-001,2026-03-09T08:30:00+07:00,serum,,IL2,2.1,<,pg/mL,,,LUMINEX-200,,,final",
    "SITE-001,2026-03-09T08:30:00+07:00,blood,,CARPCT,12.5,,%,,,,,,final",
    "SITE-001,2026-03-09T08:30:00+07:00,blood,,CARVCN,15200,,{copies}/ug,50,,qpcr,,,final",
)


class TableUnreadable(Unacceptable):
    """The file is no such table: send UTF-8 text, with the columns of the template in its first line."""


def template() -> str:
    """The columns, and rows that show how they are filled."""
    return "\r\n".join([",".join(COLUMNS), *_EXAMPLES]) + "\r\n"


def read(content: bytes) -> list[SentObservation]:
    """The rows as they stand; what is wrong within one is told with its outcome.

    Raises:
        TableUnreadable: it is not text, has other columns, no rows, or too many.
    """
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        given = [name.strip().lower() for name in reader.fieldnames or ()]
        if set(given) - set(COLUMNS) or _NEEDED - set(given) or len(given) != len(set(given)):
            raise TableUnreadable(f"the first line names the columns, each once: {', '.join(COLUMNS)}")
        reader.fieldnames = given
        rows = list(reader)
    except UnicodeDecodeError as error:
        raise TableUnreadable("the file is not UTF-8 text; export it as CSV in UTF-8") from error
    except csv.Error as error:
        raise TableUnreadable("the file is not comma-separated text: look for a quote that is not closed") from error
    if not rows:
        raise TableUnreadable("the file has no row below the names of its columns")
    if len(rows) > MOST_OBSERVATIONS:
        raise TableUnreadable(f"at most {MOST_OBSERVATIONS} rows in one file")
    found: list[SentObservation] = []
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise TableUnreadable(f"line {number} has another number of cells than the first")
        found.append(_sent(number, {name: (row.get(name) or "").strip() for name in COLUMNS}))
    return found


def _sent(number: int, row: dict[str, str]) -> SentObservation:
    known = {each.value for each in Status}
    value, comparator = number_beside(row["comparator"], row["value"])
    return SentObservation(
        place=f"line {number}",
        subjects=subject_numbers([row["subject_number"]]),
        codes=codes_of([row["code"]]),
        status=Status(row["status"]) if row["status"] in known else Status.FINAL,
        value=value if not row["status"] or row["status"] in known else None,
        comparator=comparator,
        unit=unit_text(row["unit"]),
        collected=code_text(row["collected_at"]),
        accessions=accession_numbers([row["specimen_id"]]),
        **{name: code_text(row[name]) for name in ("specimen", "specimen_id", "platform", "kit", "lot")},
        **{name: number_text(row[name]) for name in ("lloq", "uloq")},
    )
