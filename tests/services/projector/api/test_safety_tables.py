"""Dose-limiting toxicity and reconciliation over HTTP: whose sites they cover, their sheets, the hour, a write."""

import csv
import io
from datetime import timedelta

import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.projector.chronicle import Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

TOXICITY, OPEN = "/v1/dose-limiting-toxicity", "/v1/safety-reconciliation"
READERS = {Role.COORDINATOR, Role.INVESTIGATOR, Role.SAFETY_OFFICER, Role.MONITOR, Role.SPONSOR, Role.SYSTEM}


async def sheet(house: House, path: str, name: str | None = None) -> list[dict[str, str]]:
    async with house.client(accept="text/csv") as client:
        answer = await client.get(path, params={} if name is None else {"sheet": name})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("path", [TOXICITY, OPEN])
async def test_who_reads_images_or_samples_does_not_read_them(trial: House, path: str, role: Role) -> None:
    async with trial.client(role, sites=["CU"]) as client:
        answer = await client.get(path)
    assert answer.status_code == (200 if role in READERS else 403)


async def test_the_table_is_of_the_callers_sites_and_the_stopping_rules_are_of_the_trial(trial: House) -> None:
    async with trial.client(Role.INVESTIGATOR, sites=["SI"]) as client:
        answer = (await client.get(TOXICITY)).json()
    assert [each["subject_number"] for each in answer["result"]["participants"]] == ["SI-001", "SI-002"]
    assert sum(level["treated"] for level in answer["result"]["levels"]) == 1
    (fired,) = answer["result"]["stopping_rules"][0]["firings"]
    assert (fired["events"], fired["participants"]) == (1, [])
    assert "CU-00" not in str(answer)
    assert str(named("CU-001")) not in str(answer)


async def test_what_is_open_is_of_the_callers_sites(trial: House) -> None:
    async with trial.client(Role.INVESTIGATOR, sites=["SI"]) as client:
        answer = (await client.get(OPEN)).json()["result"]
    assert [each["subject_number"] for each in answer["participants"]] == ["SI-001"]
    assert sum(each["n"] for each in answer["open"]) == 1


async def test_who_has_not_arrived_yet_is_seen_by_who_sees_every_site(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001")
    child.adverse_event("Sepsis", 4, "2026-01-06", serious=["life-threatening"])
    await house.hears(chronicle.told)
    async with house.client() as client:
        (unknown,) = (await client.get(OPEN)).json()["result"]["participants"]
    assert (unknown["participant_id"], unknown["subject_number"]) == (str(child.id), None)
    async with house.client(Role.MONITOR, sites=["SI"]) as client:
        assert (await client.get(OPEN)).json()["result"]["participants"] == []


async def test_time_alone_ends_a_window(trial: House) -> None:
    ends = at(4, 27) + timedelta(minutes=30)
    stood = []
    for trial.now in (ends, ends + timedelta(seconds=1)):
        async with trial.client() as client:
            people = (await client.get(TOXICITY)).json()["result"]["participants"]
        stood.append(next(each["status"] for each in people if each["subject_number"] == "SI-001"))
    assert stood == ["in-window", "evaluable-without-dlt"]


async def test_each_part_of_the_table_is_a_sheet(trial: House) -> None:
    levels = {line["dose_level"]: line for line in await sheet(trial, TOXICITY)}
    assert (levels["DL1"]["treated"], levels["DL1"]["with_dlt"], levels["DL1"]["reasons"]) == ("3", "1", "")
    people = await sheet(trial, TOXICITY, "participants")
    assert [(line["subject_number"], line["source_kind"], line["decision"]) for line in people] == [
        ("CU-001", "adverse-event", "confirmed"),
        ("CU-002", "adverse-event", ""),
        ("SI-001", "adverse-event", ""),
        ("SI-002", "", ""),
    ]
    rules = await sheet(trial, TOXICITY, "stopping-rules")
    assert [(line["rule"], line["state"], line["number"]) for line in rules] == [
        ("excessive-dose-limiting-toxicity", "resumed", "1"),
        ("treatment-related-death", "not-fired", ""),
    ]


async def test_the_reasons_somebody_does_not_count_are_told_with_their_number(house: House) -> None:
    chronicle = Chronicle()
    chronicle.child("CU-001").screened().enrolled().infused(at(1, 5)).died("2026-01-20")
    await house.hears(chronicle.told)
    levels = {line["dose_level"]: line for line in await sheet(house, TOXICITY)}
    assert levels["DL1"]["reasons"] == "left-before-the-end-of-the-window: 1"


async def test_what_is_open_has_a_line_per_item(trial: House) -> None:
    lines = await sheet(trial, OPEN)
    assert [(line["subject_number"], line["kind"]) for line in lines].count(("CU-002", "report-missing")) == 2
    assert len(lines) == 7


@pytest.mark.parametrize("path", [TOXICITY, OPEN])
async def test_an_answer_shows_the_write_that_is_asked_for(trial: House, path: str) -> None:
    decided = f"dose-limiting-toxicity:{named('CU-001')}"
    async with trial.client() as client:
        shown = await client.get(path, params={"wait_for": f"{decided}@2"})
        never = await client.get(path, params={"wait_for": "nothing"})
    assert (shown.status_code, never.status_code) == (200, 422)
    assert shown.json()["as_of"]["events"] > 0


async def test_the_window_is_that_of_the_first_infusion(house: House) -> None:
    chronicle = Chronicle()
    chronicle.child("CU-001").screened().enrolled().infused(at(1, 5)).infused(at(4, 5), day_zero=at(4, 5))
    await house.hears(chronicle.told)
    async with house.client() as client:
        (who,) = (await client.get(TOXICITY)).json()["result"]["participants"]
    assert (who["window_begins"], who["status"]) == ("2026-01-05T02:00:00Z", "evaluable-without-dlt")
