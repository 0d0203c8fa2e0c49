"""SDTM datasets as CSV files: `ae.csv` or `ae.csv.gz`; also with a suffix, as `tr_bidimensional.csv`."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from shared.contracts.terms import PartialDate
from shared.kernel.errors import TrialError

DOMAINS = ("dm", "ex", "ae", "tu", "tr", "rs", "lb")
_WITHOUT_TIME = re.compile(r"([\d-]+)(?:T.*)?")
_PARTIAL_DATE: TypeAdapter[str] = TypeAdapter(PartialDate)


class StudyUnusable(TrialError):
    """The folder does not hold a study that can be loaded; the message says what is missing."""


class RowUnusable(ValueError):
    """A row cannot be told to the trial; the message says why, without quoting what it holds."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One line of a dataset. `name` is what people find it by."""

    domain: str
    name: str
    values: dict[str, str]

    def __getitem__(self, variable: str) -> str:
        """The value; empty where the dataset does not have the variable, as for a value that is missing."""
        return self.values.get(variable, "")

    @property
    def subject(self) -> str:
        return self["USUBJID"]

    def required(self, variable: str) -> str:
        if not self[variable]:
            raise RowUnusable(f"{variable} is missing")
        return self[variable]

    def date(self, variable: str) -> str:
        """A date as far as it is known: 2014, 2014-01, 2014-01-02; a time of day is left out."""
        found = _WITHOUT_TIME.fullmatch(self.required(variable))
        try:
            return _PARTIAL_DATE.validate_python(None if found is None else found[1])
        except ValidationError:
            raise RowUnusable(f"{variable} is not an ISO 8601 date") from None

    def full_date(self, variable: str) -> str:
        on = self.date(variable)
        if on.count("-") < 2:
            raise RowUnusable(f"{variable} has no day, and the trial needs one here")
        return on


Tables = dict[str, list[SourceRow]]


def read_tables(directory: Path) -> Tables:
    """The rows of every dataset in a folder, in the order of the files.

    Raises:
        StudyUnusable: there is no dm, or a file is no table of subjects.
    """
    tables = {domain: read_domain(directory, domain) for domain in DOMAINS}
    if not tables["dm"]:
        raise StudyUnusable(f"{directory} has no dm.csv or dm.csv.gz with subjects in it")
    return tables


def read_domain(directory: Path, domain: str) -> list[SourceRow]:
    """The rows of one dataset.

    Raises:
        StudyUnusable: a file is no table of subjects.
    """
    return [row for path in _files(directory, domain) for row in _rows(domain, path)]


def _files(directory: Path, domain: str) -> list[Path]:
    name = re.compile(rf"{domain}(_[^.]+)?\.csv(\.gz)?", re.IGNORECASE)
    if not directory.is_dir():
        raise StudyUnusable(f"{directory} is not a folder")
    return sorted(path for path in directory.iterdir() if name.fullmatch(path.name))


def _rows(domain: str, path: Path) -> Iterator[SourceRow]:
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
        lines = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
        columns, rows = lines.fieldnames or (), [(lines.line_num, values) for values in lines]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise StudyUnusable(f"{path}: {error}") from error
    if "USUBJID" not in columns:
        raise StudyUnusable(f"{path}: the first line names no USUBJID")
    for number, values in rows:
        given = {name: value.strip() for name, value in values.items() if isinstance(value, str)}
        yield SourceRow(domain, f"{path.name} line {number} ({given['USUBJID'] or 'nobody'})", given)
