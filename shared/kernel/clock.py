"""The one place that asks the machine for the time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

CLOCK_SKEW = timedelta(minutes=5)  # a hospital's clock may run so much ahead of ours: what it tells is no future yet


def system_clock() -> datetime:
    """The present instant, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place
