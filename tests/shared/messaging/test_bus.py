"""What every bus promises, shown on each: on Apache Kafka itself and on the SQLite file."""

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest

from shared.kernel.events import Envelope
from shared.messaging import BusUnavailable, Delivery, PublishFailed, Undecodable
from tests.shared.messaging.support import (
    BusUnderTest,
    an_envelope,
    envelopes,
    many_streams,
    read,
    read_all,
    versions,
)


async def test_an_envelope_arrives_as_it_was_stored(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    sent = [
        an_envelope(
            version=1,
            reason="ผู้ปกครองแก้ไขวันที่; “typed twice”",
            traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            recorded_at=datetime(2026, 3, 1, 5, 6, 7, 890123, tzinfo=UTC),
            data='{"b": 1.50,  "a": "ไข้"}',
        ),
        an_envelope(version=2, reason="", data="{}"),
    ]
    await under_test.bus.publish(topic, sent)
    delivered = envelopes(await read_all(under_test.bus, topic))
    assert delivered == sent
    assert [Envelope.model_validate(each.model_dump()) for each in delivered] == sent


async def test_events_of_one_subject_keep_their_order_over_batches(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    sent = many_streams(30, 50, size=800)  # several waves
    await under_test.bus.publish(topic, sent[:700])
    await under_test.bus.publish(topic, sent[700:])
    assert versions(await read_all(under_test.bus, topic)) == {
        f"stream:{number}": list(range(1, 51)) for number in range(30)
    }


async def test_a_subject_has_one_partition_and_subjects_have_several(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    await under_test.bus.publish(topic, many_streams(40, 2))
    places: dict[str, set[int]] = {}
    for delivery in await read_all(under_test.bus, topic):
        assert isinstance(delivery.envelope, Envelope)
        places.setdefault(delivery.envelope.subject, set()).add(delivery.partition)
    assert all(len(partitions) == 1 for partitions in places.values())
    assert len(set.union(*places.values())) == under_test.partitions


async def test_a_reader_starts_where_it_says_and_reads_again_what_it_asks_for(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    await under_test.bus.publish(topic, [an_envelope(version=version) for version in range(1, 11)])
    first = await read_all(under_test.bus, topic)
    seventh = first[6]
    again = under_test.bus.subscribe([topic], {(topic, seventh.partition): seventh.offset})
    assert versions(await read(again, 4)) == {"adverse-event:1": [7, 8, 9, 10]}
    await again.close()


async def test_the_end_is_the_offset_of_the_next_message(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    assert list(await under_test.bus.partitions(topic)) == list(range(under_test.partitions))
    assert set((await under_test.bus.end_offsets([topic])).values()) == {0}
    await under_test.bus.publish(topic, [an_envelope()])
    [delivery] = await read_all(under_test.bus, topic)
    ends = await under_test.bus.end_offsets([topic])
    assert ends[topic, delivery.partition] == delivery.offset + 1
    assert sum(ends.values()) == 1


async def test_two_readers_each_see_everything_of_several_topics(under_test: BusUnderTest) -> None:
    safety, efficacy = under_test.topic(), under_test.topic()
    readers = [under_test.bus.subscribe([safety, efficacy], {}) for _ in range(2)]
    await under_test.bus.publish(safety, [an_envelope("adverse-event:1", 1), an_envelope("adverse-event:1", 2)])
    await under_test.bus.publish(efficacy, [an_envelope("assessment:1", 1)])
    for reader in readers:
        deliveries = await read(reader, 3)
        assert versions(deliveries) == {"adverse-event:1": [1, 2], "assessment:1": [1]}
        assert {delivery.topic for delivery in deliveries} == {safety, efficacy}
        await reader.close()


async def test_a_poll_returns_as_soon_as_something_is_published(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    await under_test.bus.publish(topic, [an_envelope(version=1)])
    reader = under_test.bus.subscribe([topic], {})
    await read(reader, 1)
    waiting = asyncio.create_task(reader.poll(30, 500))
    await asyncio.sleep(0)
    await under_test.bus.publish(topic, [an_envelope(version=2)])
    async with asyncio.timeout(5):
        assert versions(await waiting) == {"adverse-event:1": [2]}
    await reader.close()


async def test_a_poll_with_nothing_to_read_ends_after_its_timeout(under_test: BusUnderTest) -> None:
    reader = under_test.bus.subscribe([under_test.topic()], {})
    assert await reader.poll(0.05, 500) == []
    await reader.close()


async def test_a_poll_brings_at_most_what_was_asked_for(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    await under_test.bus.publish(topic, many_streams(10, 10))
    reader = under_test.bus.subscribe([topic], {})
    got: list[Delivery] = []
    while len(got) < 100:
        some = await reader.poll(1, 7)
        assert len(some) <= 7
        got += some
    assert versions(got) == {f"stream:{number}": list(range(1, 11)) for number in range(10)}
    await reader.close()


async def test_a_poll_that_is_cancelled_loses_nothing(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    await under_test.bus.publish(topic, many_streams(5, 40))
    reader = under_test.bus.subscribe([topic], {})
    got: list[Delivery] = []
    for _ in range(20):
        poll = asyncio.create_task(reader.poll(1, 10))
        await asyncio.sleep(0)
        poll.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            got += await poll
        got += await reader.poll(1, 10)
    got += await read(reader, 200 - len(got)) if len(got) < 200 else []
    assert versions(got) == {f"stream:{number}": list(range(1, 41)) for number in range(5)}
    await reader.close()


async def test_a_message_that_is_not_ours_is_delivered_as_such_between_the_others(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    await under_test.put(topic, b"CU-001", [("content-type", b"text/plain")], b"hello")
    await under_test.bus.publish(topic, [an_envelope()])
    deliveries = await read_all(under_test.bus, topic)
    assert len(envelopes(deliveries)) == 1
    [foreign] = [each.envelope for each in deliveries if isinstance(each.envelope, Undecodable)]
    assert foreign.key == "CU-001"
    assert foreign.data == "hello"
    assert "ce_specversion" in foreign.why


async def test_publishing_fails_unless_everything_is_acknowledged(under_test: BusUnderTest) -> None:
    broken = under_test.a_bus_that_cannot_acknowledge()
    with pytest.raises(PublishFailed):
        await broken.publish("trial.safety", [an_envelope()])
    with pytest.raises(BusUnavailable):
        await broken.end_offsets(["trial.safety"])
    reader = broken.subscribe(["trial.safety"], {})
    with pytest.raises(BusUnavailable):
        await reader.poll(0.1, 1)
    await reader.close()
    await broken.close()


async def test_publishing_nothing_is_harmless(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    await under_test.bus.publish(topic, [])
    assert set((await under_test.bus.end_offsets([topic])).values()) == {0}


async def test_a_reader_sees_what_another_bus_object_publishes(under_test: BusUnderTest) -> None:
    topic = under_test.topic()
    reader = under_test.bus.subscribe([topic], {})
    assert await reader.poll(0.05, 500) == []
    other = under_test.another_bus()
    await other.publish(topic, [an_envelope()])
    assert versions(await read(reader, 1)) == {"adverse-event:1": [1]}
    await other.close()
    await reader.close()
