"""Waiting for what happens in other processes: look again until it did, or until patience ends."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.03


class NeverHappened(AssertionError):
    """What was waited for did not happen in time."""


def until(what: str, look: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS) -> T:
    """The first truthy answer of `look`. Raises `NeverHappened` with the last answer that was not."""
    give_up = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > give_up:
            raise NeverHappened(f"{what}: not within {seconds:.0f} s; last seen: {seen!r}")
        time.sleep(PAUSE_SECONDS)
