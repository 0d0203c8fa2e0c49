"""Alerts over HTTP: raised with their event, acknowledged by a safety officer, beside the event's own versions."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.auth.permissions import COURSE_READERS, EVERYBODY
from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import PATH, change, problem, report
from tests.services.safety.builders import CHILD, EVENT
from tests.services.safety.house import House

ALERT = f"/v1/alerts/{EVENT}-1"


async def raise_alert(house: House) -> None:
    async with house.client(Role.INVESTIGATOR) as client:
        assert (await report(client, seriousness=["hospitalisation"])).status_code == 201


async def acknowledge(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post(f"{ALERT}/acknowledge", json=body)


async def test_an_alert_can_be_read_at_once(any_house: House) -> None:
    await raise_alert(any_house)
    async with any_house.client(Role.MONITOR) as client:
        answer = await client.get(ALERT)
    assert answer.headers["etag"] == '"0"'
    assert answer.json() == {
        "alert_id": f"{EVENT}-1",
        "number": 1,
        "because": "reported-serious",
        "seriousness": ["hospitalisation"],
        "grade": 2,
        "became_aware_at": "2026-03-16T09:00:00+07:00",
        "notices": [
            {"clock": "investigator-to-sponsor", "to": "sponsor", "due_at": "2026-03-17T02:00:00Z"},
            {"clock": "ethics-other-serious", "to": "ethics-committee", "due_at": "2026-03-23T16:59:59Z"},
        ],
        "adverse_event_id": str(EVENT),
        "participant_id": str(CHILD),
        "site_id": "CU",
        "delivered_at": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "note": None,
    }


async def test_an_acknowledgement_says_who_and_when(any_house: House) -> None:
    await raise_alert(any_house)
    async with any_house.client(Role.SAFETY_OFFICER, subject="officer-1") as client:
        before = (await client.get(f"{ALERT}/history")).json()
        answer = await acknowledge(client, note="Called the site")
        assert answer.status_code == 200, answer.text
        assert answer.headers["trial-position"] == f"alert:{EVENT}-1@1"
        alert = (await client.get(ALERT)).json()
        (entry,) = (await client.get(f"{ALERT}/history")).json()
    assert before == []
    assert (alert["acknowledged_by"], alert["note"]) == ("officer-1", "Called the site")
    assert alert["acknowledged_at"] == "2026-03-16T03:00:00Z"
    assert (entry["actor"], entry["role"]) == ("officer-1", "safety-officer")


async def test_an_acknowledgement_leaves_the_events_version_alone(house: House) -> None:
    await raise_alert(house)
    async with house.client(Role.SAFETY_OFFICER) as officer:
        await acknowledge(officer)
    async with house.client(Role.INVESTIGATOR) as client:
        answer = await change(client, "regrade", 2, grade=3, since="2026-03-16")
    assert answer.json()["version"] == 3


async def test_an_alert_is_acknowledged_once(house: House) -> None:
    await raise_alert(house)
    async with house.client(Role.SAFETY_OFFICER) as officer:
        first, again = await acknowledge(officer), await acknowledge(officer)
        assert first.json() == again.json()
        assert problem(await acknowledge(officer, note="Me too")) == (409, "alert-already-acknowledged")


async def test_alerts_of_a_retracted_event_are_still_acknowledged(house: House) -> None:
    await raise_alert(house)
    async with house.client(Role.INVESTIGATOR) as client:
        await change(client, "retract", 2, reason="A duplicate")
    async with house.client(Role.SAFETY_OFFICER) as officer:
        assert (await acknowledge(officer)).status_code == 200


@pytest.mark.parametrize("alert", [f"{EVENT}-2", f"{UUID(int=7)}-1"])
async def test_an_alert_that_was_not_raised_is_not_found(house: House, alert: str) -> None:
    await raise_alert(house)
    async with house.client(Role.SAFETY_OFFICER) as officer:
        assert problem(await officer.get(f"/v1/alerts/{alert}")) == (404, "no-such-alert")
        assert problem(await officer.get(f"/v1/alerts/{alert}/history")) == (404, "no-such-alert")
        answer = await officer.post(f"/v1/alerts/{alert}/acknowledge", json={})
        assert problem(answer) == (404, "no-such-alert")


@pytest.mark.parametrize("alert", ["1", f"{EVENT}", f"{EVENT}-0", f"{EVENT}-x"])
async def test_an_alerts_id_has_its_form(house: House, alert: str) -> None:
    async with house.client(Role.SAFETY_OFFICER) as officer:
        assert problem(await officer.get(f"/v1/alerts/{alert}")) == (422, "invalid-request")


@pytest.mark.parametrize("role", EVERYBODY)
async def test_a_safety_officer_alone_acknowledges(house: House, role: Role) -> None:
    await raise_alert(house)
    async with house.client(role) as client:
        assert (await acknowledge(client)).status_code == (200 if role is Role.SAFETY_OFFICER else 403)
        read = 200 if role in COURSE_READERS else 403
        assert (await client.get(ALERT)).status_code == read


async def test_another_sites_alerts_do_not_exist(house: House) -> None:
    await raise_alert(house)
    async with house.client(Role.SAFETY_OFFICER, site="SI") as officer:
        assert problem(await acknowledge(officer)) == (404, "no-such-alert")
        assert problem(await officer.get(ALERT)) == (404, "no-such-alert")
        assert problem(await officer.get(PATH)) == (404, "no-such-adverse-event")
