"""The bus as Apache Kafka, through kafka-python.

kafka-python blocks, so each client lives in a thread of its own that starts with its first use; nobody else
knows. Defaults of the library that would hurt here are spelt out below.

**Why a batch is sent in waves.** When a batch of kafka-python's idempotent producer fails for good, later
batches of the same partition are sent all the same, under a new epoch (KIP-360). A stream's version 3 could
then stand on the topic without its version 2, and every reader would halt at the gap. So at most one batch per
partition is under way at any time: a wave fits into one batch, leaves with `flush` alone (the linger is longer
than any wave), and the next wave starts when each message of this one was acknowledged by itself. A failed
wave ends the publication and its producer; the caller repeats the whole.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, TypeVar

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import IllegalStateError, KafkaConfigurationError, KafkaError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient

from shared.kernel.events import Envelope
from shared.messaging import cloudevents
from shared.messaging.bus import BusUnavailable, Delivery, Position, PublishFailed, Subscription, UnknownTopic
from shared.settings import Settings

T = TypeVar("T")

_OUR_BUG = (KafkaConfigurationError, IllegalStateError)

MAX_MESSAGE_BYTES = 2 * 1024 * 1024  # as the topics are declared; a request body is at most 1 MiB
WAVE_BYTES = 512 * 1024  # about what one batch of the relay weighs
RECORD_OVERHEAD = 64  # lengths and offsets of one record and its headers, generously
PATIENCE_SECONDS = 30.0  # with a broker that does not acknowledge, before a publication has failed


NO_SECURITY: Mapping[str, Any] = MappingProxyType({})  # plain text and no name: a broker on a network of one's own


def security_of(settings: Settings) -> dict[str, Any]:
    """How to reach the brokers, in the names of kafka-python. Their host names are checked against certificates."""
    password = settings.kafka_sasl_password
    return {
        "security_protocol": settings.kafka_security_protocol,
        "ssl_cafile": None if settings.kafka_ca_file is None else str(settings.kafka_ca_file),
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": None if password is None else password.get_secret_value(),
    }


def _client_settings(bootstrap: str, client_id: str, patience: float, security: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **security,
        "bootstrap_servers": bootstrap.split(","),
        "client_id": client_id,
        "bootstrap_timeout_ms": int(patience * 1000 / 3),
        "request_timeout_ms": int(patience * 1000 / 3),
        "metrics_enabled": False,  # its own, which nobody reads; a tenth of the time per message
        "reconnect_backoff_ms": 50,
        "reconnect_backoff_max_ms": 1_000,  # a broker that is back is found within a second, not thirty
    }


def _producer_settings(patience: float) -> dict[str, Any]:
    return {
        "enable_idempotence": True,
        "acks": "all",
        "batch_size": WAVE_BYTES,
        "linger_ms": int(patience * 1000 / 2),  # longer than filling a wave: it leaves with `flush`, see above
        "delivery_timeout_ms": int(patience * 1000),
        "max_block_ms": int(patience * 1000 / 3),
        "max_request_size": MAX_MESSAGE_BYTES,
        "allow_auto_create_topics": False,
    }


def _consumer_settings(patience: float) -> dict[str, Any]:
    return {
        "group_id": None,  # positions live in the reader's database, in the transaction of what it wrote
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
        "fetch_min_bytes": 1,  # the broker answers as soon as there is anything ...
        "fetch_max_wait_ms": min(500, int(patience * 1000 / 6)),  # ... and holds an empty answer back for as long
    }


class KafkaBus:
    """A cluster of Kafka. Nothing connects before its first use; `prefix` stands before every topic's name."""

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str = "trial",
        prefix: str = "",
        patience: float = PATIENCE_SECONDS,
        security: Mapping[str, Any] = NO_SECURITY,
    ) -> None:
        client = _client_settings(bootstrap, client_id, patience, security)
        self._producing = {**client, **_producer_settings(patience)}
        self._consuming = {**client, **_consumer_settings(patience)}
        self._patience = patience
        self._prefix = prefix
        self._publishing = _Thread(f"{client_id}-producer")
        self._asking = _Thread(f"{client_id}-metadata")
        self._closing = False
        self._producer: Any = None
        self._metadata: Any = None

    async def publish(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        await self._publishing.run(self._publish, self._prefix + topic, envelopes)

    def subscribe(self, topics: Sequence[str], start: Mapping[Position, int]) -> Subscription:
        return KafkaSubscription(self._consuming, self._prefix, topics, start)

    async def partitions(self, topic: str) -> Sequence[int]:
        return await self._asking.run(lambda: partitions_of(self._metadata_client(), self._prefix + topic))

    async def end_offsets(self, topics: Sequence[str]) -> Mapping[Position, int]:
        return await self._asking.run(self._end_offsets, topics)

    async def close(self) -> None:
        """A publication that is under way ends as failed."""
        self._closing = True
        await self._publishing.run(self._discard_producer)
        await self._asking.run(self._close_metadata)
        self._publishing.close()
        self._asking.close()

    def _publish(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        try:
            producer = self._producer_client()
            for wave in _waves(envelopes):
                acknowledgements = [
                    producer.send(topic, key=key, headers=headers, value=value) for key, headers, value in wave
                ]
                self._flush(producer)
                for acknowledgement in acknowledgements:
                    acknowledgement.get(0)  # a flush that returns has waited, and has told nobody what failed
        except _OUR_BUG:
            raise
        except KafkaError as error:
            self._discard_producer()
            raise PublishFailed(f"{topic}: the broker did not acknowledge every message ({error!r})") from error

    def _producer_client(self) -> Any:
        if self._producer is None:
            self._producer = opened(KafkaProducer, **self._producing)
        return self._producer

    def _flush(self, producer: Any) -> None:
        """Wait until each message was acknowledged or has failed, or the bus is being closed."""
        give_up = time.monotonic() + self._patience + 5
        while True:
            try:
                producer.flush(1)
            except KafkaTimeoutError:
                if self._closing or time.monotonic() > give_up:
                    raise
            else:
                return

    def _discard_producer(self) -> None:
        """Forget what was not sent: it is still in the outbox. What is on its way may arrive, and is then repeated."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(0)
            except KafkaError:
                producer._sender.force_close()  # noqa: SLF001 - a close that has to wait raises, and leaves its thread

    def _metadata_client(self) -> Any:
        if self._metadata is None:
            self._metadata = opened(KafkaConsumer, **self._consuming)
        return self._metadata

    def _end_offsets(self, topics: Sequence[str]) -> dict[Position, int]:
        client = self._metadata_client()
        names = {self._prefix + topic: topic for topic in topics}
        wanted = [TopicPartition(name, number) for name in names for number in partitions_of(client, name)]
        ends = client.end_offsets(wanted)
        return {(names[place.topic], place.partition): offset for place, offset in ends.items()}

    def _close_metadata(self) -> None:
        if self._metadata is not None:
            self._metadata.close()


def _waves(envelopes: Sequence[Envelope]) -> Iterator[list[tuple[bytes, list[cloudevents.Header], bytes]]]:
    wave: list[tuple[bytes, list[cloudevents.Header], bytes]] = []
    size = 0
    for envelope in envelopes:
        message = key, headers, value = cloudevents.encode(envelope)
        around = sum(len(name) + len(content) + 8 for name, content in headers)
        weight = len(key) + len(value) + around + RECORD_OVERHEAD
        if wave and size + weight > WAVE_BYTES - 1024:
            yield wave
            wave, size = [], 0
        wave.append(message)
        size += weight
    if wave:
        yield wave


class KafkaSubscription:
    """A consumer without a group: it is assigned every partition and starts where it is told to."""

    def __init__(
        self, settings: Mapping[str, Any], prefix: str, topics: Sequence[str], start: Mapping[Position, int]
    ) -> None:
        self._settings = settings
        self._names = {prefix + topic: topic for topic in topics}
        self._start = {(prefix + topic, partition): offset for (topic, partition), offset in start.items()}
        self._thread = _Thread(f"{settings['client_id']}-consumer")
        self._consumer: Any = None
        self._read: deque[Delivery] = deque()

    async def poll(self, timeout: float, limit: int) -> list[Delivery]:  # noqa: ASYNC109 - a wait, not an abort
        if not self._read:
            await self._thread.run(self._fetch, timeout, limit)
        return [self._read.popleft() for _ in range(min(limit, len(self._read)))]

    async def close(self) -> None:
        await self._thread.run(self._close)
        self._thread.close()

    def _fetch(self, timeout: float, limit: int) -> None:
        if self._read:  # left behind by a poll that was cancelled
            return
        if self._consumer is None:
            self._consumer = self._open()
        for place, records in self._consumer.poll(timeout_ms=int(timeout * 1000), max_records=limit).items():
            topic = self._names[place.topic]
            self._read.extend(
                Delivery(
                    topic, record.partition, record.offset, cloudevents.decode(record.key, record.headers, record.value)
                )
                for record in records
            )

    def _open(self) -> Any:
        consumer = opened(KafkaConsumer, **self._settings)
        try:
            places = [TopicPartition(name, number) for name in self._names for number in partitions_of(consumer, name)]
            consumer.assign(places)
            for place in places:
                offset = self._start.get((place.topic, place.partition))
                if offset is None:
                    consumer.seek_to_beginning(place)
                else:
                    consumer.seek(place, offset)
        except BaseException:
            consumer.close()
            raise
        return consumer

    def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()


def opened(client: Callable[..., Any], **settings: Any) -> Any:
    """Make a client of the library; one that does not come up leaves no thread and no socket behind."""
    connections: list[Any] = []

    def connect(**given: Any) -> Any:
        connections.append(KafkaNetClient(**given))
        return connections[-1]

    try:
        return client(**settings, kafka_client=connect)
    except BaseException:
        for connection in connections:
            connection.close()
        raise


def partitions_of(consumer: Any, topic: str) -> list[int]:
    found = consumer.partitions_for_topic(topic)
    if not found:
        raise UnknownTopic(f"there is no topic {topic}; python -m shared.messaging topics create makes it")
    return sorted(found)


class _Thread:
    """One thread in which one blocking client lives."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, blocking: Callable[..., T], *args: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, blocking, *args)
        except _OUR_BUG:
            raise
        except KafkaError as error:
            raise BusUnavailable(f"the broker does not answer ({error!r})") from error

    def close(self) -> None:
        self._pool.shutdown(wait=False)
