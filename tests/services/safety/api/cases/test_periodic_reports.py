"""Reports that recur over HTTP: what runs and how well the duty is known, who records, and what is refused."""

from typing import Any

import httpx
import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.builders import PROTOCOL
from tests.services.safety.house import House

PATH = "/v1/periodic-reports"
SENT = {"sent_at": "2026-03-10T15:00:00+07:00", "reference_number": "IRB-0456/26"}


async def post(client: httpx.AsyncClient, path: str, **body: str) -> httpx.Response:
    return await client.post(f"{PATH}/{path}", json=body)


async def test_each_duty_says_how_well_it_is_known_and_that_nobody_said_from_when(house: House) -> None:
    async with house.client(Role.MONITOR) as client:
        found = (await client.get(PATH)).json()
        assert (await client.get(f"{PATH}/history")).json() == []
    assert [(each["clock"], each["to"], each["mark"], each["counts_from"]) for each in found] == [
        ("ethics-ordinary", "ethics-committee", "A", None),
        ("dsur", "regulators", "U", None),
    ]
    assert found[1]["source"] == "ICH E2F"
    assert [each["periods"] for each in found] == [[], []]


async def test_a_period_is_shown_before_the_watch_has_recorded_it_and_ends_with_its_report(any_house: House) -> None:
    async with any_house.client(Role.SAFETY_OFFICER, subject="officer-7") as client:
        first = await post(client, "dsur/begin", counts_from="2024-03-14")
        assert first.status_code == 200, first.text
        any_house.wait(days=365)
        (_, dsur) = (await client.get(PATH)).json()
        assert [(each["clock_id"], each["state"]) for each in dsur["periods"]] == [
            ("CMD03-dsur-1", "missed"),
            ("CMD03-dsur-2", "missed"),
            ("CMD03-dsur-3", "running"),
        ]
        key = {"Idempotency-Key": "the report of 2025"}
        sent = {"sent_at": "2025-05-10T15:00:00+07:00", "reference_number": "TFDA-17/68"}
        answers = [await client.post(f"{PATH}/dsur/record-sent", json=sent, headers=key) for _ in range(2)]
        (_, dsur) = (await client.get(PATH)).json()
        history = (await client.get(f"{PATH}/history")).json()
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].headers["Trial-Position"].startswith(f"periodic-reports:{PROTOCOL.protocol_id}@")
    period = dsur["periods"][0]
    assert (period["state"], period["sent_at"], period["reference_number"]) == (
        "met",
        "2025-05-10T15:00:00+07:00",
        "TFDA-17/68",
    )
    met = [each["actor"] for each in history if each["type"] == "safety.periodic-clock-met"]
    assert met == ["officer-7"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("nothing/begin", {"counts_from": "2026-01-14"}, (404, "no-such-periodic-report")),
        ("investigator-to-sponsor/record-sent", SENT, (404, "no-such-periodic-report")),
        ("dsur/record-sent", SENT, (409, "no-periodic-report-due")),
        ("dsur/begin", {"counts_from": "2099-01-14"}, (422, "case-dates-contradict")),
        ("ethics-ordinary/begin", {"counts_from": "2026-01-15"}, (422, "reason-missing")),
        ("ethics-ordinary/record-sent", {"sent_at": "2099-03-10T15:00:00+07:00"}, (422, "case-dates-contradict")),
        ("ethics-ordinary/record-sent", {**SENT, "reference_number": "Somchai"}, (422, "invalid-request")),
        ("ethics-ordinary/record-sent", {**SENT, "note": "By courier"}, (422, "invalid-request")),
    ],
)
async def test_what_cannot_be_is_refused(
    house: House, path: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    async with house.client(Role.SPONSOR) as client:
        assert (await post(client, "ethics-ordinary/begin", counts_from="2026-01-14")).status_code == 200
        assert problem(await post(client, path, **body)) == expected


@pytest.mark.parametrize("role", EVERYBODY)
async def test_the_sponsors_side_records_what_was_sent(house: House, role: Role) -> None:
    async with house.client(role) as client:
        answer = await post(client, "ethics-ordinary/begin", counts_from="2026-01-14")
        sent = await post(client, "ethics-ordinary/record-sent", **SENT)
    allowed = role in {Role.SAFETY_OFFICER, Role.SPONSOR}
    assert (answer.status_code, sent.status_code) == ((200, 200) if allowed else (403, 403))
