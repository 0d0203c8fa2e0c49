"""The cohort board over HTTP: of an enforced escalation and of none, within the sites, and as CSV."""

from typing import Any

from shared.contracts.enrollment_escalation import DosingPaused, SlotReserved
from shared.kernel.actor import Role
from tests.services.projector.chronicle import PROTOCOL, Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

BOARD = "/v1/cohort-board"


async def ask(house: House, *sites: str, sheet: str | None = None, **params: str) -> Any:
    accept = "application/json" if sheet is None else "text/csv"
    asked = params if sheet is None else {**params, "sheet": sheet}
    async with house.client(Role.COORDINATOR, sites=list(sites) or ["*"], accept=accept) as client:
        answer = await client.get(BOARD, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"] if sheet is None else answer.text


async def test_a_trial_that_took_no_slots_shows_levels_and_windows(trial: House) -> None:
    board = await ask(trial)
    assert (board["design"], board["enforced"], board["open_level"]) == ("3+3", False, "DL1")
    assert [each["dose_level"] for each in board["levels"]] == ["DL-1", "DL1", "DL2", "DL3"]
    infused = {each["subject_number"]: each for each in board["participants"] if each["infused_at"] is not None}
    assert set(infused) == {"CU-001", "CU-002", "SI-001"}
    assert all(each["window_ends"] is not None for each in infused.values())
    here = await ask(trial, "SI")
    assert {each["site_id"] for each in here["participants"]} == {"SI"}
    assert here["levels"] == board["levels"]
    assert await ask(trial, "SI", site="CU") == {**here, "participants": []}


async def test_slots_and_pauses_are_shown_as_they_were_told(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened()  # a slot before the enrolment
    slot = SlotReserved(participant_id=child.id, site_id="CU", dose_level="DL1", protocol=PROTOCOL.ref)
    chronicle.tell("escalation:CMD03", slot)
    chronicle.tell("escalation:CMD03", DosingPaused(at=at(1, 5), reason="A fire in the pharmacy"))
    await house.hears(chronicle.told)
    board = await ask(house)
    level = next(each for each in board["levels"] if each["dose_level"] == "DL1")
    assert [level[name] for name in ("slots", "free", "reserved", "used", "cohorts")] == [3, 2, 1, 0, 1]
    (line,) = board["participants"]
    assert (line["participant_id"], line["place"], line["cohort"]) == (str(named("CU-001")), "reserved", 1)
    assert line["next_infusion"] == {"permitted_from": None, "held_by": [{"bar": "paused", "until": None}]}
    assert (board["is_paused"], board["pauses"][0]["paused_by"]) == (True, "dr-mali")


async def test_its_parts_as_csv(trial: House) -> None:
    assert (await ask(trial, sheet="levels")).count("\r\n") == 5
    people = (await ask(trial, sheet="participants")).splitlines()
    assert people[0].startswith("participant_id,subject_number,site_id,dose_level,cohort,place")
    assert len(people) == 1 + 4 + 1  # the last is whoever comes next
    assert (await ask(trial, sheet="pauses")).startswith("since,paused_by")
    assert (await ask(trial, sheet="overrides")).startswith("participant_id,infusion_number")
