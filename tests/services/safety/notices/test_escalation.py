"""The chain: levels begin at their minutes by every channel, end with an acknowledgement, and repeat at a wish."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prometheus_client import REGISTRY

from services.safety.notices.channels import Accepted, Answer, NoAnswer, Outgoing, Refused
from services.safety.notices.delivery import AlertDelivery
from shared.auth.permissions import COURSE_READERS, EVERYBODY
from shared.contracts.safety import AlertChannel
from shared.kernel.actor import Role
from tests.services.safety.builders import EVENT
from tests.services.safety.house import House
from tests.services.safety.notices.delivering import (
    ALERT,
    LEVELS,
    Held,
    a_round,
    deliveries,
    raise_alert,
    remembered,
    told,
    tried,
)

PATH = f"/v1/alerts/{ALERT}"
WISH = "018f2b6e-0000-7000-8000-0000000000aa"
LEVEL_1 = [(1, 1, "safety-officer"), (1, 1, "webhook")]
LEVEL_2 = [(2, 1, "medical-monitor"), (2, 1, "safety-officer")]
LEVEL_3 = [(3, 1, "sponsor"), (3, 1, "webhook")]


@dataclass
class Taken:
    """A line whose far end takes everything, but for what it is told to answer first."""

    got: list[Outgoing] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    async def send(self, outgoing: Outgoing) -> Answer:
        self.got.append(outgoing)
        await asyncio.sleep(0)
        return self.answers.pop(0) if self.answers else Accepted()


@pytest.fixture
def webhook() -> Taken:
    return Taken()


@pytest.fixture
def mail() -> Taken:
    return Taken()


async def by_officer(house: House, verb: str, **body: Any) -> httpx.Response:
    async with house.client(Role.SAFETY_OFFICER, subject="officer-1") as officer:
        return await officer.post(f"{PATH}/{verb}", json=body)


async def test_each_level_begins_at_its_minute_by_every_channel(any_house: House, webhook: Taken, mail: Taken) -> None:
    await raise_alert(any_house)
    expected: list[tuple[int, int, str]] = []
    for minutes, level in ((0, LEVEL_1), (30, LEVEL_2), (90, LEVEL_3), (60 * 24, [])):
        any_house.wait(minutes=minutes, seconds=-1)
        await a_round(any_house, webhook=webhook, mail=mail)
        assert sorted(await told(any_house)) == sorted(expected)
        any_house.wait(seconds=1)
        await a_round(any_house, webhook=webhook, mail=mail)
        expected += level
        assert sorted(await told(any_house)) == sorted(expected)
    assert [each.channel for each in await deliveries(any_house)].count(AlertChannel.MAIL) == 4
    assert [each.message.data.level for each in webhook.got] == [1, 3]
    assert len({each.id for each in webhook.got + mail.got}) == 6


async def test_after_a_long_pause_every_level_that_has_begun_is_told(house: House, webhook: Taken, mail: Taken) -> None:
    await raise_alert(house)
    house.wait(days=2)
    await a_round(house, webhook=webhook, mail=mail)
    assert sorted(await told(house)) == sorted(LEVEL_1 + LEVEL_2 + LEVEL_3)
    began = {(row.level, row.since - house.now + timedelta(days=2)) for row in await remembered(house)}
    assert began == {(1, timedelta(0)), (2, timedelta(minutes=30)), (3, timedelta(hours=2))}


@pytest.mark.parametrize("heard", [True, False])
async def test_an_acknowledgement_ends_the_chain(house: House, webhook: Taken, mail: Taken, heard: bool) -> None:
    await raise_alert(house)
    mail.answers = [Refused("451 at recipient")]
    await a_round(house, webhook=webhook, mail=mail)
    assert (await by_officer(house, "acknowledge")).status_code == 200
    if heard:
        await house.hears_itself()
    house.wait(days=1)
    await a_round(house, webhook=webhook, mail=mail)
    assert await told(house) == [(1, 1, "webhook")]
    assert (len(webhook.got), len(mail.got)) == (1, 1)


async def test_a_channel_that_the_settings_do_not_name_is_left_out(house: House, mail: Taken) -> None:
    await raise_alert(house)
    house.wait(minutes=30)
    await a_round(house, mail=mail)
    assert sorted(await told(house)) == [(1, 1, "safety-officer"), *LEVEL_2]


async def test_what_waits_is_counted_by_channel(house: House, webhook: Taken, mail: Taken) -> None:
    await raise_alert(house)
    mail.answers = [NoAnswer("no answer at connection: SMTPConnectError")]
    await a_round(house, webhook=webhook, mail=mail)
    house.wait(seconds=1)
    await a_round(house, webhook=webhook, mail=mail)
    waiting = {
        channel: REGISTRY.get_sample_value("trial_alert_sendings_waiting", {"channel": channel})
        for channel in ("webhook", "e-mail")
    }
    assert waiting == {"webhook": 0, "e-mail": 1}
    assert REGISTRY.get_sample_value("trial_alerts_undelivered") == 0
    assert REGISTRY.get_sample_value("trial_alerts_unacknowledged") == 1
    await by_officer(house, "acknowledge")
    await house.hears_itself()
    await a_round(house, webhook=webhook, mail=mail)
    assert REGISTRY.get_sample_value("trial_alerts_unacknowledged") == 0


async def test_a_wish_tells_everybody_of_the_present_level_once_more(
    any_house: House, webhook: Taken, mail: Taken
) -> None:
    await raise_alert(any_house)
    await a_round(any_house, webhook=webhook, mail=mail)
    first = await by_officer(any_house, "resend", resend_id=WISH)
    again = await by_officer(any_house, "resend", resend_id=WISH)
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (200, 200, "true")
    assert first.json() == again.json()
    await any_house.hears_itself()
    for _ in range(2):
        await a_round(any_house, webhook=webhook, mail=mail)
    assert sorted(await told(any_house)) == sorted([*LEVEL_1, (1, 2, "safety-officer"), (1, 2, "webhook")])
    assert [each.id for each in mail.got] == [f"{ALERT}.1.1.safety-officer", f"{ALERT}.1.2.safety-officer"]
    any_house.wait(minutes=30)
    await by_officer(any_house, "resend")
    await any_house.hears_itself()
    await a_round(any_house, webhook=webhook, mail=mail)
    assert (2, 2, "medical-monitor") in await told(any_house)
    async with any_house.client(Role.MONITOR) as client:
        life = (await client.get(f"{PATH}/history")).json()
    wishes = [
        (each["actor"], each["data"]["level"], each["data"]["number"]) for each in life if "resend" in each["type"]
    ]
    assert wishes == [("officer-1", 1, 2), ("officer-1", 2, 2)]


async def test_nobody_is_told_again_of_an_alert_in_hand(house: House, mail: Taken) -> None:
    await raise_alert(house)
    await by_officer(house, "resend", resend_id=WISH)
    await by_officer(house, "acknowledge")
    refused = await by_officer(house, "resend")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "alert-already-acknowledged")
    assert (await by_officer(house, "resend", resend_id=WISH)).status_code == 200
    await house.hears_itself()
    await a_round(house, mail=mail)
    assert mail.got == []


@pytest.mark.parametrize("role", EVERYBODY)
async def test_a_safety_officer_alone_has_it_sent_again(house: House, role: Role) -> None:
    await raise_alert(house)
    async with house.client(role) as client:
        answer = await client.post(f"{PATH}/resend", json={})
        assert answer.status_code == (200 if role is Role.SAFETY_OFFICER else 403)
        read = 200 if role in COURSE_READERS else 403
        assert (await client.get(f"{PATH}/deliveries")).status_code == read


async def test_the_log_shows_each_try_the_newest_first(any_house: House, webhook: Taken, mail: Taken) -> None:
    await raise_alert(any_house)
    async with any_house.client(Role.MONITOR) as client:
        assert (await client.get(f"{PATH}/deliveries")).json() == []
        mail.answers = [Refused("451 at recipient"), NoAnswer("no answer at message: SMTPServerDisconnected")]
        begun = any_house.now
        for seconds in (5, 10, 20):
            await a_round(any_house, mail=mail)
            any_house.wait(seconds=seconds)
        log = (await client.get(f"{PATH}/deliveries")).json()
    assert [(each["attempt"], each["result"], each["failure"]) for each in log] == [
        (3, "accepted", None),
        (2, "no-answer", "no answer at message: SMTPServerDisconnected"),
        (1, "refused", "451 at recipient"),
    ]
    stays = {"level": 1, "number": 1, "channel": "e-mail", "recipient": "safety-officer"}
    assert all(each.items() >= stays.items() for each in log)
    assert [each.tried_at - begun for each in await tried(any_house)] == [timedelta(seconds=s) for s in (0, 5, 15)]


@pytest.mark.parametrize("alert", [f"{EVENT}-2", f"{UUID(int=7)}-1"])
async def test_the_log_of_an_alert_that_was_not_raised_is_not_found(house: House, alert: str) -> None:
    await raise_alert(house)
    async with house.client(Role.SAFETY_OFFICER) as officer:
        for answer in (
            await officer.get(f"/v1/alerts/{alert}/deliveries"),
            await officer.post(f"/v1/alerts/{alert}/resend", json={}),
        ):
            assert answer.status_code == 404
    async with house.client(Role.SAFETY_OFFICER, site="SI") as stranger:
        assert (await stranger.get(f"{PATH}/deliveries")).status_code == 404
        assert (await stranger.post(f"{PATH}/resend", json={})).status_code == 404


async def test_one_alert_does_not_hold_up_another(house: House, mail: Taken) -> None:
    await raise_alert(house)
    other = uuid4()
    await raise_alert(house, other)
    mail.answers = [Refused("550 at recipient")]
    await a_round(house, mail=mail)
    assert (len(await deliveries(house)), len(await deliveries(house, f"{other}-1"))) == (0, 1)


class Killed(BaseException):
    """The process died here."""


def dying(method: Callable[..., Awaitable[Any]], *, after: bool) -> Callable[..., Awaitable[Any]]:
    async def die(*args: Any, **named: Any) -> Any:
        if after:
            await method(*args, **named)
        raise Killed

    return die


PLACES = (
    "memory.count",
    "plan._beginning",
    "plan._write",
    "plan._asked",
    "memory.due",
    "records.standing",
    "memory.begin",
    "line.send",
    "store.append",
    "records.record",
    "memory.delivered",
    "memory._note",
)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("place", PLACES)
async def test_killed_at_any_await_nobody_is_left_untold_and_nothing_is_recorded_twice(
    house: House, place: str, after: bool, mail: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process dies at this place in each of its lives, once per step of the chain; another one takes over."""
    await raise_alert(house)
    deaths = 0
    for minutes in (0, 30, 90):
        house.wait(minutes=minutes)
        if minutes == 90:
            await by_officer(house, "resend", resend_id=WISH)
            await house.hears_itself()
        doomed = AlertDelivery(house.db, house.store, house.clock, LEVELS, {AlertChannel.MAIL: Held(mail)})
        owner, _, name = place.partition(".")
        target = {
            "memory": doomed._memory,
            "plan": doomed._plan,
            "records": doomed._records,
            "line": mail,
            "store": house.store,
        }[owner]
        with monkeypatch.context() as patch:
            patch.setattr(target, name, dying(getattr(target, name), after=after))
            try:
                await doomed.plan()
                await doomed.send(AlertChannel.MAIL, mail, asyncio.Event())
            except Killed:
                deaths += 1
        for _ in range(2):
            house.wait(seconds=5)
            await a_round(house, mail=mail)
    assert deaths >= 2
    expected = [(1, 1, "safety-officer"), *LEVEL_2, (3, 1, "sponsor"), (3, 2, "sponsor")]
    assert sorted(await told(house)) == sorted(expected)
    assert {each.id for each in mail.got} == {f"{ALERT}.{level}.{number}.{who}" for level, number, who in expected}
    assert all(row.delivered_at is not None for row in await remembered(house))
