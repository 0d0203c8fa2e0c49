"""Flow cytometry list-mode files (FCS 2.0 to 3.1), read with flowio: what was acquired, never what it means.

Of the keywords only those of the acquisition are told: operator, experiment and comments may name somebody.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.biomarkers.intake.observations import code_text
from shared.kernel.errors import Unacceptable

_MAGIC = (b"FCS2.0", b"FCS3.0", b"FCS3.1")
MOST_CHANNELS = 1000
_HEADER_BYTES = 58  # FCS 3.1, 3.1: version, blanks, and the offsets of the text, data and analysis segments


class NotFcs(Unacceptable):
    """The file is no whole FCS file: send it as the cytometer wrote it."""


@dataclass(frozen=True, slots=True)
class FcsChannel:
    """One parameter: its short name ($PnN), its stain ($PnS) and its range ($PnR)."""

    number: int
    name: str
    stain: str | None
    range: str | None


@dataclass(frozen=True, slots=True)
class FcsFile:
    """What a file says of its acquisition. `events` is $TOT, and as many are in the data segment."""

    version: str
    events: int
    channels: tuple[FcsChannel, ...]
    cytometer: str | None
    acquired_on: str | None
    acquired_from: str | None
    acquired_to: str | None
    has_compensation: bool


def looks_like_one(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    return start.startswith(_MAGIC) and len(start) == _HEADER_BYTES


def read(source: Path | bytes) -> FcsFile:
    """Read a file. Of the events only that they are all there: not one of them is loaded.

    Raises:
        NotFcs: it is another kind of file, or an end is missing.
    """
    # Loads numpy: a service that is never sent a file is spared it.
    from flowio import FlowData  # noqa: PLC0415
    from flowio.exceptions import FCSParsingError  # noqa: PLC0415

    file = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with file:
        version = file.read(_HEADER_BYTES)
        if not version.startswith(_MAGIC) or len(version) < _HEADER_BYTES:
            raise NotFcs("the file does not begin as FCS 2.0, 3.0 or 3.1 does")
        try:
            found = FlowData(file, only_text=True)
            text: Mapping[str, str] = found.text
            events, channels = found.event_count, found.channel_count
            whole = _holds(found.header, text, events, channels, found.file_size)
        except (
            FCSParsingError,
            ValueError,
            EOFError,
            KeyError,
            TypeError,
            IndexError,
            OverflowError,
            MemoryError,
        ) as error:
            raise NotFcs("the file is truncated or damaged: its segments cannot be read to their ends") from error
    if text.get("mode", "L").strip().upper() != "L":
        raise NotFcs("the file holds another data mode than list mode")
    if not whole or channels < 1 or events < 0:
        raise NotFcs("the file is truncated: it holds fewer events than it says ($TOT)")
    return FcsFile(
        version=version[3:6].decode("ascii"),
        events=events,
        channels=tuple(_channel(number, text) for number in range(1, channels + 1)),
        cytometer=_plain(text.get("cyt")),
        acquired_on=_plain(text.get("date")),
        acquired_from=_plain(text.get("btim")),
        acquired_to=_plain(text.get("etim")),
        has_compensation=any(name in text for name in ("spillover", "spill", "comp")),
    )


def _holds(header: Mapping[str, Any], text: Mapping[str, str], events: int, channels: int, size: int) -> bool:
    """Whether the data segment lies within the file and is as long as its events are (FCS 3.1, 3.2.20 to 3.3)."""
    if text["datatype"].strip().upper() not in {"I", "F", "D"} or channels > MOST_CHANNELS:
        return False
    of_text = header["version"] != "2.0"
    start = int(text["begindata"]) if of_text else header["data_start"]
    stop = int(text["enddata"]) if of_text else header["data_stop"]
    bits = sum(int(text[f"p{number}b"]) for number in range(1, channels + 1))
    return start >= _HEADER_BYTES and stop < size and (stop - start + 1) * 8 >= events * bits > -1


def _channel(number: int, text: Mapping[str, str]) -> FcsChannel:
    name = _plain(text.get(f"p{number}n")) or f"P{number}"
    return FcsChannel(number, name, _plain(text.get(f"p{number}s")), code_text(text.get(f"p{number}r")))


def _plain(text: str | None) -> str | None:
    """Text of at most 100 characters that can be shown."""
    return "".join(each for each in (text or "").strip()[:100] if each.isprintable()) or None
