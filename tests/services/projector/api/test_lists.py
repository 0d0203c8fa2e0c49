"""Participants, timelines, visits, adverse events and the worklist over HTTP: pages, filters, sites, roles."""

import csv
import io
from typing import Any

import httpx
import pytest

from shared.auth.permissions import EVERYBODY
from shared.contracts.enrollment import DoseLevelReassigned
from shared.http.paging import encode
from shared.kernel.actor import Role
from tests.services.projector.chronicle import Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

FIRST, THIRD = named("CU-001"), named("SI-001")
COURSES = {Role.COORDINATOR, Role.INVESTIGATOR, Role.SAFETY_OFFICER, Role.MONITOR, Role.SPONSOR, Role.SYSTEM}


async def pages(client: httpx.AsyncClient, path: str, **params: str) -> list[list[Any]]:
    """Every page, by following the links."""
    found = []
    answer = await client.get(path, params=params)
    while True:
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["items"])
        if answer.json()["next_cursor"] is None:
            assert "link" not in answer.headers
            return found
        link = answer.headers["link"]
        target, _, relation = link.partition(">; ")
        assert relation == 'rel="next"'
        answer = await client.get(target.removeprefix("<").removeprefix("/trial"))


async def everything(client: httpx.AsyncClient, path: str, **params: str) -> list[Any]:
    return [item for page in await pages(client, path, **params) for item in page]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/participants", "subject_number"),
        ("/v1/visits", "sequence"),
        ("/v1/adverse-events", "adverse_event_id"),
        (f"/v1/participants/{FIRST}/timeline", "event_id"),
        (f"/v1/participants/{FIRST}/visits", "sequence"),
    ],
)
async def test_pages_lead_through_the_whole_list_without_repeating_a_row(trial: House, path: str, key: str) -> None:
    async with trial.client() as client:
        whole = await everything(client, path, limit="200")
        paged = await pages(client, path, limit="3")
    assert len(whole) > 3
    assert [item for page in paged for item in page] == whole
    assert {len(page) for page in paged[:-1]} == {3}
    assert {item[key] for page in paged for item in page} == {item[key] for item in whole}


async def test_a_page_as_csv_leads_on_too(trial: House) -> None:
    async with trial.client(accept="text/csv") as client:
        first = await client.get("/v1/participants", params={"limit": "3"})
        second = await client.get(first.headers["link"].partition(">")[0].removeprefix("<").removeprefix("/trial"))
    read = [list(csv.DictReader(io.StringIO(each.text))) for each in (first, second)]
    assert [[row["subject_number"] for row in rows] for rows in read] == [["CU-001", "CU-002", "SI-001"], ["SI-002"]]
    assert "link" not in second.headers


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", encode("CU-001"), encode("CU-001", "no-uuid"), encode("CU-001\x00", str(FIRST)), encode(1, 2, 3)],
)
async def test_a_cursor_of_another_making_is_refused(trial: House, cursor: str) -> None:
    async with trial.client() as client:
        answer = await client.get("/v1/participants", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "unreadable-cursor")


@pytest.mark.parametrize("began_at", ["2026-01-05T09:00:00", "yesterday"])
async def test_a_cursor_without_an_instant_is_refused(trial: House, began_at: str) -> None:
    cursor = encode(began_at, "2026-01-05T09:00:00+00:00", "stream", 1)
    async with trial.client() as client:
        answer = await client.get(f"/v1/participants/{FIRST}/timeline", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "unreadable-cursor")


async def test_participants_by_site_and_status(trial: House) -> None:
    async with trial.client() as client:
        at_site = await everything(client, "/v1/participants", site="SI")
        died = await everything(client, "/v1/participants", status="died")
    assert [each["subject_number"] for each in at_site] == ["SI-001", "SI-002"]
    assert [(each["subject_number"], each["died_on"]) for each in died] == [("CU-002", "2026-02-20")]


@pytest.mark.parametrize("path", ["", "/timeline", "/visits"])
async def test_a_participant_of_another_site_is_not_found(trial: House, path: str) -> None:
    async with trial.client(Role.COORDINATOR, sites=["CU"]) as client:
        own = await client.get(f"/v1/participants/{FIRST}{path}")
        foreign = await client.get(f"/v1/participants/{THIRD}{path}")
        nobody = await client.get(f"/v1/participants/{named('nobody')}{path}")
    assert own.status_code == 200
    assert (foreign.status_code, foreign.json()["type"]) == (404, "no-such-participant")
    assert foreign.json()["detail"] == nobody.json()["detail"]
    assert own.json()["sites"] == ["CU"]


@pytest.mark.parametrize("path", ["/v1/participants", "/v1/visits", "/v1/adverse-events"])
async def test_a_list_has_the_callers_sites_alone(trial: House, path: str) -> None:
    async with trial.client(Role.MONITOR, sites=["SI"]) as client:
        found = await everything(client, path)
    assert {each["site_id"] for each in found} == {"SI"}


