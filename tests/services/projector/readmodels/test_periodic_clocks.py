"""Given reports that recur, what is open: on both databases, over HTTP, to readers of any site."""

import csv
import io
from datetime import timedelta
from typing import Any

from shared.contracts.safety_periodic_reports import (
    PeriodicClockMet,
    PeriodicClockStarted,
    PeriodicClockStopped,
    PeriodicStopCause,
)
from shared.kernel.actor import Role
from tests.services.projector.chronicle import PROTOCOL, Chronicle
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

OPEN, STREAM = "/v1/safety-reconciliation", "periodic-reports:CMD03"


def started(chronicle: Chronicle, number: int, day: int) -> dict[str, Any]:
    """A period's clock that is due on a day of March; what names it in later events."""
    clock = {"clock_id": f"CMD03-dsur-{number}", "clock": "dsur", "to": "regulators", "due_at": at(3, day)}
    steps = {"due_soon_at": at(3, day) - timedelta(hours=48), "escalate_at": (at(3, day),)}
    event = PeriodicClockStarted(**clock, number=number, since=at(1, 5), **steps, protocol=PROTOCOL.ref)
    chronicle.tell(STREAM, event)
    return clock


async def test_a_period_is_open_until_its_report_was_sent_and_missed_once_it_was_due(any_house: House) -> None:
    chronicle = Chronicle()
    started(chronicle, 1, 9)
    started(chronicle, 2, 11)
    sent, stopped = started(chronicle, 3, 8), started(chronicle, 4, 8)
    chronicle.tell(STREAM, PeriodicClockMet(**sent, sent_at=at(3, 7), reference_number="TFDA-17/69", late=False))
    chronicle.tell(STREAM, PeriodicClockStopped(**stopped, because=PeriodicStopCause.COUNTED_ANEW))
    await any_house.hears(chronicle.told)
    any_house.now = at(3, 9) + timedelta(microseconds=1)
    async with any_house.client(Role.MONITOR, sites=["CU"]) as client:
        answer = (await client.get(OPEN)).json()["result"]
    assert answer["periodic_reports"] == [
        {
            "kind": f"periodic-report-{kind}",
            "clock_id": f"CMD03-dsur-{number}",
            "clock": "dsur",
            "to": "regulators",
            "since": "2026-01-05T02:00:00Z",
            "due_at": f"2026-03-{day}T02:00:00Z",
        }
        for number, kind, day in ((1, "missed", "09"), (2, "waiting", "11"))
    ]
    counted = {each["kind"]: each["n"] for each in answer["open"]}
    assert (counted["periodic-report-missed"], counted["periodic-report-waiting"]) == (1, 1)


async def test_a_report_has_a_line_in_the_sheet(house: House) -> None:
    chronicle = Chronicle()
    started(chronicle, 1, 9)
    await house.hears(chronicle.told)
    async with house.client(accept="text/csv") as client:
        (line,) = csv.DictReader(io.StringIO((await client.get(OPEN)).text))
    assert (line["about"], line["detail"], line["site_id"]) == ("CMD03-dsur-1", "dsur to regulators", "")
