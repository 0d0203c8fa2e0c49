"""The elements of ICH E2B(R3) that this trial's reports carry, and which of them a message must not be without.

Source: see the README beside `elements.csv`.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

_FILE = Path(__file__).with_name("elements.csv")

# Every message of this trial is a report from a study; its sender is no patient, its one reporter the primary source.
_ALWAYS = frozenset(
    {
        "required",
        "required for primary source",
        "required once",
        "required unless sender is a patient",
        "required if C.1.3=2",
        "required or masked",
        "if study",
        "true or NI",
    }
)
IF_FATAL = "if fatal"
_WRAPPER = {
    "N.1.3": "batch sender identifier",
    "N.1.4": "batch receiver identifier",
    "N.2.r.2": "message sender identifier",
    "N.2.r.3": "message receiver identifier",
}


class Element(BaseModel):
    """One element: its number, what it means, and when it is needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    meaning: str
    block: str
    need: str

    @property
    def is_required(self) -> bool:
        """Whether every message must have it, or say by a null flavour why it has not."""
        return self.need in _ALWAYS


def _read() -> Iterator[Element]:
    # ICH requires these four of every message; the list leaves them out.
    for number, meaning in _WRAPPER.items():
        yield Element(number=number, meaning=meaning, block="wrapper", need="required")
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for number in _numbers(row["element"]):
                yield Element(number=number, meaning=row["meaning"], block=row["block"], need=row["need"])


def _numbers(written: str) -> list[str]:
    """`E.i.2.1a/b` stands for E.i.2.1a and E.i.2.1b."""
    first, _, second = written.partition("/")
    return [first, first[:-1] + second] if second else [first]


ELEMENTS = tuple(_read())
