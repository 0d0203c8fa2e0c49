"""The relay on both databases and both buses; with the broker and the database taken away under it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from deploy.native.kafka import KafkaServer
from deploy.native.postgres import PostgresServer
from shared.db import Database
from shared.eventstore.recorders import Row, recorder_for
from shared.eventstore.tables import outbox
from shared.kernel.events import Envelope
from shared.messaging import Bus, KafkaBus, Lease, LocalBus, LocalHint, Position, PublishFailed, Relay, Subscription
from tests.servers import Kafka
from tests.shared.messaging.conftest import event_store_at
from tests.shared.messaging.support import (
    NOON,
    BusUnderTest,
    assert_no_gaps,
    does_not_happen,
    envelopes,
    eventually,
    read_all,
    versions,
)

TOPIC = "trial.safety"


def rows(streams: int, first: int, last: int) -> list[Row]:
    return [
        Row(
            stream=f"adverse-event:{number}",
            version=version,
            event_id=uuid4(),
            type="safety.adverse-event-reported",
            schema_version=1,
            subject=f"CU-{number:03}",
            recorded_at=NOON,
            actor="dr-somchai",
            role="investigator",
            reason="แก้ไข" if version > 1 else None,
            correlation_id=uuid4(),
            causation_id=uuid4(),
            traceparent=None,
            fingerprint="f",
            data=f'{{"version": {version}}}',
        )
        for version in range(first, last + 1)
        for number in range(streams)
    ]


async def append(db: Database, streams: int, first: int, last: int) -> list[Row]:
    appended = rows(streams, first, last)
    for start in range(0, len(appended), 100):  # a database takes only so many parameters in one statement
        await recorder_for(db).insert(appended[start : start + 100])
    return appended


async def waiting(db: Database) -> int:
    async with db.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(outbox))).scalar_one())


def a_relay(
    db: Database, bus: Bus, topic: str, hint: LocalHint | None = None, *, ttl: float = 1, renew_every: float = 0.25
) -> Relay:
    return Relay(db, bus, topic, hint or LocalHint(), lease=Lease(db, "relay", ttl=ttl, renew_every=renew_every))


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:  # a relay that fails ends the test at once
        tasks.create_task(relay.run(stop))
        yield stop
        stop.set()


async def drained(db: Database, *, within: float = 20) -> None:
    async def empty() -> bool:
        return await waiting(db) == 0

    await eventually(empty, within=within)


async def test_the_outbox_is_published_in_order_and_struck_off(database: Database, under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    appended = await append(database, 40, 1, 30)
    relay = a_relay(database, under_test.bus, topic, ttl=60)  # whose lease is lost repeats what it had sent
    async with running(relay):
        await drained(database)
        await eventually(lambda: relay.progress.depth == 0 and relay.progress.published == 1200)
        assert relay.progress.active
        assert relay.progress.last_error is None
    assert not relay.progress.active
    deliveries = await read_all(under_test.bus, topic)
    assert versions(deliveries) == {f"adverse-event:{number}": list(range(1, 31)) for number in range(40)}
    sent = {row.event_id: row for row in appended}
    for envelope in envelopes(deliveries):
        assert envelope.model_dump() == Envelope.model_validate(fields_of(sent[envelope.event_id])).model_dump()


def fields_of(row: Row) -> dict[str, object]:
    return {name: value for name, value in row._asdict().items() if name != "fingerprint"}


async def test_a_hint_wakes_the_relay_at_once(database: Database, under_test: BusUnderTest) -> None:
    topic, hint = under_test.topic(), LocalHint()
    relay = a_relay(database, under_test.bus, topic, hint)
    async with running(relay):
        await eventually(lambda: relay.progress.active)
        await append(database, 1, 1, 1)
        hint.ring()
        await drained(database)


async def test_without_a_hint_the_relay_looks_by_itself(database: Database, under_test: BusUnderTest) -> None:
    relay = a_relay(database, under_test.bus, under_test.topic())
    async with running(relay):
        await eventually(lambda: relay.progress.active)
        await append(database, 1, 1, 1)
        await drained(database, within=5)


class Wrapped:
    """A bus of the test's own making, before a real one."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus

    async def publish(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        await self.bus.publish(topic, envelopes)

    def subscribe(self, topics: Sequence[str], start: Mapping[Position, int]) -> Subscription:
        return self.bus.subscribe(topics, start)

    async def partitions(self, topic: str) -> Sequence[int]:
        return await self.bus.partitions(topic)

    async def end_offsets(self, topics: Sequence[str]) -> Mapping[Position, int]:
        return await self.bus.end_offsets(topics)

    async def close(self) -> None:
        await self.bus.close()


class DiesAfterPublishing(Wrapped):
    """The process ends when everything is acknowledged, and nothing struck off yet."""

    async def publish(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        await super().publish(topic, envelopes)
        raise RuntimeError("killed")


async def test_a_relay_that_dies_before_striking_off_repeats_and_loses_nothing(
    database: Database, under_test: BusUnderTest
) -> None:
    topic = under_test.topic()
    await append(database, 30, 1, 30)  # two batches
    with pytest.raises(RuntimeError, match="killed"):
        await a_relay(database, DiesAfterPublishing(under_test.bus), topic).run(asyncio.Event())
    assert await waiting(database) == 900
    async with running(a_relay(database, under_test.bus, topic)):
        await drained(database)
    found = versions(await read_all(under_test.bus, topic))
    assert_no_gaps(found)
    assert {stream: sorted(set(seen)) for stream, seen in found.items()} == {
        f"adverse-event:{number}": list(range(1, 31)) for number in range(30)
    }
    assert sum(map(len, found.values())) >= 900 + 500, "the batch that was not struck off came again"


class RefusesAtFirst(Wrapped):
    """Acknowledges half a batch and fails, a few times."""

    def __init__(self, bus: Bus, times: int) -> None:
        super().__init__(bus)
        self.times = times

    async def publish(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        if self.times > 0:
            self.times -= 1
            await super().publish(topic, envelopes[: len(envelopes) // 2])
            raise PublishFailed("only half of it")
        await super().publish(topic, envelopes)


async def test_what_was_not_wholly_acknowledged_is_sent_again_before_anything_else(
    database: Database, under_test: BusUnderTest
) -> None:
    topic = under_test.topic()
    await append(database, 30, 1, 30)
    relay = a_relay(database, RefusesAtFirst(under_test.bus, 2), topic)
    async with running(relay):
        await eventually(lambda: relay.progress.last_error == "publish-failed")
        await eventually(lambda: relay.progress.depth >= 400)
        await drained(database)
        await eventually(lambda: relay.progress.last_error is None)
    assert relay.progress.failures == 2
    found = versions(await read_all(under_test.bus, topic))
    assert_no_gaps(found)
    assert sum(map(len, found.values())) >= 900 + 2 * 250


async def test_one_of_two_relays_works_and_the_other_takes_over(database: Database, under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    first, second = a_relay(database, under_test.bus, topic), a_relay(database, under_test.another_bus(), topic)
    async with running(first) as stop:
        await eventually(lambda: first.progress.active)
        async with running(second):
            await append(database, 10, 1, 10)
            await drained(database)
            assert (first.progress.published, second.progress.published) == (100, 0)
            assert not second.progress.active
            stop.set()
            await append(database, 10, 11, 20)
            await drained(database)
            assert second.progress.published == 100
    found = versions(await read_all(under_test.bus, topic))
    assert found == {f"adverse-event:{number}": list(range(1, 21)) for number in range(10)}
    await second._bus.close()


class Hangs(Wrapped):
    """Hangs in the middle of publishing until it is let go, as a process does that is put to sleep."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self.hangs, self.let_go = asyncio.Event(), asyncio.Event()

    async def publish(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        self.hangs.set()
        await self.let_go.wait()
        await super().publish(topic, envelopes)


async def test_a_relay_that_hangs_holds_up_neither_writers_nor_its_successor(
    database: Database, under_test: BusUnderTest
) -> None:
    """Nothing is locked while it publishes, so the rows it read can be published and deleted by another."""
    topic = under_test.topic()
    await append(database, 10, 1, 3)
    bus = Hangs(under_test.bus)
    async with running(a_relay(database, bus, topic, renew_every=60)):  # asleep as a whole: it renews nothing
        await asyncio.wait_for(bus.hangs.wait(), 15)
        await append(database, 10, 4, 6)
        async with running(a_relay(database, under_test.bus, topic)) as stop:
            await drained(database)
            stop.set()
        bus.let_go.set()
    assert_no_gaps(versions(await read_all(under_test.bus, topic)))


async def test_an_event_that_becomes_visible_late_is_published_all_the_same(
    postgres_database: Database, under_test: BusUnderTest
) -> None:
    """A cursor over positions would have passed it; see P1 of the outbox pattern: ids commit out of order."""
    topic = under_test.topic()
    async with postgres_database.begin() as slow, running(a_relay(postgres_database, under_test.bus, topic)) as stop:
        await slow.execute(
            text(
                "with appended as (insert into events (stream, version, event_id, type, schema_version, subject,"
                " recorded_at, actor, role, correlation_id, causation_id, fingerprint, data) values ('slow:1', 1,"
                " gen_random_uuid(), 'a.b', 1, 'CU-1', now(), 'a', 'r', gen_random_uuid(), gen_random_uuid(), 'f',"
                " '{}') returning position) insert into outbox select position from appended"
            )
        )
        await append(postgres_database, 5, 1, 5)
        await drained(postgres_database)
        await slow.commit()
        await drained(postgres_database)
        stop.set()
    assert versions(await read_all(under_test.bus, topic))["slow:1"] == [1]


def a_topic(server: KafkaServer) -> str:
    kafka = Kafka(server.bootstrap)
    try:
        return kafka.topic(TOPIC)
    finally:
        kafka.close()  # else it looks for the broker that a test kills, as long as it lives


async def test_a_backlog_drains_in_order_though_the_broker_is_killed_again_and_again(
    postgres_database: Database, new_kafka_server: Callable[[], KafkaServer]
) -> None:
    server = new_kafka_server()
    topic = a_topic(server)
    bus = KafkaBus(server.bootstrap, patience=3)
    relay = a_relay(postgres_database, bus, topic)
    async with running(relay):
        for versions_before in (0, 40):
            await append(postgres_database, 50, versions_before + 1, versions_before + 20)
            await eventually(lambda: relay.progress.last_published_at is not None, within=60)
            failures = relay.progress.failures
            await asyncio.to_thread(server.kill)
            await append(postgres_database, 50, versions_before + 21, versions_before + 40)  # writes go on
            await eventually(lambda failures=failures: relay.progress.failures > failures)  # type: ignore[misc]
            await eventually(lambda: relay.progress.depth >= 1000)
            assert relay.progress.last_error is not None
            assert relay.progress.oldest_age_seconds > 0
            await asyncio.to_thread(server.start)
        await drained(postgres_database, within=60)
        await eventually(lambda: relay.progress.last_error is None)
    found = versions(await read_all(bus, topic))
    assert_no_gaps(found)
    assert {stream: sorted(set(seen)) for stream, seen in found.items()} == {
        f"adverse-event:{number}": list(range(1, 81)) for number in range(50)
    }
    await bus.close()


async def test_the_relay_waits_out_a_database_that_is_away(
    new_postgres_server: Callable[[], PostgresServer], local_bus: Callable[[], LocalBus]
) -> None:
    server, bus = new_postgres_server(), local_bus()
    async for database in event_store_at(server.url()):
        async with running(a_relay(database, bus, TOPIC)) as stop:
            await append(database, 5, 1, 5)
            await drained(database)
            await asyncio.to_thread(server.kill)
            assert await does_not_happen(stop, within=2)
            await asyncio.to_thread(server.start)
            await append(database, 5, 6, 10)
            await drained(database)
        assert versions(await read_all(bus, TOPIC)) == {
            f"adverse-event:{number}": list(range(1, 11)) for number in range(5)
        }
    await bus.close()


async def test_closing_does_not_wait_for_a_broker_that_is_away(new_kafka_server: Callable[[], KafkaServer]) -> None:
    server = new_kafka_server()
    topic = a_topic(server)
    bus = KafkaBus(server.bootstrap)
    await bus.end_offsets([topic])
    await bus.publish(topic, [])
    publishing = asyncio.create_task(bus.publish(topic, [Envelope.model_validate(fields_of(rows(1, 1, 1)[0]))]))
    await publishing
    await asyncio.to_thread(server.kill)
    publishing = asyncio.create_task(bus.publish(topic, [Envelope.model_validate(fields_of(rows(1, 2, 2)[0]))]))
    assert await does_not_happen(_done(publishing), within=0.5)
    async with asyncio.timeout(10):
        await bus.close()
    with pytest.raises(PublishFailed):
        await publishing


def _done(task: "asyncio.Task[None]") -> asyncio.Event:
    done = asyncio.Event()
    task.add_done_callback(lambda _: done.set())
    return done
