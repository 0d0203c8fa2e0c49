"""A recipient's letter over HTTP: it moves the report's state beside the E2B file, and who may record it."""

from typing import Any

import httpx
import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.safety.api.cases.test_cases import PATH, a_serious_event, sent
from tests.services.safety.builders import AWARE, EVENT
from tests.services.safety.house import House

LETTER = {
    "recipient": "ethics-committee",
    "received_at": "2026-03-18T14:00:00+07:00",
    "verdict": "accepted",
    "reference_number": "IRB-0456/26",
}


async def a_report(house: House) -> None:
    """To the ethics committee, five days ago."""
    await a_serious_event(house)
    async with house.client(Role.SAFETY_OFFICER) as client:
        assert (await sent(client, recipient="ethics-committee")).status_code == 201
    house.wait(days=5)


async def answered(
    client: httpx.AsyncClient, *, number: int = 1, key: str | None = None, **changed: Any
) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    path = f"{PATH}/reports/{number}/paper-acknowledgement"
    return await client.post(path, json={**LETTER, **changed}, headers=headers)


async def test_a_letter_moves_the_reports_state_and_is_recorded_once(any_house: House) -> None:
    await a_report(any_house)
    async with any_house.client(Role.SAFETY_OFFICER, subject="officer-7") as client:
        first = await answered(client, key="the letter of the 18th")
        again = await answered(client, key="the letter of the 18th")
        told_again = await answered(client)
        other = await answered(client, key="the letter of the 18th", verdict="rejected")
        known = (await client.get(f"{PATH}/reports/1")).json()
        history = (await client.get(f"{PATH}/case/history")).json()
    assert (first.status_code, again.status_code, told_again.status_code) == (200, 200, 200)
    assert first.headers["trial-position"] == f"case:{EVENT}@{first.json()['version']}"
    assert (other.status_code, other.json()["type"]) == (409, "other-content-on-record")
    assert (known["answered"], known["answer_form"]) == ("accepted", "paper")
    assert (known["answered_at"], known["receiver_reference"]) == (LETTER["received_at"], "IRB-0456/26")
    recorded = [entry for entry in history if entry["type"] == "safety.report-acknowledged"]
    assert [(entry["actor"], entry["role"]) for entry in recorded] == [("officer-7", "safety-officer")]


async def test_a_report_that_a_letter_rejects_is_sent_again(house: House) -> None:
    await a_report(house)
    async with house.client(Role.SAFETY_OFFICER) as client:
        assert (await answered(client, verdict="rejected")).status_code == 200
        again = await sent(client, recipient="ethics-committee", sent_at=house.now.isoformat())
        reports = (await client.get(f"{PATH}/reports")).json()
    assert again.status_code == 201
    assert [(each["answered"], each["answer_form"]) for each in reports] == [("rejected", "paper"), (None, None)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"recipient": "thai-fda"}, (409, "acknowledgement-of-another-report")),
        ({"number": 2}, (404, "no-such-report")),
        ({"received_at": AWARE.replace(day=15).isoformat()}, (422, "case-dates-contradict")),
        ({"received_at": "2099-01-01T00:00:00+07:00"}, (422, "case-dates-contradict")),
        ({"reference_number": "Somchai Jaidee"}, (422, "invalid-request")),
        ({"note": "Signed by the chair"}, (422, "invalid-request")),
    ],
)
async def test_what_is_no_answer_to_this_report_changes_nothing(
    house: House, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    await a_report(house)
    async with house.client(Role.SAFETY_OFFICER) as client:
        answer = await answered(client, **changed)
        assert (answer.status_code, answer.json()["type"]) == expected
        assert "Somchai" not in answer.text
        assert (await client.get(f"{PATH}/reports/1")).json()["answered"] is None


@pytest.mark.parametrize("role", EVERYBODY)
async def test_the_sponsors_side_records_letters(house: House, role: Role) -> None:
    await a_report(house)
    async with house.client(role) as client:
        assert (await answered(client)).status_code == (200 if role in {Role.SAFETY_OFFICER, Role.SPONSOR} else 403)


async def test_another_site_knows_of_no_report(house: House) -> None:
    await a_report(house)
    async with house.client(Role.SAFETY_OFFICER, site="KKU") as client:
        answer = await answered(client)
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-adverse-event")
