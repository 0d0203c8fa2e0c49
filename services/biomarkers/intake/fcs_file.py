"""Flow cytometry list-mode files (FCS 2.0 to 3.1), read with flowio: what was acquired, never what it means.

Of the keywords only those of the acquisition are told: operator, experiment and comments may name somebody.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from services.biomarkers.intake.observations import code_text
from shared.kernel.errors import Unacceptable

_MAGIC = (b"FCS2.0", b"FCS3.0", b"FCS3.1")
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


def read(content: bytes) -> FcsFile:
    """Read a file.

    Raises:
        NotFcs: it is another kind of file, or an end is missing.
    """
    # Loads numpy: a service that is never sent a file is spared it.
    from flowio import FlowData  # noqa: PLC0415
    from flowio.exceptions import FCSParsingError  # noqa: PLC0415

    if not content.startswith(_MAGIC) or len(content) < _HEADER_BYTES:
        raise NotFcs("the file does not begin as FCS 2.0, 3.0 or 3.1 does")
    try:
        found = FlowData(io.BytesIO(content))
        events, channels = found.event_count, found.channel_count
        whole = events * channels == len(found.events)
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
    except (AttributeError, NotImplementedError) as error:
        raise NotFcs("the file holds another data mode than list mode") from error
    if not whole or channels == 0:
        raise NotFcs("the file is truncated: it holds fewer events than it says ($TOT)")
    text: Mapping[str, str] = found.text
    return FcsFile(
        version=content[3:6].decode("ascii"),
        events=events,
        channels=tuple(_channel(number, text) for number in range(1, channels + 1)),
        cytometer=_plain(text.get("cyt")),
        acquired_on=_plain(text.get("date")),
        acquired_from=_plain(text.get("btim")),
        acquired_to=_plain(text.get("etim")),
        has_compensation=any(name in text for name in ("spillover", "spill", "comp")),
    )


def _channel(number: int, text: Mapping[str, str]) -> FcsChannel:
    name = _plain(text.get(f"p{number}n")) or f"P{number}"
    return FcsChannel(number, name, _plain(text.get(f"p{number}s")), code_text(text.get(f"p{number}r")))


def _plain(text: str | None) -> str | None:
    """Text of at most 100 characters that can be shown."""
    return "".join(each for each in (text or "").strip()[:100] if each.isprintable()) or None
