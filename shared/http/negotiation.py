"""Tables as JSON or as CSV, as `Accept` asks (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Request

from shared.kernel.errors import TrialError

JSON, CSV = "application/json", "text/csv"

_QUALITY = re.compile(r"^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$")

AS_TABLE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {CSV: {"schema": {"type": "string"}}},
        "headers": {"Trial-As-Of": {"schema": {"type": "string"}, "description": "CSV alone: as `as_of` in JSON"}},
    }
}


class NotAcceptable(TrialError):
    """This answer comes as `application/json` or as `text/csv`; `Accept` takes neither."""


def chosen(accept: str | None, offered: Sequence[str]) -> str | None:
    """The offered media type that a client likes best, of two equal ones the first offered; None: it takes none."""
    if accept is None or not accept.strip():
        return offered[0]
    wanted = [_range(part) for part in accept.split(",") if part.strip()]
    liked = [(_liking(wanted, media_type), -place) for place, media_type in enumerate(offered)]
    best, place = max(liked)
    return offered[-place] if best > 0 else None


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((match.group(1) for each in parameters if (match := _QUALITY.match(each))), "1")
    return media_range, float(quality)


def _liking(wanted: Sequence[tuple[str, float]], media_type: str) -> float:
    """The quality of the most specific range that holds the media type; 0 if none does."""
    for media_range in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for name, quality in wanted:
            if name == media_range:
                return quality
    return 0.0


async def _csv_is_wanted(request: Request) -> bool:
    accept = ",".join(request.headers.getlist("accept")) or None
    media_type = chosen(accept, (JSON, CSV))
    if media_type is None:
        raise NotAcceptable("send `Accept: application/json` or `Accept: text/csv`")
    return media_type == CSV


WantsCsv = Annotated[bool, Depends(_csv_is_wanted)]
