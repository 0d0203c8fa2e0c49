"""What holds for every report of a laboratory, whatever was measured."""

from datetime import datetime

from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.errors import Unacceptable


class CollectedInFuture(Unacceptable):
    """A sample cannot have been collected after the present instant."""


class NothingMeasured(Unacceptable):
    """The report holds no result."""


class ZeroWithoutLimit(Unacceptable):
    """A zero is not a measurement: it says only that the result lies below a limit, and the limit is missing."""


class ContradictoryReport(Unacceptable):
    """Two parts of the report cannot both be true."""


def refuse_future(collected_at: datetime, now: datetime) -> None:
    if collected_at > now + CLOCK_SKEW:
        raise CollectedInFuture("the sample was collected in the future; check the date and the offset of collected_at")
