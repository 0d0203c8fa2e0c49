"""Sites over HTTP."""

import httpx
import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.enrollment.api.requests import a_screening
from tests.services.enrollment.conftest import CU, Caller

SIRIRAJ = {"site_id": "SI", "name": "Siriraj", "country": "TH", "time_zone": "Asia/Bangkok"}


async def test_a_sponsor_opens_a_site(sponsor: httpx.AsyncClient) -> None:
    answer = await sponsor.post("/v1/sites", json=SIRIRAJ)
    assert (answer.status_code, answer.headers["Location"], answer.headers["ETag"]) == (
        201,
        "/enrollment/v1/sites/SI",
        '"1"',
    )
    shown = await sponsor.get("/v1/sites/SI")
    assert shown.json() == SIRIRAJ | {"participants": 0, "version": 1}


async def test_a_site_counts_the_participants_it_has_numbered(
    sponsor: httpx.AsyncClient, coordinator: httpx.AsyncClient
) -> None:
    await coordinator.post("/v1/participants", json=a_screening())
    shown = await sponsor.get("/v1/sites/CU")
    assert (shown.json()["participants"], shown.headers["ETag"]) == (1, '"2"')


async def test_a_site_opened_again_is_the_same_site(sponsor: httpx.AsyncClient) -> None:
    assert (await sponsor.post("/v1/sites", json=CU)).status_code == 201
    answer = await sponsor.post("/v1/sites", json=CU | {"name": "Another"})
    assert (answer.status_code, answer.json()["type"]) == (409, "site-already-open")


async def test_the_history_of_a_site_names_its_numbers(
    sponsor: httpx.AsyncClient, coordinator: httpx.AsyncClient
) -> None:
    await coordinator.post("/v1/participants", json=a_screening())
    history = (await sponsor.get("/v1/sites/CU/history")).json()
    assert [(entry["type"], entry["actor"]) for entry in history] == [
        ("enrollment.site-opened", "sponsor-1"),
        ("enrollment.subject-number-allocated", "coordinator-1"),
    ]


@pytest.mark.parametrize("role", EVERYBODY)
async def test_who_may_open_and_read_a_site(caller: Caller, role: Role) -> None:
    opened = await caller(role, "SI").post("/v1/sites", json=SIRIRAJ)
    assert opened.status_code == (201 if role in {Role.SPONSOR, Role.SYSTEM} else 403)
    assert (await caller(role, "CU").get("/v1/sites/CU")).status_code == 200


async def test_another_site_is_unknown(caller: Caller) -> None:
    elsewhere = caller(Role.SYSTEM, "KKU")
    for path in ("/v1/sites/CU", "/v1/sites/CU/history"):
        answer = await elsewhere.get(path)
        assert (answer.status_code, answer.json()["type"]) == (404, "no-such-site")
    assert (await elsewhere.post("/v1/sites", json=SIRIRAJ)).status_code == 404


async def test_a_site_nobody_opened_is_unknown(sponsor: httpx.AsyncClient) -> None:
    for path in ("/v1/sites/NOWHERE", "/v1/sites/NOWHERE/history"):
        assert (await sponsor.get(path)).status_code == 404
