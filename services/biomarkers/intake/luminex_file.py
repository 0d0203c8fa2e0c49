"""Exports of Luminex xPONENT (CSV): the run, its analytes, and what each well was measured at, per statistic.

An own reader, which no extra is needed for: xPONENT is what the trial's laboratory has. The file is cp1252 or UTF-8
text of lines of quoted cells.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.biomarkers.intake.observations import code_text, number_text
from services.biomarkers.intake.runs import Run, WellResult
from shared.kernel.errors import Unacceptable

# Blocks of which each row is a well: `Location, Sample, <analytes>, Total Events`.
_STATISTICS = frozenset({"Median", "Count", "Net MFI", "Result", "Mean", "% CV"})
_NOT_ANALYTES = frozenset({"Location", "Sample", "Total Events", ""})
MOST_LINES = 20_000
_LOCATION = re.compile(r"^\d+\(1,([A-Za-z]\d{1,2})\)$")
_NO_UNIT = "Bead"  # what the block of units says where the run has no standards


class NotXponent(Unacceptable):
    """The file is no whole export of xPONENT: send the CSV as it was exported."""


@dataclass(frozen=True, slots=True)
class Well:
    """One number of one well: an analyte's, under a statistic. None: the file holds no number there."""

    statistic: str
    location: str
    analyte: str
    value: str | None
    sample: str = ""
    text: str = ""  # as it stands in the file


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
    run: Run


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
        run=_run(rows, named, wells),
    )


def _run(rows: Sequence[Sequence[str]], named: Mapping[str, Sequence[str]], wells: Sequence[Well]) -> Run:
    units, dilutions = _by_analyte(rows, "Units", "Units:"), _dilutions(rows)
    counts = {(each.location, each.analyte): each.text for each in wells if each.statistic == "Count"}
    has_results = any(each.statistic == "Result" for each in wells)
    shown = "Result" if has_results else next(each.statistic for each in wells)
    least = _least_beads(named)
    return Run(
        wells=tuple(
            WellResult(
                location=_well_of(each.location),
                sample=each.sample,
                analyte=each.analyte,
                text=each.text if has_results else None,
                unit=units.get(each.analyte) if units.get(each.analyte) != _NO_UNIT else None,
                dilution=dilutions.get(each.location),
                beads=_whole(counts.get((each.location, each.analyte))),
            )
            for each in wells
            if each.statistic == shown
        ),
        has_results=has_results,
        kit=_header(named, "Kit", "KitName", "Kit Name", "AssayKit"),
        lot=_header(named, "KitLot", "Kit Lot", "KitLotNumber", "Kit Lot Number"),
        run_at=_local_time(_header(named, "BatchStartTime")),
        fewest_beads=least,
    )


def _header(named: Mapping[str, Sequence[str]], *names: str) -> str | None:
    return next((code for name in names if name in named and (code := code_text(named[name][0]))), None)


def _least_beads(named: Mapping[str, Sequence[str]]) -> int | None:
    """`Samples, 96, Min Events, 100, Per Bead`."""
    cells = list(named.get("Samples", ()))
    return _whole(cells[cells.index("Min Events") + 1]) if "Min Events" in cells[:-1] else None


def _local_time(text: str | None) -> str | None:
    """The time of the run. None where day and month could change places: nothing says which order the machine has."""
    found = set()
    for order in ("%m/%d/%Y", "%d/%m/%Y"):
        for clock in ("%I:%M:%S %p", "%H:%M:%S", "%I:%M %p", "%H:%M"):
            try:
                found.add(datetime.strptime(text or "", f"{order} {clock}"))  # noqa: DTZ007 - the source tells the zone
            except ValueError:
                continue
    return found.pop().isoformat() if len(found) == 1 else None


def _by_analyte(rows: Sequence[Sequence[str]], block: str, label: str) -> dict[str, str]:
    within, names = "", list[str]()
    for row in rows:
        if row and row[0] == "DataType:":
            within, names = (row[1] if len(row) > 1 else ""), []
        elif within == block and row and row[0] == "Analyte:":
            names = list(row[1:])
        elif within == block and names and row and row[0] == label:
            return {name: cell.strip() for name, cell in zip(names, row[1:], strict=False) if name and cell.strip()}
    return {}


def _dilutions(rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """`Location, Sample, Dilution Factor`."""
    within, found = "", dict[str, str]()
    for row in rows:
        if row and row[0] == "DataType:":
            within = row[1] if len(row) > 1 else ""
        elif within == "Dilution Factor" and len(row) > 2 and row[0] != "Location" and row[2].strip():
            found[code_text(row[0]) or ""] = row[2].strip()
    return found


def _well_of(location: str) -> str:
    """`3(1,C1)` is well C1 of plate 1."""
    match = _LOCATION.match(location)
    return match.group(1) if match else location


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else None


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
            sample = row[1].strip() if len(row) > 1 else ""
            for name, cell in zip(columns, row, strict=False):
                if name not in _NOT_ANALYTES and (analyte := code_text(name)):
                    location = code_text(row[0]) or ""
                    found.append(Well(statistic, location, analyte, number_text(cell), sample, cell.strip()))
    return tuple(found)
