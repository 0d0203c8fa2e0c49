"""Alerts on their way to a real webhook receiver: signed, retried, recorded once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.safety.notices.delivery import LONGEST_PAUSE, AlertDelivery, pause_after
from services.safety.notices.memory import DeliveryMemory
from services.safety.notices.records import DeliveryRecords
from services.safety.notices.webhook import Receiver, WebhookLine
from shared.contracts.safety import AlertChannel
from shared.db import Database, DatabaseAway
from shared.kernel.actor import Role
from shared.telemetry import tracing
from tests.services.safety.api.test_adverse_events import change
from tests.services.safety.builders import EVENT
from tests.services.safety.house import House
from tests.services.safety.notices.delivering import (
    ALERT,
    LEVELS,
    a_round,
    deliveries,
    delivery_of,
    raise_alert,
    remembered,
    tried,
)
from tests.services.safety.notices.receiver import SECRET, WebhookReceiver, receiving
from tests.services.safety.notices.receiver import told as said

FIRST = f"{ALERT}.1.1.webhook"


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with receiving() as made:
        yield made


@pytest.fixture
async def line(receiver: WebhookReceiver) -> AsyncIterator[WebhookLine]:
    async with Receiver(receiver.url, SECRET).connected() as made:
        yield made


async def attempts(house: House) -> Any:
    """What is remembered of the only sending."""
    (row,) = await remembered(house)
    return row


async def last_failure(house: House) -> Any:
    return (await tried(house))[-1].failure


async def test_an_alert_is_delivered_signed_and_recorded(
    any_house: House, line: WebhookLine, receiver: WebhookReceiver
) -> None:
    await raise_alert(any_house)
    await a_round(any_house, webhook=line)
    (message,) = receiver.got
    assert message.id == FIRST
    assert message.headers["content-type"] == "application/json"
    sent = message.verified()
    assert sent["type"] == "safety.alert-raised"
    assert sent["data"] | {"due": None} == {
        "alert_id": ALERT,
        "number": 1,
        "adverse_event_id": str(EVENT),
        "participant_id": sent["data"]["participant_id"],
        "site_id": "CU",
        "grade": 3,
        "due": None,
        "level": 1,
        "notification": 1,
    }
    assert [due["to"] for due in sent["data"]["due"]] == ["sponsor", "ethics-committee"]
    assert len(await deliveries(any_house)) == 1
    async with any_house.client(Role.MONITOR) as client:
        assert (await client.get(f"/v1/alerts/{ALERT}")).json()["delivered_at"] is not None
        (entry,) = (await client.get(f"/v1/alerts/{ALERT}/history")).json()
    assert (entry["actor"], entry["role"]) == ("alert-delivery", "system")


async def test_a_delivered_alert_is_not_sent_again(house: House, line: WebhookLine, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    await a_round(house, webhook=line)
    house.wait(minutes=29)
    await a_round(house, webhook=line)
    await house.hears_itself()
    await a_round(house, webhook=line)
    assert len(receiver.got) == 1


async def test_a_delivery_continues_the_trace_of_its_report(house: House, line: WebhookLine) -> None:
    await raise_alert(house)
    tracing.begin(None)  # as in the worker, which has never seen the report's request
    await a_round(house, webhook=line)
    (_, raised), (delivered,) = (
        await house.store.history(f"adverse-event:{EVENT}"),
        await house.store.history(f"alert:{ALERT}"),
    )
    assert delivered.correlation_id == raised.correlation_id


async def test_failures_are_retried_with_longer_and_longer_pauses_until_a_2xx(
    any_house: House, line: WebhookLine, receiver: WebhookReceiver
) -> None:
    await raise_alert(any_house)
    receiver.will_answer(500, 404, 302, 503)
    for count, status in enumerate((500, 404, 302, 503), start=1):
        await a_round(any_house, webhook=line)
        await a_round(any_house, webhook=line)  # too early: nothing is sent
        assert len(receiver.got) == count
        assert await deliveries(any_house) == []
        row = await attempts(any_house)
        assert (row.attempts, (await last_failure(any_house))[:3]) == (count, str(status))
        assert row.next_attempt_at == any_house.now + pause_after(count)
        any_house.wait(seconds=pause_after(count).total_seconds())
    await a_round(any_house, webhook=line)
    assert len(await deliveries(any_house)) == 1
    assert len(receiver.got) == 5
    assert len({(message.id, message.body) for message in receiver.got}) == 1  # one message, five times
    row = await attempts(any_house)
    assert row.delivered_at == any_house.now
    results = [(each.attempt, each.result) for each in await tried(any_house)]
    assert results == [(1, "refused"), (2, "refused"), (3, "refused"), (4, "refused"), (5, "accepted")]


@pytest.mark.parametrize(
    ("attempts", "pause"),
    [(1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (10, 900), (100_000, 900)],
)
def test_pauses_double_from_five_seconds_to_a_quarter_of_an_hour(attempts: int, pause: int) -> None:
    assert pause_after(attempts) == timedelta(seconds=pause)


async def test_an_address_that_is_gone_keeps_the_alert_and_is_tried_rarely(
    house: House, line: WebhookLine, receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    await raise_alert(house)
    receiver.will_answer(410)
    with caplog.at_level(logging.ERROR, "trial.safety"):
        await a_round(house, webhook=line)
    assert "mend ALERT_WEBHOOK_URL" in await last_failure(house)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    house.wait(seconds=LONGEST_PAUSE.total_seconds() - 1)
    await a_round(house, webhook=line)
    assert len(receiver.got) == 1
    house.wait(seconds=1)
    await a_round(house, webhook=line)
    assert len(await deliveries(house)) == 1


@pytest.mark.parametrize(
    ("asked", "pause"),
    [("120", 120), ("1", 5), ("86400", 3600), ("Sun, 22 Nov 2026 12:00:00 GMT", 5), ("-1", 5)],
)
async def test_a_receiver_that_asks_for_time_gets_it_within_reason(
    house: House, line: WebhookLine, receiver: WebhookReceiver, asked: str, pause: int
) -> None:
    await raise_alert(house)
    receiver.will_answer(429, retry_after=asked)
    await a_round(house, webhook=line)
    assert (await attempts(house)).next_attempt_at == house.now + timedelta(seconds=pause)


async def test_a_redirect_is_not_followed(house: House, line: WebhookLine, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    receiver.will_answer(307, location=receiver.url)
    await a_round(house, webhook=line)
    assert len(receiver.got) == 1
    assert "mend ALERT_WEBHOOK_URL" in await last_failure(house)


async def test_a_receiver_that_is_away_is_tried_again(house: House) -> None:
    with receiving() as gone:
        url = gone.url
    await raise_alert(house)
    async with Receiver(url, SECRET).connected() as line:
        await a_round(house, webhook=line)
    (row,) = await tried(house)
    assert (row.result, row.failure) == ("no-answer", "no answer: ConnectError")
    assert await deliveries(house) == []


async def test_one_refusal_does_not_hold_up_the_others(
    house: House, line: WebhookLine, receiver: WebhookReceiver
) -> None:
    await raise_alert(house)
    other = uuid4()
    await raise_alert(house, other)
    receiver.will_answer(500)
    await a_round(house, webhook=line)
    assert [message.id for message in receiver.got] == [FIRST, f"{other}-1.1.1.webhook"]  # the oldest first
    assert (len(await deliveries(house)), len(await deliveries(house, f"{other}-1"))) == (0, 1)


async def test_every_alert_of_an_event_is_delivered(house: House, line: WebhookLine, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    async with house.client(Role.INVESTIGATOR) as client:
        aware = house.now.isoformat()
        answer = await change(
            client, "reassess-seriousness", 2, seriousness=["life-threatening"], became_aware_at=aware
        )
        assert answer.status_code == 200
        await change(client, "retract", 4, reason="A duplicate")  # erases nothing
    await house.hears_itself()
    await a_round(house, webhook=line)
    assert [said(message)["number"] for message in receiver.got] == [1, 2]


async def test_a_process_that_died_after_the_answer_sends_again_and_records_once(
    house: House, line: WebhookLine, receiver: WebhookReceiver
) -> None:
    await raise_alert(house)

    class DiesBeforeRecording(DeliveryRecords):
        async def record(self, *_: object) -> None:
            raise KeyboardInterrupt

    delivery = delivery_of(house, {AlertChannel.WEBHOOK: Receiver(receiver.url, SECRET)})
    delivery._records = DiesBeforeRecording(house.store)
    await delivery.plan()
    with pytest.raises(KeyboardInterrupt):
        await delivery.send(AlertChannel.WEBHOOK, line, asyncio.Event())
    assert (await attempts(house)).attempts == 1
    await a_round(house, webhook=line)  # its pause is not over
    assert len(receiver.got) == 1
    house.wait(seconds=5)
    await a_round(house, webhook=line)
    assert len(receiver.got) == 2
    assert receiver.accepted_ids == {FIRST}  # so the receiver drops the second
    assert len(await deliveries(house)) == 1


async def test_a_process_that_died_after_recording_notes_it_and_sends_nothing(
    house: House, line: WebhookLine, receiver: WebhookReceiver
) -> None:
    await raise_alert(house)

    class DiesBeforeNoting(DeliveryMemory):
        async def delivered(self, *_: object) -> None:
            raise KeyboardInterrupt

    delivery = delivery_of(house, {AlertChannel.WEBHOOK: Receiver(receiver.url, SECRET)})
    delivery._memory = DiesBeforeNoting(house.db, house.clock)
    await delivery.plan()
    with pytest.raises(KeyboardInterrupt):
        await delivery.send(AlertChannel.WEBHOOK, line, asyncio.Event())
    house.wait(seconds=5)
    await a_round(house, webhook=line)
    assert (len(receiver.got), len(await deliveries(house))) == (1, 1)
    assert (await attempts(house)).delivered_at is not None
    assert [each.result for each in await tried(house)] == ["accepted"]


async def test_two_processes_at_once_record_one_delivery(any_house: House, line: WebhookLine) -> None:
    await raise_alert(any_house)
    await asyncio.gather(a_round(any_house, webhook=line), a_round(any_house, webhook=line))
    assert len(await deliveries(any_house)) == 1


async def test_a_lost_memory_repeats_no_delivery(house: House, line: WebhookLine, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    await a_round(house, webhook=line)
    async with house.db.begin() as connection:
        for table in ("sendings", "escalations", "delivery_tries"):
            await connection.execute(text(f"delete from {table}"))
    house.wait(minutes=29)
    await a_round(house, webhook=line)
    assert len(receiver.got) == 1
    assert (await attempts(house)).delivered_at == house.now


async def test_an_acknowledgement_that_the_queue_has_not_heard_of_ends_the_telling(
    house: House, line: WebhookLine, receiver: WebhookReceiver
) -> None:
    await raise_alert(house)
    async with house.client(Role.SAFETY_OFFICER) as officer:
        assert (await officer.post(f"/v1/alerts/{ALERT}/acknowledge", json={})).status_code == 200
    await a_round(house, webhook=line)
    assert (receiver.got, await tried(house)) == ([], [])


async def test_without_a_receiver_alerts_wait_and_are_counted(
    house: House, line: WebhookLine, caplog: pytest.LogCaptureFixture
) -> None:
    await raise_alert(house)
    house.wait(minutes=3)
    stop = asyncio.Event()

    def clock_that_stops_after_one_look() -> datetime:
        stop.set()
        return house.now

    with caplog.at_level(logging.WARNING, "trial.safety"):
        await AlertDelivery(house.db, house.store, clock_that_stops_after_one_look, LEVELS, {}).run(stop)
    assert "no ALERT_WEBHOOK_URL and no ALERT_SMTP_HOST" in caplog.text
    assert REGISTRY.get_sample_value("trial_alerts_undelivered") == 1
    assert REGISTRY.get_sample_value("trial_alerts_oldest_undelivered_seconds") == pytest.approx(180, abs=1)
    assert await deliveries(house) == []
    await a_round(house, webhook=line)  # as soon as there is one
    await a_round(house, webhook=line)
    assert len(await deliveries(house)) == 1
    assert REGISTRY.get_sample_value("trial_alerts_undelivered") == 0


class AwayAtFirst(Database):
    """A database that cannot be reached the first time it is asked."""

    asked = 0

    def connect(self) -> Any:
        self.asked += 1
        if self.asked == 1:
            raise DatabaseAway("away")
        return super().connect()


async def test_it_waits_out_a_database_that_is_away_and_finishes_what_it_began(
    house: House, receiver: WebhookReceiver
) -> None:
    await raise_alert(house)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    receiver.before_answering = lambda: loop.call_soon_threadsafe(stop.set)  # stopped in the middle of a try
    away = AwayAtFirst(house.db.engine, "safety")
    channels = {AlertChannel.WEBHOOK: Receiver(receiver.url, SECRET)}
    await AlertDelivery(away, house.store, house.clock, LEVELS, channels).run(stop)
    assert away.asked > 1
    assert len(await deliveries(house)) == 1
