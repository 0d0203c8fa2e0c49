"""Reports that recur as the worker drives them: two years forward from the one clock, and a process that dies."""

import asyncio
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.safety.cases.periodic_reports import PeriodicReportClocks
from shared.kernel.actor import Role
from tests.dying import Killed, dying
from tests.services.safety.builders import BANGKOK, PROTOCOL
from tests.services.safety.house import House

PATH = "/v1/periodic-reports"
STREAM = f"periodic-reports:{PROTOCOL.protocol_id}"
SENT_ON = date(2026, 7, 10)
BEGAN = datetime(2026, 1, 14, 12, tzinfo=BANGKOK)


def clocks_of(house: House) -> PeriodicReportClocks:
    return PeriodicReportClocks(house.store, house.clock, PROTOCOL)


async def look(house: House) -> None:
    await clocks_of(house).round(asyncio.Event())


async def post(house: House, path: str, **body: str) -> Any:
    async with house.client(Role.SAFETY_OFFICER) as client:
        return await client.post(f"{PATH}/{path}", json=body)


async def begun(house: House, clock: str = "ethics-ordinary") -> None:
    house.now = BEGAN
    assert (await post(house, f"{clock}/begin", counts_from="2026-01-14")).status_code == 200


async def recorded(house: House) -> list[str]:
    life = await house.store.history(STREAM)
    return [f"{each.type.removeprefix('safety.periodic-')} {getattr(each.event(), 'clock', '')}" for each in life]


async def test_two_years_run_forward_and_each_step_comes_in_its_time_once(any_house: House) -> None:
    house = any_house
    await begun(house)
    await begun(house, "dsur")
    for _ in range(2 * 366):
        house.wait(days=1)
        await look(house)
        if house.now.astimezone(BANGKOK).date() == SENT_ON:
            answer = await post(house, "ethics-ordinary/record-sent", sent_at=house.now.isoformat())
            assert answer.status_code == 200, answer.text
    steps = {"clock-due-soon": 1, "clock-escalated": 3, "clock-missed": 1}
    assert Counter(await recorded(house)) == {
        "reporting-begun ethics-ordinary": 1,
        "clock-started ethics-ordinary": 2,
        "clock-met ethics-ordinary": 1,
        **{f"{step} ethics-ordinary": times for step, times in steps.items()},
        "reporting-begun dsur": 1,
        "clock-started dsur": 2,
        **{f"{step} dsur": times for step, times in steps.items()},
    }
    async with house.client(Role.MONITOR) as client:
        listing, dsur = (await client.get(PATH)).json()
    assert [each["state"] for each in listing["periods"]] == ["met", "missed"]
    assert [(each["since"], each["state"]) for each in dsur["periods"]] == [
        ("2027-01-13T17:00:00Z", "missed"),
        ("2028-01-13T17:00:00Z", "running"),
    ]
    life = await house.store.history(STREAM)
    missed = next(each for each in life if each.type == "safety.periodic-clock-missed")
    assert timedelta(0) < missed.recorded_at - missed.event().due_at <= timedelta(days=1)  # type: ignore[attr-defined]


async def test_nothing_is_recorded_twice_without_a_cause(house: House) -> None:
    await begun(house)
    before = await recorded(house)
    house.wait(days=30)
    await look(house)
    assert await recorded(house) == before
    assert await clocks_of(house)._due() == []


@pytest.mark.parametrize("after", [False, True])
async def test_killed_while_it_records_no_step_is_lost_and_none_is_doubled(
    house: House, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(house)
    house.wait(days=200)
    with monkeypatch.context() as patch:
        patch.setattr(house.store, "append", dying(house.store.append, after=after))
        with pytest.raises(Killed):
            await look(house)
    await look(house)
    assert Counter(await recorded(house)) == {
        "reporting-begun ethics-ordinary": 1,
        "clock-started ethics-ordinary": 1,
        "clock-due-soon ethics-ordinary": 1,
        "clock-escalated ethics-ordinary": 3,
        "clock-missed ethics-ordinary": 1,
    }
