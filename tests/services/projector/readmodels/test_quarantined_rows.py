"""Given rows of laboratories that could not be read, what is open: on both databases, over HTTP, within the sites."""

import csv
import io
from typing import Any

from shared.contracts.safety_laboratory import (
    LaboratoryRowDiscarded,
    LaboratoryRowQuarantined,
    LaboratoryRowReleased,
    QuarantineProblem,
    ReleaseCause,
)
from shared.kernel.actor import Role
from tests.services.projector.chronicle import Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

OPEN = "/v1/safety-reconciliation"


def quarantined(chronicle: Chronicle, name: str, site: str = "CU", day: int = 8) -> dict[str, Any]:
    """A row that waits; what names it in later events."""
    row = {"quarantine_id": named(name), "laboratory_id": f"{site}-LAB", "site_id": site}
    waits = LaboratoryRowQuarantined(**row, problem=QuarantineProblem.BAD_VALUE, received_at=at(1, day))
    chronicle.tell(f"quarantined-row:{named(name)}", waits)
    return row


def settled(chronicle: Chronicle, event: LaboratoryRowReleased | LaboratoryRowDiscarded) -> None:
    chronicle.tell(f"quarantined-row:{event.quarantine_id}", event)


async def answered(house: House, *sites: str) -> Any:
    async with house.client(Role.MONITOR, sites=list(sites)) as client:
        answer = await client.get(OPEN)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_a_row_is_open_until_it_was_read_or_discarded(any_house: House) -> None:
    chronicle = Chronicle()
    quarantined(chronicle, "waits")
    read, discarded = quarantined(chronicle, "read"), quarantined(chronicle, "discarded")
    settled(chronicle, LaboratoryRowReleased(**read, because=ReleaseCause.READ))
    problem, reason = QuarantineProblem.BAD_VALUE, "A control of the analyser"
    settled(chronicle, LaboratoryRowDiscarded(**discarded, problem=problem, reason=reason))
    await any_house.hears(chronicle.told)
    answer = await answered(any_house, "CU")
    assert answer["quarantine"] == [
        {
            "quarantine_id": str(named("waits")),
            "laboratory_id": "CU-LAB",
            "site_id": "CU",
            "problem": "bad-value",
            "since": "2026-01-08T02:00:00Z",
        }
    ]
    assert {each["kind"]: each["n"] for each in answer["open"]}["row-quarantined"] == 1
    assert answer["participants"] == []


async def test_rows_are_of_the_callers_sites_and_come_the_oldest_first(house: House) -> None:
    chronicle = Chronicle()
    quarantined(chronicle, "later", day=9)
    quarantined(chronicle, "earlier", day=7)
    quarantined(chronicle, "elsewhere", site="SI")
    await house.hears(chronicle.told)
    assert [each["quarantine_id"] for each in (await answered(house, "CU"))["quarantine"]] == [
        str(named("earlier")),
        str(named("later")),
    ]
    assert [each["site_id"] for each in (await answered(house, "SI"))["quarantine"]] == ["SI"]
    assert len((await answered(house, "*"))["quarantine"]) == 3


async def test_a_row_has_a_line_in_the_sheet_that_says_nothing_of_it(house: House) -> None:
    chronicle = Chronicle()
    quarantined(chronicle, "waits")
    await house.hears(chronicle.told)
    async with house.client(accept="text/csv") as client:
        (line,) = csv.DictReader(io.StringIO((await client.get(OPEN)).text))
    assert {name: said for name, said in line.items() if said} == {
        "site_id": "CU",
        "kind": "row-quarantined",
        "about": str(named("waits")),
        "since": "2026-01-08T02:00:00+00:00",
        "detail": "bad-value from CU-LAB",
    }
