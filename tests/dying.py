"""A process that dies at an await, as `kill -9` would have it: before what is awaited has begun, or right after."""

from collections.abc import Awaitable, Callable
from typing import Any


class Killed(BaseException):
    """The process died here."""


def dying(method: Callable[..., Awaitable[Any]], *, after: bool) -> Callable[..., Awaitable[Any]]:
    async def die(*args: Any, **named: Any) -> Any:
        if after:
            await method(*args, **named)
        raise Killed

    return die