async def test_the_worklist_has_the_callers_sites_alone(trial: House) -> None:
    async with trial.client(Role.SAFETY_OFFICER, sites=["SI"]) as client:
        answer = await client.get("/v1/sae-worklist", params={"show": "all"})
    assert answer.json()["result"] == {"sites": [], "items": []}


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize(
    ("path", "readers"),
    [
        ("/v1/protocol", set(Role)),
        ("/v1/participants", COURSES),
        (f"/v1/participants/{FIRST}", COURSES),
        (f"/v1/participants/{FIRST}/visits", set(Role)),
        ("/v1/visits", set(Role)),
        (f"/v1/participants/{FIRST}/timeline", COURSES),
        ("/v1/adverse-events", COURSES),
        ("/v1/sae-worklist", COURSES),
    ],
)
async def test_each_role_reads_what_it_needs(trial: House, path: str, readers: set[Role], role: Role) -> None:
    async with trial.client(role, sites=["CU"]) as client:
        answer = await client.get(path)
    assert answer.status_code == (200 if role in readers else 403)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, 9),
        ({"serious": "true"}, 3),
        ({"serious": "false"}, 6),
        ({"grade": "3"}, 6),
        ({"grade": "5"}, 1),
        ({"soc": "Immune system disorders"}, 2),
        ({"retracted": "true"}, 1),
        ({"retracted": "false"}, 8),
        ({"participant_id": str(THIRD)}, 1),
        ({"participant_id": str(FIRST), "serious": "true", "site": "CU"}, 1),
        ({"participant_id": str(FIRST), "site": "SI"}, 0),
    ],
)
async def test_adverse_events_by_what_is_asked_for(trial: House, params: dict[str, str], expected: int) -> None:
    async with trial.client() as client:
        assert len(await everything(client, "/v1/adverse-events", **params)) == expected


@pytest.mark.parametrize(
    ("params", "visits"),
    [
        ({"status": "due"}, {("SI-001", "D21", "car-t-flow"), ("SI-001", "D21", "cytokines")}),
        ({"status": "open"}, set()),
        (
            {"status": "done", "assessment": "response"},
            {
                ("CU-001", "PRE"),
                ("CU-001", "D30"),
                ("CU-001", "D90"),
                ("CU-002", "PRE"),
                ("CU-002", "D30"),
                ("SI-001", "PRE"),
            },
        ),
    ],
)
async def test_visits_by_status_and_kind(trial: House, params: dict[str, str], visits: set[tuple[str, ...]]) -> None:
    async with trial.client() as client:
        found = await everything(client, "/v1/visits", **params)
    columns = ("subject_number", "visit", "assessment")[: len(next(iter(visits), ()))]
    assert {tuple(each[name] for name in columns) for each in found} == visits


async def test_who_was_not_infused_has_no_visits(trial: House) -> None:
    async with trial.client() as client:
        answer = await client.get(f"/v1/participants/{named('SI-002')}/visits")
    assert answer.json()["items"] == []


async def test_an_adverse_event_whose_participant_has_not_arrived_is_seen_by_who_sees_every_site(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001")
    child.adverse_event("Fever", 2, "2026-01-06", serious=["hospitalisation"])
    await house.hears(chronicle.told)
    async with house.client() as everywhere, house.client(Role.MONITOR, sites=["CU"]) as site:
        (found,) = await everything(everywhere, "/v1/adverse-events")
        assert (found["subject_number"], found["site_id"]) == (None, None)
        assert await everything(site, "/v1/adverse-events") == []
        worklist = (await site.get("/v1/sae-worklist")).json()["result"]["items"]
    assert [(each["subject_number"], each["site_id"]) for each in worklist] == [(None, "CU")]  # the alert names it


async def test_the_protocol_is_served_with_its_name_and_fingerprint(trial: House) -> None:
    async with trial.client(Role.LABORATORY, sites=["CU"]) as client:
        answer = (await client.get("/v1/protocol")).json()
    assert answer["ref"] == "CMD03@1.0.0"
    assert len(answer["sha256"]) == 64
    assert answer["schedule"]["time_zone"]["value"] == "Asia/Bangkok"


@pytest.mark.parametrize("path", ["/v1/adverse-events", f"/v1/participants/{FIRST}", "/v1/sae-worklist"])
async def test_an_answer_shows_the_write_it_waited_for(trial: House, path: str) -> None:
    chronicle = Chronicle()
    fever = chronicle.child("CU-001").adverse_event("Fever", 1, "2026-04-18")
    await trial.hears(chronicle.told)
    async with trial.client() as client:
        answer = await client.get(path, params={"wait_for": f"{fever.stream}@1"})
    assert answer.status_code == 200


async def test_a_write_that_does_not_arrive_is_not_waited_for_for_ever(trial: House) -> None:
    position = f"adverse-event:{named('CU-001 Fever 2026-01-06')}@2"
    async with trial.client() as client:
        answer = await client.get("/v1/adverse-events", params={"wait_for": position})
    assert (answer.status_code, answer.json()["type"]) == (503, "not-yet-projected")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(("site", "status"), [("CU", 503), ("SI", 422)])
async def test_how_many_were_screened_at_another_site_cannot_be_waited_for(
    trial: House, site: str, status: int
) -> None:
    async with trial.client(Role.MONITOR, sites=["CU"]) as client:
        answer = await client.get("/v1/adverse-events", params={"wait_for": f"site:{site}@99"})
    assert answer.status_code == status


async def test_no_cell_of_a_csv_is_a_formula(house: House) -> None:
    chronicle = Chronicle(actor='=HYPERLINK("http://evil")')
    child = chronicle.child("CU-001").screened().infused(at(1, 5))
    await house.hears(chronicle.told)
    async with house.client(accept="text/csv") as client:
        answer = await client.get(f"/v1/participants/{child.id}/timeline")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["actor"] for row in rows} == {'\'=HYPERLINK("http://evil")'}


async def test_a_participant_is_listed_at_the_dose_level_that_was_given_last(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled("DL2")
    lower = {"participant_id": child.id, "from_level": "DL2", "dose_level": "DL1", "protocol": "CMD03@1.0.0"}
    chronicle.tell(f"participant:{child.id}", DoseLevelReassigned.model_validate(lower))
    await house.hears(chronicle.told)
    async with house.client() as client:
        [listed] = await everything(client, "/v1/participants")
    assert (listed["dose_level"], listed["status"]) == ("DL1", "enrolled")
