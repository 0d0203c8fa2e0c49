"""Draining an outbox into Kafka: our relay beside kafka-python with batches of 256 KiB.

The floor sends the same messages, encoded beforehand, to the same partitions; it reads no outbox, deletes nothing and
holds no lease. Both are connected before the clock starts.
"""

import asyncio
import time
from collections.abc import Sequence

import uvloop
from kafka import KafkaProducer

from bench.append import fresh_store
from bench.harness import Case, Figures, Goal, Result, Servers, compare, rounds, until
from bench.history import TOPIC, history
from bench.sample import FINGERPRINT, INVESTIGATOR
from shared.db import Database, open_database
from shared.eventstore.store import EventStore, Write
from shared.kernel.decider import Recording
from shared.kernel.events import Envelope
from shared.messaging import KafkaBus, LocalHint, Relay, cloudevents
from shared.messaging.topics import create_topics, load_topics

LIVES = 3_750
PREFIX = "relay."


async def fill(db: Database, envelopes: Sequence[Envelope]) -> None:
    """Put the history on record, in as few transactions as it goes."""
    store = EventStore(db)
    for start in range(0, len(envelopes), 250):
        await store.append(*[_write(each) for each in envelopes[start : start + 250]])


def _write(envelope: Envelope) -> Write:
    recording = Recording(
        by=INVESTIGATOR,
        at=envelope.recorded_at,
        subject=envelope.subject,
        command_id=envelope.causation_id,
        traceparent=envelope.traceparent,
    )
    return Write(envelope.stream, envelope.version - 1, [envelope.event()], recording, FINGERPRINT)


def ours(url: str, bootstrap: str, envelopes: Sequence[Envelope]) -> Case:
    """From a full outbox to an empty one."""

    async def run() -> Figures:
        db = open_database(url, "store")
        bus = KafkaBus(bootstrap, client_id="bench-relay", prefix=PREFIX)
        try:
            await fresh_store(db)
            await fill(db, envelopes)
            await bus.publish(TOPIC, envelopes[:1])
            return await _drained(Relay(db, bus, TOPIC, LocalHint()), len(envelopes))
        finally:
            await bus.close()
            await db.dispose()

    return lambda: uvloop.run(run())


async def _drained(relay: Relay, count: int) -> Figures:
    stop = asyncio.Event()
    begun, cpu = time.perf_counter(), time.process_time()
    running = asyncio.create_task(relay.run(stop))
    await until(lambda: relay.progress.published >= count or running.done())
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    stop.set()
    await running
    assert relay.progress.published == count
    return {"rate": count / took, "cpu_us": used / count * 1e6}


def floor(bootstrap: str, envelopes: Sequence[Envelope]) -> Case:
    messages = [cloudevents.encode(each) for each in envelopes]

    def run() -> Figures:
        batches = {"linger_ms": 5, "batch_size": 262_144}
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, **batches)
        key, headers, value = messages[0]
        producer.send(PREFIX + TOPIC, key=key, headers=headers, value=value).get(10)
        begun, cpu = time.perf_counter(), time.process_time()
        sent = [
            producer.send(PREFIX + TOPIC, key=key, headers=headers, value=value) for key, headers, value in messages
        ]
        producer.flush()
        for each in sent:
            each.get(10)
        took, used = time.perf_counter() - begun, time.process_time() - cpu
        producer.close()
        return {"rate": len(messages) / took, "cpu_us": used / len(messages) * 1e6}

    return run


def measure(servers: Servers, count: int) -> list[Result]:
    url, _ = servers.database("bench_relay")
    bootstrap, envelopes = servers.kafka.bootstrap, history(LIVES)
    create_topics(bootstrap, load_topics(), prefix=PREFIX)
    found = rounds({"ours": ours(url, bootstrap, envelopes), "kafka-python": floor(bootstrap, envelopes)}, count)
    goal = Goal("relay drain", "kafka-python, 256 KiB batches", 0.3, 0.5, "more")
    return [compare(goal, found, "ours", "kafka-python", "rate", "/s")]
