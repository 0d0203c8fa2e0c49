"""When a reporting duty must be met."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.protocol import Limit, ReportingClock, load_protocol
from shared.protocol.schedule import deadline

CMD03 = load_protocol()
BANGKOK = timezone(timedelta(hours=7))


def a_clock(**limit: int) -> ReportingClock:
    return CMD03.clocks[0].model_copy(update={"limit": Limit(**limit)})


@pytest.mark.parametrize(
    ("limit", "since", "due"),
    [  # all in Bangkok; weekends and holidays count
        ({"hours": 24}, "2026-03-10T14:30:00", "2026-03-11T14:30:00"),
        ({"calendar_days": 7}, "2026-03-10T00:00:00", "2026-03-17T23:59:59"),
        ({"calendar_days": 7}, "2026-03-10T23:59:59", "2026-03-17T23:59:59"),
        ({"calendar_days": 15}, "2026-12-25T12:00:00", "2027-01-09T23:59:59"),
        ({"months": 6}, "2026-08-31T12:00:00", "2027-02-28T23:59:59"),
        ({"months": 6}, "2026-03-10T12:00:00", "2026-09-10T23:59:59"),
        ({"months": 1}, "2028-01-31T12:00:00", "2028-02-29T23:59:59"),
    ],
)
def test_a_deadline_counts_hours_exactly_and_days_by_the_calendar(limit: dict[str, int], since: str, due: str) -> None:
    starts = datetime.fromisoformat(since).replace(tzinfo=BANGKOK)
    ends = deadline(a_clock(**limit), starts.astimezone(UTC), CMD03.zone)
    assert ends == datetime.fromisoformat(due).replace(tzinfo=BANGKOK)
    assert ends.tzinfo is UTC
