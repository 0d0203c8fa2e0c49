"""The steps of reporting clocks, told by the alerts' channels: once each, up the same chain, until the duty is done."""

import asyncio

import pytest

from services.safety.cases.clocks import CaseClocks
from services.safety.domain.notices.message import ClockMessage
from services.safety.notices.channels import Outgoing
from shared.contracts.safety_clock_notices import ClockNoticeDelivered
from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import change, report
from tests.services.safety.builders import AWARE, EVENT, PROTOCOL
from tests.services.safety.house import House
from tests.services.safety.notices.delivering import a_round
from tests.services.safety.notices.test_escalation import Taken

SPONSOR_CLOCK = "investigator-to-sponsor"


@pytest.fixture
def mail() -> Taken:
    return Taken()


async def a_serious_event(house: House) -> None:
    house.now = AWARE
    async with house.client(Role.INVESTIGATOR) as client:
        assert (await report(client, seriousness=["hospitalisation"])).status_code == 201
    await pass_time(house)


async def pass_time(house: House, **time: float) -> None:
    """What a worker does meanwhile, but for the delivery."""
    house.wait(**time)
    await house.hears_itself()
    await CaseClocks(house.db, house.store, house.clock, PROTOCOL).round(asyncio.Event())
    await house.hears_itself()


def of_the_sponsors_clock(mail: Taken) -> list[tuple[str, str]]:
    """Each notice of the clock of 24 hours, by its step, with the mailbox that got it."""
    clock = next((_clock_of(each) for each in mail.got if _is_of(each, SPONSOR_CLOCK)), None)
    return [(each.thread.removeprefix(f"{clock}-"), each.recipient) for each in mail.got if _is_of(each, SPONSOR_CLOCK)]


def _is_of(outgoing: Outgoing, clock: str) -> bool:
    return getattr(outgoing.message.data, "clock", None) == clock


def _clock_of(outgoing: Outgoing) -> str:
    assert isinstance(outgoing.message, ClockMessage)
    return outgoing.message.data.clock_id


async def recorded(house: House, notice_id: str) -> list[str]:
    told = await house.store.read(f"clock-notice:{notice_id}")
    assert all(isinstance(each, ClockNoticeDelivered) for each in told)
    return sorted(each.recipient for each in told)


async def test_each_step_of_a_clock_tells_its_level_once(any_house: House, mail: Taken) -> None:
    await a_serious_event(any_house)
    for hours in (18, 4, 2.1, 24):
        await pass_time(any_house, hours=hours)
        for _ in range(2):
            await a_round(any_house, mail=mail)
    assert sorted(of_the_sponsors_clock(mail)) == [
        ("due-soon", "safety-officer"),
        ("escalated-1", "medical-monitor"),
        ("escalated-1", "safety-officer"),
        ("escalated-2", "sponsor"),
        ("escalated-3", "sponsor"),
        ("missed", "sponsor"),
    ]
    clock = next(_clock_of(each) for each in mail.got if _is_of(each, SPONSOR_CLOCK))
    assert await recorded(any_house, f"{clock}-escalated-1") == ["medical-monitor", "safety-officer"]
    assert await recorded(any_house, f"{clock}-missed") == ["sponsor"]
    missed = next(each for each in mail.got if each.thread == f"{clock}-missed")
    assert missed.message.type == "safety.clock-missed"
    assert missed.id == f"{clock}-missed.3.1.sponsor"


async def test_a_duty_that_is_done_or_has_ceased_is_spoken_of_no_more(house: House, mail: Taken) -> None:
    await a_serious_event(house)
    await pass_time(house, hours=18)
    async with house.client(Role.INVESTIGATOR) as client:
        assert (await change(client, "retract", 2, reason="A duplicate")).status_code == 200
    await pass_time(house)
    await pass_time(house)
    await a_round(house, mail=mail)
    assert of_the_sponsors_clock(mail) == []


async def test_an_acknowledged_alert_does_not_silence_its_clocks(house: House, mail: Taken) -> None:
    await a_serious_event(house)
    async with house.client(Role.SAFETY_OFFICER) as officer:
        assert (await officer.post(f"/v1/alerts/{EVENT}-1/acknowledge", json={})).status_code == 200
    await pass_time(house, hours=18)
    await a_round(house, mail=mail)
    assert of_the_sponsors_clock(mail) == [("due-soon", "safety-officer")]


async def test_a_clocks_lost_memory_repeats_nothing(house: House, mail: Taken) -> None:
    await a_serious_event(house)
    await pass_time(house, hours=18)
    await a_round(house, mail=mail)
    async with house.db.begin() as connection:
        for table in ("sendings", "escalations"):
            await connection.exec_driver_sql(f"delete from {table}")
    await a_round(house, mail=mail)
    assert of_the_sponsors_clock(mail) == [("due-soon", "safety-officer")]
