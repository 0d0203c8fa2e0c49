"""Pages by key, not by number: stable while rows arrive. The cursor is opaque and carries its own version."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from shared.kernel.errors import Unacceptable

T = TypeVar("T")

AS_GIVEN = "use the cursor as `next_cursor` gave it, with the same filters"

Limit = Annotated[int, Query(ge=1, le=200, description="Rows per page")]
Cursor = Annotated[
    str | None,
    Query(max_length=500, description="`next_cursor` of the page before; the `Link` header has the whole URL"),
]


class UnreadableCursor(Unacceptable):
    """A cursor is used as it was given, with the same filters."""


class Page(BaseModel, Generic[T]):
    """Some rows, and where the next ones are."""

    items: list[T]
    next_cursor: str | None = Field(None, description="None: this was the last page")


def encode(*key: str | int) -> str:
    return urlsafe_b64encode(json.dumps([1, *key]).encode()).decode().rstrip("=")


def decode(cursor: str | None, types: tuple[type, ...]) -> tuple[str | int, ...] | None:
    """The key of the last row of the page before, or None at the beginning.

    Raises:
        UnreadableCursor: it was not made by `encode` for keys of these types.
    """
    if cursor is None:
        return None
    try:
        version, *key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if version != 1 or tuple(map(type, key)) != types or any(map(_is_past_every_column, key)):
            raise ValueError(cursor)  # noqa: TRY301 - all that is wrong with a cursor ends in one answer
    except (ValueError, TypeError) as error:
        raise UnreadableCursor(AS_GIVEN) from error
    return tuple(key)


def _is_past_every_column(part: str | int) -> bool:
    return isinstance(part, int) and not -(2**31) <= part < 2**31


def instant(text: str) -> datetime:
    """An instant within a cursor's key.

    Raises:
        UnreadableCursor: it is none, or one that no database takes.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError(text)  # noqa: TRY301 - as in `decode`
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableCursor(AS_GIVEN) from error


def page(
    request: Request, response: Response, items: list[T], limit: int, key_of_last: tuple[str | int, ...] | None
) -> Page[T]:
    """A page of at most `limit` rows; `key_of_last` is the last one's key where there may be more."""
    if key_of_last is None:
        return Page(items=items, next_cursor=None)
    cursor = encode(*key_of_last)
    following = request.url.include_query_params(cursor=cursor, limit=limit)
    response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return Page(items=items, next_cursor=cursor)
