"""The clocks of cases as the worker drives them: a month in small steps, and a process that dies at every await."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.safety.cases.clocks import CaseClocks
from services.safety.tables import case_looks
from shared.db import DatabaseAway
from shared.kernel.actor import Role
from shared.protocol import Protocol
from shared.telemetry import tracing
from tests.dying import Killed, dying
from tests.services.safety.api.test_adverse_events import change, report
from tests.services.safety.builders import AWARE, CHILD, CRS, EVENT, PROTOCOL
from tests.services.safety.house import House

HOUR = timedelta(hours=1)
PATH = f"/v1/adverse-events/{EVENT}"


def clocks_of(house: House, protocol: Protocol = PROTOCOL) -> CaseClocks:
    return CaseClocks(house.db, house.store, house.clock, protocol)


async def look(house: House, protocol: Protocol = PROTOCOL) -> None:
    """What a worker does in a second: takes in what was recorded, and looks at what is due."""
    await house.hears_itself()
    await clocks_of(house, protocol).round(asyncio.Event())


async def a_serious_event(house: House, event: UUID = EVENT, **changed: Any) -> None:
    async with house.client(Role.INVESTIGATOR) as client:
        stated = {"adverse_event_id": str(event), "seriousness": ["hospitalisation"], "grade": 3}
        assert (await report(client, **{**stated, **changed})).status_code == 201


async def recorded(house: House, event: UUID = EVENT) -> list[str]:
    life = await house.store.history(f"case:{event}")
    return [f"{each.type.removeprefix('safety.')} {getattr(each.event(), 'clock', '')}".strip() for each in life]


async def instants(house: House) -> list[tuple[str, datetime]]:
    """Each step of time, and when it was recorded."""
    life = await house.store.history(f"case:{EVENT}")
    steps = {"safety.clock-due-soon", "safety.clock-escalated", "safety.clock-missed"}
    return [(each.type.removeprefix("safety."), each.recorded_at) for each in life if each.type in steps]


async def test_a_month_runs_forward_and_each_step_comes_in_its_time_once(any_house: House) -> None:
    house = any_house
    house.now = AWARE
    await a_serious_event(house)
    for _ in range(31 * 12):
        await look(house)
        house.wait(hours=2)
    life = Counter(await recorded(house))
    assert life == {
        "susar-identified": 1,
        **{
            f"{step} {clock}": times
            for clock in ("investigator-to-sponsor", "ethics-other-serious", "thai-fda-other-susar")
            for step, times in (
                ("clock-started", 1),
                ("clock-due-soon", 1),
                ("clock-escalated", 3),
                ("clock-missed", 1),
            )
        },
    }
    last_day = datetime.fromisoformat("2026-03-31T23:59:59+07:00")
    steps = await instants(house)
    assert [(step, at - AWARE) for step, at in steps[:5]] == [
        ("clock-due-soon", 18 * HOUR),
        ("clock-escalated", 22 * HOUR),
        ("clock-escalated", 24 * HOUR),  # the instant due is still in time
        ("clock-missed", 26 * HOUR),
        ("clock-escalated", 48 * HOUR),
    ]
    missed_last = max(at for step, at in steps if step == "clock-missed")
    assert timedelta(0) < missed_last - last_day <= 2 * HOUR


async def test_back_dated_awareness_is_started_spoken_of_and_missed_at_once(house: House) -> None:
    house.now = AWARE + 72 * HOUR
    await a_serious_event(house, became_aware_at=AWARE.isoformat())
    await look(house)
    life = await house.store.history(f"case:{EVENT}")
    assert len({each.causation_id for each in life}) == 1  # one append
    assert [each for each in await recorded(house) if each.endswith("investigator-to-sponsor")] == [
        "clock-started investigator-to-sponsor",
        "clock-due-soon investigator-to-sponsor",
        "clock-escalated investigator-to-sponsor",
        "clock-missed investigator-to-sponsor",
        "clock-escalated investigator-to-sponsor",
        "clock-escalated investigator-to-sponsor",
    ]


async def test_nothing_is_looked_at_twice_without_a_cause(house: House) -> None:
    await a_serious_event(house)
    await look(house)
    before = await recorded(house)
    await look(house)
    assert await clocks_of(house)._due() == []
    house.wait(hours=1)
    await look(house)
    assert await recorded(house) == before


async def test_an_event_that_is_not_serious_is_not_looked_at(house: House) -> None:
    await a_serious_event(house, seriousness=[])
    await look(house)
    assert await recorded(house) == []
    assert await clocks_of(house)._due() == []


async def test_each_change_of_an_input_is_looked_at(house: House) -> None:
    await a_serious_event(house)
    await look(house)
    async with house.client(Role.SAFETY_OFFICER) as officer, house.client(Role.INVESTIGATOR) as site:
        listed = {"meddra_code": CRS.meddra_code, "max_grade": 3}
        version = {"rsi_version": "IB-1", "effective_from": "2026-01-01", "terms": [listed]}
        assert (await officer.post("/v1/reference-safety-information", json=version)).status_code == 201
        await look(house)
        assert (await recorded(house))[-2:] == ["susar-no-longer-held", "clock-stopped thai-fda-other-susar"]
        house.wait(hours=1)
        assert (await change(site, "regrade", 2, grade=4, since="2026-03-16")).status_code == 200
        await look(house)
        assert (await recorded(house))[-2:] == ["susar-identified", "clock-started thai-fda-other-susar"]
        sent = {"kind": "initial", "recipient": "thai-fda", "sent_at": house.now.isoformat()}
        assert (await officer.post(f"{PATH}/reports", json=sent)).status_code == 201
        await look(house)
        assert (await recorded(house))[-2:] == ["report-submitted", "clock-met thai-fda-other-susar"]
        assert (await change(site, "retract", 3, reason="Entered for another participant")).status_code == 200
        await look(house)
    assert (await recorded(house))[-4:] == [
        "susar-no-longer-held",
        "clock-started follow-up-information",
        "clock-stopped investigator-to-sponsor",
        "clock-stopped ethics-other-serious",
    ]


async def test_a_look_continues_the_trace_of_what_it_looks_at(house: House) -> None:
    await a_serious_event(house)
    tracing.begin(None)
    await look(house)
    raised = (await house.store.history(f"adverse-event:{EVENT}"))[0]
    assert {each.correlation_id for each in await house.store.history(f"case:{EVENT}")} == {raised.correlation_id}


def since(day: str) -> Protocol:
    steps = PROTOCOL.clock_steps
    begun = steps.effective_from.model_copy(update={"value": datetime.fromisoformat(day).date()})
    return PROTOCOL.model_copy(
        update={"version": "9.0.0", "clock_steps": steps.model_copy(update={"effective_from": begun})}
    )


async def test_a_rule_that_begins_later_leaves_older_alerts_alone_until_a_protocol_says_otherwise(
    house: House,
) -> None:
    await a_serious_event(house)
    await look(house, since("2026-03-17"))
    assert await recorded(house) == []
    await look(house, since("2026-03-16"))  # another protocol of the same version is not looked for
    assert await recorded(house) == []
    await look(house, PROTOCOL)
    assert "clock-started investigator-to-sponsor" in await recorded(house)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("place", ["_due", "_note", "cases.review", "store.append", "store.load", "store.history"])
async def test_killed_at_any_await_no_step_is_lost_and_none_is_doubled(
    house: House, place: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.now = AWARE
    await a_serious_event(house)
    expected = Counter(
        f"{step} investigator-to-sponsor"
        for step in ("clock-started", "clock-due-soon", *["clock-escalated"] * 3, "clock-missed")
    )
    deaths = 0
    for hours in (0, 18, 4, 3, 24):
        house.wait(hours=hours)
        await house.hears_itself()
        doomed = clocks_of(house)
        owner, _, name = place.rpartition(".")
        target = {"": doomed, "cases": doomed._cases, "store": house.store}[owner]
        with monkeypatch.context() as patch:
            patch.setattr(target, name, dying(getattr(target, name), after=after))
            try:
                await doomed.round(asyncio.Event())
            except Killed:
                deaths += 1
        await look(house)
        await look(house)
    assert deaths >= 4
    life = Counter(await recorded(house))
    assert {name: times for name, times in life.items() if name.endswith("investigator-to-sponsor")} == expected


async def test_a_database_that_is_away_is_waited_out(house: House, caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    clocks = clocks_of(house)

    async def away() -> Any:
        stop.set()
        raise DatabaseAway("gone")

    clocks._due = away  # type: ignore[method-assign]
    await clocks.run(stop)
    assert [(told.__dict__["lease"], told.__dict__["reason_code"]) for told in caplog.records] == [
        ("case-clocks", "database-away")
    ]


async def test_a_worker_that_is_told_to_stop_looks_at_no_more(house: House) -> None:
    await a_serious_event(house)
    await house.hears_itself()
    stop = asyncio.Event()
    stop.set()
    await clocks_of(house).round(stop)
    assert await recorded(house) == []


async def test_what_was_looked_at_is_remembered(house: House) -> None:
    await a_serious_event(house, participant_id=str(CHILD))
    await look(house)
    async with house.db.connect() as connection:
        row = (await connection.execute(select(case_looks))).one()
    assert (row.adverse_event_version, row.case_version, row.protocol) == (2, 4, PROTOCOL.ref)
    assert row.look_again_at == AWARE + 18 * HOUR
