"""Exports of Luminex xPONENT (CSV): the run, its analytes, and what each well was measured at, per statistic.

An own reader: allotropy (0.1.150) brings pandas, matplotlib and lxml along, and pins jsonschema to a release that our
own tools cannot take. The file is cp1252 or UTF-8 text of lines of quoted cells.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from services.biomarkers.intake.observations import code_text, number_text
from shared.kernel.errors import Unacceptable

# Blocks of which each row is a well: `Location, Sample, <analytes>, Total Events`.
_STATISTICS = frozenset({"Median", "Count", "Net MFI", "Result", "Mean", "% CV"})
_NOT_ANALYTES = frozenset({"Location", "Sample", "Total Events", ""})
MOST_LINES = 20_000


class NotXponent(Unacceptable):
    """The file is no whole export of xPONENT: send the CSV as it was exported."""


@dataclass(frozen=True, slots=True)
class Well:
    """One number of one well: an analyte's, under a statistic. None: the file holds no number there."""

    statistic: str
    location: str
    analyte: str
    value: str | None


@dataclass(frozen=True, slots=True)
class XponentFile:
    """What an export holds. `concentrations`: it has results (`Result`), not fluorescence and counts alone."""

    program: str
    batch: str | None
    run_on: str | None
    samples: int
    analytes: tuple[str, ...]
    concentrations: bool
    wells: tuple[Well, ...]


def read(content: bytes) -> XponentFile:
    """Read an export.

    Raises:
        NotXponent: it is another kind of file, or its end is missing.
    """
    rows = _rows(content)
    named = {row[0]: row[1:] for row in rows if len(row) > 1}
    if not rows or rows[0][:2] != ["Program", "xPONENT"]:
        raise NotXponent("the file does not begin as an export of xPONENT does")
    if not any(row and row[0].startswith("-- CRC --") for row in rows):
        raise NotXponent("the file is truncated: the line `-- CRC --`, with which an export ends, is missing")
    wells = _wells(rows)
    if not wells:
        raise NotXponent("the file holds no block of results")
    return XponentFile(
        program="xPONENT",
        batch=code_text(next(iter(named.get("Batch", [])), None)),
        run_on=code_text(next(iter(named.get("Date", [])), None)),
        samples=len({each.location for each in wells}),
        analytes=tuple(dict.fromkeys(each.analyte for each in wells)),
        concentrations=any(each.statistic == "Result" for each in wells),
        wells=wells,
    )


def _rows(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise NotXponent("the file is not comma-separated text") from error
    if len(rows) > MOST_LINES:
        raise NotXponent(f"at most {MOST_LINES} lines")
    return rows


def _wells(rows: Sequence[Sequence[str]]) -> tuple[Well, ...]:
    found: list[Well] = []
    statistic, columns = "", list[str]()
    for row in rows:
        if not row or not row[0]:
            statistic, columns = "", []
        elif row[0] == "DataType:":
            statistic, columns = (row[1] if len(row) > 1 and row[1] in _STATISTICS else ""), []
        elif statistic and row[0] == "Location":
            columns = list(row)
        elif statistic and columns:
            for name, cell in zip(columns, row, strict=False):
                if name not in _NOT_ANALYTES and (analyte := code_text(name)):
                    found.append(Well(statistic, code_text(row[0]) or "", analyte, number_text(cell)))
    return tuple(found)
