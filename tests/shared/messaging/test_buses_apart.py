"""What one of the buses alone has to show."""

import asyncio
import threading
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatchBuilder

from shared.messaging import BusUnavailable, KafkaBus, LocalBus, PublishFailed, UnknownTopic
from shared.messaging.cloudevents import encode
from shared.messaging.kafka import WAVE_BYTES, _waves
from tests.servers import Kafka
from tests.shared.messaging.support import an_envelope, many_streams, read_all, versions


async def test_a_message_that_the_broker_refuses_is_a_failure_although_everything_was_sent(kafka: Kafka) -> None:
    """kafka-python's flush returns all the same: what failed stands in the message's own future."""
    topic = kafka.topic(configs={"max.message.bytes": "1000"})
    bus = KafkaBus(kafka.bootstrap)
    with pytest.raises(PublishFailed, match="TooLarge"):
        await bus.publish(topic, [an_envelope(data="x" * 5000)])
    await bus.publish(topic, [an_envelope(data="{}")])  # by a producer of its own
    assert len(await read_all(bus, topic)) == 1
    await bus.close()


async def test_a_message_larger_than_any_batch_goes_by_itself_and_keeps_its_place(kafka: Kafka) -> None:
    topic = kafka.topic(configs={"max.message.bytes": "2097152"})
    bus = KafkaBus(kafka.bootstrap)
    sizes = [10, WAVE_BYTES * 2, 10, WAVE_BYTES - 600, 600, WAVE_BYTES // 2, WAVE_BYTES // 2]
    await bus.publish(topic, [an_envelope(version=number, data="x" * size) for number, size in enumerate(sizes, 1)])
    assert versions(await read_all(bus, topic)) == {"adverse-event:1": [1, 2, 3, 4, 5, 6, 7]}
    await bus.close()


@given(st.lists(st.tuples(st.integers(0, 60_000), st.text(max_size=200)), min_size=1, max_size=200))
@example([(0, "")] * 2_000)
@settings(max_examples=30, deadline=None)
def test_a_wave_fits_into_one_batch_even_if_all_of_it_goes_to_one_partition(sizes: list[tuple[int, str]]) -> None:
    """The rule on which the order after a failure rests: nothing of a partition is under way twice."""
    sent = [an_envelope(version=number, data="x" * size, reason=text) for number, (size, text) in enumerate(sizes, 1)]
    waves = list(_waves(sent))
    assert [message for wave in waves for message in wave] == [encode(envelope) for envelope in sent]
    for wave in waves:
        batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, WAVE_BYTES)
        for place, (key, headers, value) in enumerate(wave):
            assert batch.append(place, 1_772_366_400_000 + place, key, value, headers) is not None


async def test_topics_that_are_not_there_are_named(kafka: Kafka) -> None:
    bus = KafkaBus(kafka.bootstrap, patience=3)
    missing = f"{kafka.prefix()}trial.safety"
    with pytest.raises(UnknownTopic, match=missing):
        await bus.end_offsets([missing])
    reader = bus.subscribe([missing], {})
    with pytest.raises(UnknownTopic, match=missing):
        await reader.poll(0.1, 1)
    with pytest.raises(PublishFailed, match=missing):
        await bus.publish(missing, [an_envelope()])
    assert missing not in kafka.admin().list_topics()
    await reader.close()
    await bus.close()


async def test_with_a_prefix_topics_keep_their_names_for_everybody_here(kafka: Kafka) -> None:
    own = kafka.topic("trial.safety")
    bus = KafkaBus(kafka.bootstrap, prefix=own.removesuffix("trial.safety"))
    await bus.publish("trial.safety", [an_envelope()])
    [delivery] = await read_all(bus, "trial.safety")
    assert delivery.topic == "trial.safety"
    await bus.close()


async def test_a_broker_that_is_away_leaves_no_threads_behind() -> None:
    bus = KafkaBus("127.0.0.1:9", client_id="away", patience=1)
    reader = bus.subscribe(["trial.safety"], {})
    for _ in range(3):
        with pytest.raises(BusUnavailable):
            await reader.poll(0.1, 1)
        with pytest.raises(PublishFailed):
            await bus.publish("trial.safety", [an_envelope()])
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("kafka-io-away")]
    await reader.close()
    await bus.close()


async def test_a_reader_of_the_file_is_woken_by_a_publication_and_need_not_look(tmp_path: Path) -> None:
    bus = LocalBus(tmp_path / "bus.sqlite3", look_seconds=60)
    reader = bus.subscribe(["trial.safety"], {})
    waiting = asyncio.create_task(reader.poll(30, 500))
    await bus.end_offsets(["trial.safety"])  # the reader has looked once and waits
    await asyncio.sleep(0)
    await bus.publish("trial.safety", [an_envelope()])
    async with asyncio.timeout(10):
        assert len(await waiting) == 1
    await reader.close()
    await bus.close()


async def test_a_busy_topic_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    bus = LocalBus(tmp_path / "bus.sqlite3")
    await bus.publish("trial.safety", many_streams(10, 10))
    await bus.publish("trial.efficacy", [an_envelope("assessment:1")])
    reader = bus.subscribe(["trial.safety", "trial.efficacy"], {})
    seen = [*await reader.poll(1, 20), *await reader.poll(1, 20)]
    assert {delivery.topic for delivery in seen} == {"trial.safety", "trial.efficacy"}
    await reader.close()
    await bus.close()


async def test_a_file_survives_its_process(tmp_path: Path) -> None:
    first = LocalBus(tmp_path / "bus.sqlite3")
    await first.publish("trial.safety", [an_envelope(version=1)])
    await first.close()
    second = LocalBus(tmp_path / "bus.sqlite3")
    await second.publish("trial.safety", [an_envelope(version=2)])
    assert [delivery.offset for delivery in await read_all(second, "trial.safety")] == [0, 1]
    await second.close()
