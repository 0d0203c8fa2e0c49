"""Slots, decisions, pauses, overrides and permits over HTTP, where the protocol enforces its escalation."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.auth.local_issuer import LocalIssuer
from shared.db import Database
from shared.kernel.actor import Role
from tests.services.enrollment.clinic import DAY, Clinic, given, who
from tests.services.enrollment.conftest import Caller, a_migrated_database, app_over, callers_of, do

ESCALATION = "/v1/dose-escalation"
ASKING = 100


class Trial:
    """Callers of an app, and the clinic on whose store it runs."""

    def __init__(self, clinic: Clinic, issuer: LocalIssuer) -> None:
        self.clinic = clinic
        self.caller: Caller = callers_of(
            app_over(clinic.db, issuer, protocol=clinic.protocol, clock=lambda: clinic.now), issuer
        )

    async def get(self, path: str = "", role: Role = Role.MONITOR, *sites: str) -> httpx.Response:
        async with self.caller(role, *sites) as client:
            return await client.get(f"{ESCALATION}{path}")

    async def view(self) -> Any:
        return (await self.get()).json()

    async def say(self, verb: str, role: Role, *sites: str, number: Any = None, **body: Any) -> httpx.Response:
        told = body if number is None else body | {"participant_id": str(who(number))}
        async with self.caller(role, *sites) as client:
            seen = await client.get(ESCALATION)
            return await client.post(f"{ESCALATION}/{verb}", json=told, headers={"If-Match": seen.headers["ETag"]})

    async def change(self, number: int, verb: str, **body: Any) -> httpx.Response:
        async with self.caller() as client:
            return await do(client, who(number), verb, body)

    async def enrol(self, *numbers: int) -> None:
        for number in numbers:
            answer = await self.change(number, "enrol", enrolled_on="2026-03-09")
            assert answer.status_code == 200, answer.text

    async def infuse(self, number: int, **body: Any) -> httpx.Response:
        told = {name: str(value) for name, value in given(self.clinic.now).items()}
        return await self.change(number, "record-infusion", **told, **body)

    async def permit(self, number: int, query: str, *sites: str) -> httpx.Response:
        async with self.caller(Role.MONITOR, *sites) as client:
            return await client.get(f"/v1/participants/{who(number)}/infusion-permit?{query}")


@pytest.fixture
async def trial(sqlite: Database, issuer: LocalIssuer) -> Trial:
    clinic = Clinic(sqlite)
    await clinic.screened(1, 2, 3, 4)
    await clinic.screened(5, site="KKU")
    return Trial(clinic, issuer)


async def test_of_a_hundred_requests_for_the_last_slot_one_has_it(postgres_url: str, issuer: LocalIssuer) -> None:
    db = await a_migrated_database(postgres_url)
    trial = Trial(Clinic(db), issuer)
    everybody = range(1, ASKING + 3)
    await trial.clinic.screened(*everybody)
    async with trial.caller() as client:

        async def reserve(number: int) -> httpx.Response:
            return await client.post(f"{ESCALATION}/reserve-slot", json={"participant_id": str(who(number))})

        for number in everybody[:2]:
            assert (await reserve(number)).status_code == 200
        answers = await asyncio.gather(*(reserve(number) for number in everybody[2:]))
    refused = [each.json()["type"] for each in answers if each.status_code == 409]
    assert refused == ["no-free-slot"] * (ASKING - 1)
    (level,) = [each for each in (await trial.view())["levels"] if each["is_open"]]
    assert (level["slots"], level["taken"]) == (3, 3)
    await db.dispose()


async def test_a_cohort_is_read_with_its_slots_and_windows(trial: Trial) -> None:
    await trial.enrol(1, 2)
    assert (await trial.infuse(1)).status_code == 200
    view = await trial.view()
    assert (view["enforced"], view["design"], view["open_level"], view["taken"]) == (True, "3+3", "DL1", 2)
    first, second = (next(each for each in view["slots"] if each["participant_id"] == str(who(n))) for n in (1, 2))
    assert (first["status"], first["window_ends"][:10]) == ("in-window", "2026-04-07")
    assert (second["status"], second["infused_at"]) == ("not-infused", None)
    assert view["says"]["decision"] == "stay"


async def test_a_refusal_lists_every_bar_and_the_earliest_instant(trial: Trial) -> None:
    await trial.enrol(1, 2)
    await trial.infuse(1)
    trial.clinic.now += DAY
    refused = await trial.infuse(2)
    assert (refused.status_code, refused.json()["type"]) == (409, "infusion-not-permitted")
    assert refused.json()["errors"] == [{"at": "/started_at", "why": "stagger: until 2026-03-24T03:00:00+00:00"}]
    assert "permitted from 2026-03-24T03:00:00+00:00 on" in refused.json()["detail"]
    await trial.say("pause", Role.INVESTIGATOR, reason="A report is being read")
    refused = await trial.infuse(2)
    assert [each["why"].split(":")[0] for each in refused.json()["errors"]] == ["paused", "stagger"]
    given_all_the_same = await trial.infuse(2, given_despite="The cells would not have kept")
    assert given_all_the_same.status_code == 200
    history = (await trial.get("/history")).json()
    assert history[-1]["type"] == "enrollment.infusion-judged"
    assert (history[-1]["data"]["permission"], history[-1]["data"]["bars"]) == ("deviation", ["paused", "stagger"])


async def test_a_permit_says_from_which_hour_of_the_day_on(trial: Trial) -> None:
    await trial.enrol(1, 2)
    await trial.infuse(1)
    days = {day: (await trial.permit(2, f"on=2026-03-{day}")).json() for day in (23, 24, 25)}
    assert [days[day]["permitted"] for day in (23, 24, 25)] == [False, True, True]
    assert [[each["bar"] for each in days[day]["bars"]] for day in (23, 24, 25)] == [["stagger"], ["stagger"], []]
    assert days[23]["earliest_on"] == "2026-03-24"
    assert days[24]["earliest_at"] == "2026-03-24T10:00:00+07:00"
    assert (days[23]["infusion_number"], days[23]["dose_level"], days[23]["status"]) == (1, "DL1", "enrolled")


async def test_a_permit_for_another_level_or_without_a_slot_needs_a_decision(trial: Trial) -> None:
    await trial.enrol(1)
    other = (await trial.permit(1, "on=2026-03-10&dose_level=DL2")).json()
    assert ([each["bar"] for each in other["bars"]], other["earliest_on"]) == (["wrong-level"], None)
    none = (await trial.permit(2, "on=2026-03-10&dose_level=DL2")).json()
    assert (none["permitted"], {each["bar"] for each in none["bars"]}) == (False, {"no-slot", "level-closed"})
    await trial.say("reserve-slot", Role.COORDINATOR, number=2)
    held = (await trial.permit(2, "on=2026-03-10")).json()
    assert (held["permitted"], held["bars"], held["status"]) == (False, [], "screening")


async def test_two_people_in_two_roles_open_the_gate(trial: Trial) -> None:
    await trial.enrol(1, 2)
    await trial.infuse(1)
    trial.clinic.now += DAY
    asked = {"number": 2, "reason": "No other treatment is left"}
    assert (await trial.say("request-override", Role.INVESTIGATOR, **asked)).status_code == 200
    assert (await trial.say("confirm-override", Role.INVESTIGATOR, **asked)).json()["type"] == "override-needs-two"
    assert (await trial.say("confirm-override", Role.SAFETY_OFFICER, **asked)).json()["type"] == "override-needs-two"
    assert (await trial.infuse(2)).status_code == 409
    assert (await trial.say("confirm-override", Role.SPONSOR, **asked)).status_code == 200
    assert (await trial.permit(2, "on=2026-03-11")).json()["overridden"] is True
    assert (await trial.infuse(2)).status_code == 200
    history = (await trial.get("/history")).json()
    assert history[-1]["data"]["permission"] == "overridden"
    assert {each["actor"] for each in history if "override" in each["type"]} == {"investigator-1", "sponsor-1"}


async def test_a_pause_stops_slots_until_a_person_resumes(trial: Trial) -> None:
    assert (await trial.say("pause", Role.INVESTIGATOR, reason="A report is being read")).status_code == 200
    assert (await trial.say("pause", Role.SPONSOR, reason="Another one too")).json()["version"] == 1
    refused = await trial.change(1, "enrol", enrolled_on="2026-03-09")
    assert (refused.status_code, refused.json()["type"]) == (409, "dosing-paused")
    assert (await trial.view())["paused"] is True
    assert (await trial.say("resume", Role.INVESTIGATOR, reason="It was read")).status_code == 403
    assert (await trial.say("resume", Role.SAFETY_OFFICER, reason="It was read")).status_code == 200
    await trial.enrol(1)


async def test_a_decision_holds_what_was_known(trial: Trial) -> None:
    stopped = {"design_said": "stay", "decision": "stop", "reason": "The manufacture is halted"}
    assert (await trial.say("record-decision", Role.SPONSOR, **stopped)).status_code == 403
    await trial.enrol(1)
    await trial.infuse(1)
    assert (await trial.say("record-decision", Role.SAFETY_OFFICER, **stopped)).status_code == 200
    view = await trial.view()
    assert (view["open_level"], view["basis_changed"]) == (None, False)
    (decision,) = view["decisions"]
    assert [each["status"] for each in decision["basis"]] == ["in-window"]
    await trial.clinic.has_a_dlt(1)
    await trial.clinic.hears_itself()
    await trial.clinic.watch().round(asyncio.Event())
    assert (await trial.view())["basis_changed"] is True
    refused = await trial.change(2, "enrol", enrolled_on="2026-03-09")
    assert refused.json()["type"] == "no-level-open"


async def test_other_sites_are_counted_and_not_named(trial: Trial) -> None:
    await trial.enrol(1)
    await trial.say("reserve-slot", Role.COORDINATOR, "KKU", number=5)
    decided = {"design_said": "stay", "decision": "stay", "next_level": "DL1", "slots": 3, "reason": "As before"}
    await trial.infuse(1)
    await trial.say("record-decision", Role.SAFETY_OFFICER, **decided)
    there = (await trial.get("", Role.MONITOR, "KKU")).json()
    assert [each["participant_id"] for each in there["slots"]] == [str(who(5))]
    assert (there["taken"], there["decisions"][0]["basis"]) == (2, [])
    told = (await trial.get("/history", Role.MONITOR, "KKU")).text
    assert str(who(1)) not in told
    assert str(who(5)) in told
    everything = (await trial.get("/history", Role.SPONSOR)).text
    assert str(who(1)) in everything
    assert (await trial.say("reserve-slot", Role.COORDINATOR, "KKU", number=2)).status_code == 404
    assert (await trial.permit(1, "on=2026-03-10", "KKU")).status_code == 404


async def test_a_slot_is_released_on_the_version_that_was_seen(trial: Trial) -> None:
    await trial.say("reserve-slot", Role.COORDINATOR, number=1)
    body = {"participant_id": str(who(1)), "reason": "Too ill to be treated"}
    async with trial.caller() as client:
        assert (await client.post(f"{ESCALATION}/release-slot", json=body)).status_code == 428
        stale = await client.post(f"{ESCALATION}/release-slot", json=body, headers={"If-Match": '"7"'})
        assert stale.status_code == 412
    assert (await trial.say("release-slot", Role.COORDINATOR, **body)).status_code == 200
    assert (await trial.view())["slots"] == []
    assert (await trial.get("/history")).json()[-1]["data"]["release"] == "released"


async def test_before_anything_has_happened_there_is_no_history(trial: Trial) -> None:
    assert (await trial.get("/history")).json() == []
