"""What the dates of an adverse event can and cannot be.

Dates may be partial, so only what is certainly wrong is refused: "2026-03" may lie on either side of 14 March.
Dates are dates at the site; awareness is an instant.
"""

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from itertools import pairwise

from services.safety.domain.record import OnRecord
from shared.contracts.terms import earliest, latest
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.errors import Unacceptable


class DatesContradict(Unacceptable):
    """Two dates cannot both be true, or one lies in the future. The message names them."""


def certainly_before(one: str, other: str) -> bool:
    """Whether every day that `one` can mean lies before every day that `other` can mean."""
    return latest(one) < earliest(other)


def check(record: OnRecord, learned_at: datetime, *, now: datetime, zone: tzinfo) -> None:
    """Refuse dates that contradict each other, or the present.

    `learned_at` is when the site learned of what it now tells.

    Raises:
        DatesContradict: naming every contradiction.
    """
    wrong = [
        *_in_the_future(record, now.astimezone(zone).date()),
        *_awareness(record, learned_at, now, zone),
        *_order(record),
    ]
    if wrong:
        raise DatesContradict("; ".join(wrong))


def _in_the_future(record: OnRecord, today: date) -> Iterator[str]:
    if earliest(record.onset) > today:
        yield "the onset lies in the future"
    if record.ended_on is not None and earliest(record.ended_on) > today:
        yield "the end lies in the future; leave it out until the event has ended"
    if any(earliest(entry.since) > today for entry in record.grades[1:]):
        yield "a grade lies in the future"


def _awareness(record: OnRecord, learned_at: datetime, now: datetime, zone: tzinfo) -> Iterator[str]:
    instants = {record.became_aware_at, learned_at}
    if any(instant > now + CLOCK_SKEW for instant in instants):
        yield "became_aware_at lies in the future"
    if any(instant.astimezone(zone).date() < earliest(record.onset) for instant in instants):
        yield "became_aware_at lies before the onset: nobody knows of an event before it begins"


def _order(record: OnRecord) -> Iterator[str]:
    if record.ended_on is not None and certainly_before(record.ended_on, record.onset):
        yield "the end lies before the onset"
    if record.grades[0].since != record.onset:
        yield "the first grade is the one at onset, so it begins on the same date"
    if any(certainly_before(entry.since, record.onset) for entry in record.grades[1:]):
        yield "a grade begins before the onset"
    if any(certainly_before(later.since, sooner.since) for sooner, later in pairwise(record.grades)):
        yield "a grade begins before the one it follows; grades are recorded in order of time"
    if record.ended_on is not None and any(certainly_before(record.ended_on, e.since) for e in record.grades):
        yield "a grade begins after the end of the event"
