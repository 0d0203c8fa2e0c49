"""Envelopes, ways to a message that is not ours, and a bounded wait, for the tests of this room."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from shared.kernel.events import Envelope
from shared.messaging import Bus, Delivery, KafkaBus, LocalBus, Subscription
from tests.servers import Kafka

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def an_envelope(stream: str = "adverse-event:1", version: int = 1, **changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "event_id": uuid4(),
        "stream": stream,
        "version": version,
        "type": "safety.adverse-event-reported",
        "schema_version": 2,
        "subject": "CU-001",
        "recorded_at": NOON,
        "actor": "dr-somchai",
        "role": "investigator",
        "reason": None,
        "correlation_id": uuid4(),
        "causation_id": uuid4(),
        "traceparent": None,
        "data": json.dumps({"version": version}),
    }
    return Envelope(**{**fields, **changes})


def many_streams(streams: int, versions: int, *, size: int = 10) -> list[Envelope]:
    """Version by version over all streams: neighbours belong to different subjects."""
    return [
        an_envelope(f"stream:{number}", version, subject=f"CU-{number:03}", data=json.dumps({"text": "x" * size}))
        for version in range(1, versions + 1)
        for number in range(streams)
    ]


class BusUnderTest(Protocol):
    """One bus, topics of the test's own, and a way around our own encoding."""

    bus: Bus
    partitions: int

    def topic(self) -> str: ...

    def another_bus(self) -> Bus:
        """The same bus as another process has it."""

    def a_bus_that_cannot_acknowledge(self) -> Bus: ...

    async def put(self, topic: str, key: bytes | None, headers: Sequence[tuple[str, bytes]], value: bytes) -> None: ...


@dataclass
class KafkaUnderTest:
    kafka: Kafka
    bus: Bus
    partitions: int = 6

    def topic(self) -> str:
        return self.kafka.topic(partitions=self.partitions)

    def another_bus(self) -> Bus:
        return KafkaBus(self.kafka.bootstrap)

    def a_bus_that_cannot_acknowledge(self) -> Bus:
        return KafkaBus("127.0.0.1:9", patience=1)

    async def put(self, topic: str, key: bytes | None, headers: Sequence[tuple[str, bytes]], value: bytes) -> None:
        from kafka import KafkaProducer

        def send() -> None:
            producer = KafkaProducer(bootstrap_servers=self.kafka.bootstrap)
            producer.send(topic, key=key, headers=list(headers), value=value).get(10)
            producer.close()

        await asyncio.to_thread(send)


@dataclass
class LocalUnderTest:
    path: Path
    bus: Bus
    partitions: int = 3
    _topics: list[str] = field(default_factory=list)

    def topic(self) -> str:
        self._topics.append(f"trial.safety-{len(self._topics)}")
        return self._topics[-1]

    def another_bus(self) -> Bus:
        return LocalBus(self.path, partitions=self.partitions)

    def a_bus_that_cannot_acknowledge(self) -> Bus:
        broken = self.path.with_name("broken.sqlite3")
        broken.write_text("this is not a database" * 100)
        return LocalBus(broken)

    async def put(self, topic: str, key: bytes | None, headers: Sequence[tuple[str, bytes]], value: bytes) -> None:
        await self.bus.end_offsets([topic])  # makes the file, if this is its first use
        texts = json.dumps([(name, content.decode()) for name, content in headers])
        db = sqlite3.connect(self.path)
        with db:
            [(end,)] = db.execute(
                'select coalesce(max("offset") + 1, 0) from messages where topic = ? and partition = 0', (topic,)
            )
            db.execute("insert into messages values (?, 0, ?, ?, ?, ?)", (topic, end, key, texts, value))
        db.close()


async def read(subscription: Subscription, count: int, *, within: float = 20) -> list[Delivery]:
    """Poll until `count` messages have come."""
    got: list[Delivery] = []
    async with asyncio.timeout(within):
        while len(got) < count:
            got += await subscription.poll(0.5, 500)
    return got


async def read_all(bus: Bus, topic: str) -> list[Delivery]:
    """Everything that is on the topic now, partition by partition in order."""
    ends = await bus.end_offsets([topic])
    subscription = bus.subscribe([topic], {})
    got: list[Delivery] = []
    reached: dict[tuple[str, int], int] = {}
    async with asyncio.timeout(20):
        while any(reached.get(place, 0) < end for place, end in ends.items()):
            for delivery in await subscription.poll(0.5, 500):
                got.append(delivery)
                reached[delivery.topic, delivery.partition] = delivery.offset + 1
    await subscription.close()
    return got


def envelopes(deliveries: Sequence[Delivery]) -> list[Envelope]:
    return [delivery.envelope for delivery in deliveries if isinstance(delivery.envelope, Envelope)]


def versions(deliveries: Sequence[Delivery]) -> dict[str, list[int]]:
    """The versions of each stream in the order in which they were delivered."""
    found: dict[str, list[int]] = {}
    for envelope in envelopes(deliveries):
        found.setdefault(envelope.stream, []).append(envelope.version)
    return found


def assert_no_gaps(found: Mapping[str, Sequence[int]]) -> None:
    """Versions may be repeated; none may be seen before its predecessor was."""
    for stream, seen in found.items():
        highest = 0
        for version in seen:
            assert version <= highest + 1, f"{stream}: version {version} after {highest}: {seen}"
            highest = max(highest, version)


async def eventually(holds: Callable[[], Awaitable[bool] | bool], *, within: float = 15) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    async with asyncio.timeout(within):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)


async def does_not_happen(event: asyncio.Event, *, within: float) -> bool:
    """Give an event the time to happen wrongly."""
    try:
        await asyncio.wait_for(event.wait(), within)
    except TimeoutError:
        return True
    return False
