"""Alerts on their way to a real receiver: signed, retried, recorded once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, text

from services.safety.delivery import LONGEST_PAUSE, AlertDelivery, pause_after
from services.safety.tables import delivery_attempts
from services.safety.webhook import Line, Receiver
from shared.contracts.safety import AlertDelivered
from shared.db import Database, DatabaseAway
from shared.kernel.actor import Role
from shared.kernel.clock import system_clock
from shared.telemetry import tracing
from tests.services.safety.api.test_adverse_events import change, report
from tests.services.safety.builders import EVENT
from tests.services.safety.house import House
from tests.services.safety.receiver import SECRET, WebhookReceiver, receiving, told

ALERT = f"{EVENT}-1"


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with receiving() as made:
        yield made


@pytest.fixture
async def line(receiver: WebhookReceiver) -> AsyncIterator[Line]:
    async with Receiver(receiver.url, SECRET).connected() as made:
        yield made


async def raise_alert(house: House, event: UUID = EVENT) -> None:
    house.now = system_clock()  # receivers refuse signatures of another time
    async with house.client(Role.INVESTIGATOR) as client:
        answer = await report(client, adverse_event_id=str(event), seriousness=["hospitalisation"], grade=3)
    assert answer.status_code == 201
    await house.hears_itself()


def delivery_of(house: House) -> AlertDelivery:
    return AlertDelivery(house.db, house.store, house.clock, None)


async def a_round(house: House, line: Line | None) -> None:
    await delivery_of(house).round(line, asyncio.Event())


async def deliveries(house: House, alert_id: str = ALERT) -> list[Any]:
    return [event for event in await house.store.read(f"alert:{alert_id}") if isinstance(event, AlertDelivered)]


async def attempts(house: House) -> Any:
    async with house.db.connect() as connection:
        return (await connection.execute(select(delivery_attempts))).one()


async def test_an_alert_is_delivered_signed_and_recorded(
    any_house: House, line: Line, receiver: WebhookReceiver
) -> None:
    await raise_alert(any_house)
    await a_round(any_house, line)
    (message,) = receiver.got
    assert message.id == ALERT
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
    }
    assert [due["to"] for due in sent["data"]["due"]] == ["sponsor", "ethics-committee"]
    assert len(await deliveries(any_house)) == 1
    async with any_house.client(Role.MONITOR) as client:
        assert (await client.get(f"/v1/alerts/{ALERT}")).json()["delivered_at"] is not None
        (entry,) = (await client.get(f"/v1/alerts/{ALERT}/history")).json()
    assert (entry["actor"], entry["role"]) == ("alert-delivery", "system")


async def test_a_delivered_alert_is_not_sent_again(house: House, line: Line, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    await a_round(house, line)
    house.wait(days=1)
    await a_round(house, line)
    await house.hears_itself()
    await a_round(house, line)
    assert len(receiver.got) == 1


async def test_a_delivery_continues_the_trace_of_its_report(house: House, line: Line) -> None:
    await raise_alert(house)
    tracing.begin(None)  # as in the worker, which has never seen the report's request
    await a_round(house, line)
    (_, raised), (delivered,) = (
        await house.store.history(f"adverse-event:{EVENT}"),
        await house.store.history(f"alert:{ALERT}"),
    )
    assert delivered.correlation_id == raised.correlation_id


async def test_failures_are_retried_with_longer_and_longer_pauses_until_a_2xx(
    any_house: House, line: Line, receiver: WebhookReceiver
) -> None:
    await raise_alert(any_house)
    receiver.will_answer(500, 404, 302, 503)
    for tried, status in enumerate((500, 404, 302, 503), start=1):
        await a_round(any_house, line)
        await a_round(any_house, line)  # too early: nothing is sent
        assert len(receiver.got) == tried
        assert await deliveries(any_house) == []
        row = await attempts(any_house)
        assert (row.attempts, row.last_failure[:3]) == (tried, str(status))
        assert row.next_attempt_at == any_house.now + pause_after(tried)
        any_house.wait(seconds=pause_after(tried).total_seconds())
    await a_round(any_house, line)
    assert len(await deliveries(any_house)) == 1
    assert len(receiver.got) == 5
    assert len({(message.id, message.body) for message in receiver.got}) == 1  # one message, five times
    row = await attempts(any_house)
    assert (row.last_failure, row.delivered_at) == (None, any_house.now)


@pytest.mark.parametrize(
    ("attempts", "pause"),
    [(1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (10, 900), (100_000, 900)],
)
def test_pauses_double_from_five_seconds_to_a_quarter_of_an_hour(attempts: int, pause: int) -> None:
    assert pause_after(attempts) == timedelta(seconds=pause)


async def test_an_address_that_is_gone_keeps_the_alert_and_is_tried_rarely(
    house: House, line: Line, receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    await raise_alert(house)
    receiver.will_answer(410)
    with caplog.at_level(logging.ERROR, "trial.safety"):
        await a_round(house, line)
    assert "mend ALERT_WEBHOOK_URL" in (await attempts(house)).last_failure
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    house.wait(seconds=LONGEST_PAUSE.total_seconds() - 1)
    await a_round(house, line)
    assert len(receiver.got) == 1
    house.wait(seconds=1)
    await a_round(house, line)
    assert len(await deliveries(house)) == 1


@pytest.mark.parametrize(
    ("asked", "pause"),
    [("120", 120), ("1", 5), ("86400", 3600), ("Sun, 22 Nov 2026 12:00:00 GMT", 5), ("-1", 5)],
)
async def test_a_receiver_that_asks_for_time_gets_it_within_reason(
    house: House, line: Line, receiver: WebhookReceiver, asked: str, pause: int
) -> None:
    await raise_alert(house)
    receiver.will_answer(429, retry_after=asked)
    await a_round(house, line)
    assert (await attempts(house)).next_attempt_at == house.now + timedelta(seconds=pause)


async def test_a_redirect_is_not_followed(house: House, line: Line, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    receiver.will_answer(307, location=receiver.url)
    await a_round(house, line)
    assert len(receiver.got) == 1
    assert "mend ALERT_WEBHOOK_URL" in (await attempts(house)).last_failure


async def test_a_receiver_that_is_away_is_tried_again(house: House) -> None:
    with receiving() as gone:
        url = gone.url
    await raise_alert(house)
    async with Receiver(url, SECRET).connected() as line:
        await a_round(house, line)
    assert (await attempts(house)).last_failure == "no answer: ConnectError"
    assert await deliveries(house) == []


async def test_one_refusal_does_not_hold_up_the_others(house: House, line: Line, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    other = uuid4()
    await raise_alert(house, other)
    receiver.will_answer(500)
    await a_round(house, line)
    assert [message.id for message in receiver.got] == [ALERT, f"{other}-1"]  # the oldest first
    assert (len(await deliveries(house)), len(await deliveries(house, f"{other}-1"))) == (0, 1)


async def test_every_alert_of_an_event_is_delivered(house: House, line: Line, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    async with house.client(Role.INVESTIGATOR) as client:
        aware = house.now.isoformat()
        answer = await change(
            client, "reassess-seriousness", 2, seriousness=["life-threatening"], became_aware_at=aware
        )
        assert answer.status_code == 200
        await change(client, "retract", 4, reason="A duplicate")  # erases nothing
    await house.hears_itself()
    await a_round(house, line)
    assert [told(message)["number"] for message in receiver.got] == [1, 2]


async def test_a_process_that_died_after_the_answer_sends_again_and_records_once(
    house: House, line: Line, receiver: WebhookReceiver
) -> None:
    await raise_alert(house)

    class DiesBeforeRecording(AlertDelivery):
        async def _record(self, *_: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await DiesBeforeRecording(house.db, house.store, house.clock, None).round(line, asyncio.Event())
    assert (await attempts(house)).attempts == 1
    await a_round(house, line)  # its pause is not over
    assert len(receiver.got) == 1
    house.wait(seconds=5)
    await a_round(house, line)
    assert len(receiver.got) == 2
    assert receiver.accepted_ids == {ALERT}  # so the receiver drops the second
    assert len(await deliveries(house)) == 1


async def test_a_process_that_died_after_recording_notes_it_and_sends_nothing(
    house: House, line: Line, receiver: WebhookReceiver
) -> None:
    await raise_alert(house)

    class DiesBeforeNoting(AlertDelivery):
        async def _note(self, due: object, **columns: object) -> None:
            if "delivered_at" in columns:
                raise KeyboardInterrupt
            await super()._note(due, **columns)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        await DiesBeforeNoting(house.db, house.store, house.clock, None).round(line, asyncio.Event())
    house.wait(seconds=5)
    await a_round(house, line)
    assert (len(receiver.got), len(await deliveries(house))) == (1, 1)
    assert (await attempts(house)).delivered_at is not None


async def test_two_processes_at_once_record_one_delivery(any_house: House, line: Line) -> None:
    await raise_alert(any_house)
    await asyncio.gather(a_round(any_house, line), a_round(any_house, line))
    assert len(await deliveries(any_house)) == 1


async def test_a_rebuilt_queue_repeats_no_delivery(house: House, line: Line, receiver: WebhookReceiver) -> None:
    await raise_alert(house)
    await a_round(house, line)
    async with house.db.begin() as connection:  # as a rebuild that has not come to the delivery yet
        await connection.execute(text("update alerts set delivered_at = null"))
    house.wait(days=1)
    await a_round(house, line)
    assert len(receiver.got) == 1


async def test_without_a_receiver_alerts_wait_and_are_counted(
    house: House, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    await raise_alert(house)
    house.wait(minutes=3)
    stop = asyncio.Event()

    def clock_that_stops_after_one_look() -> datetime:
        stop.set()
        return house.now

    with caplog.at_level(logging.WARNING, "trial.safety"):
        await AlertDelivery(house.db, house.store, clock_that_stops_after_one_look, None).run(stop)
    assert "no ALERT_WEBHOOK_URL" in caplog.text
    assert REGISTRY.get_sample_value("trial_alerts_undelivered") == 1
    assert REGISTRY.get_sample_value("trial_alerts_oldest_undelivered_seconds") == pytest.approx(180, abs=1)
    assert await deliveries(house) == []
    await a_round(house, line)  # as soon as there is one
    await a_round(house, line)
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
    await AlertDelivery(away, house.store, house.clock, Receiver(receiver.url, SECRET)).run(stop)
    assert away.asked > 1
    assert len(await deliveries(house)) == 1
