"""The one place that asks the machine for the time."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present instant, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place
