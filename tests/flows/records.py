"""What is really there: the events in the stores, the messages on the topics, the rows of the read models.

Read past the project's own code, by other drivers where there are two, so that a mistake of ours cannot hide itself.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from services.projector.readmodels.all import PROJECTIONS

WRITERS = ("enrollment", "safety", "efficacy", "biomarkers")
TOPICS = {f"trial.{service}": service for service in WRITERS}
READ_MODELS = tuple(table for projection in PROJECTIONS for table in projection.tables)

_EVENTS = (
    "select position, stream, version, replace(cast(event_id as text), '-', ''), type, subject, "
    "replace(cast(causation_id as text), '-', ''), data "
    "from {events} order by position"
)
Messages = Sequence["Message"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One event in a service's store. Ids are written without hyphens, as one of the databases has them."""

    service: str
    position: int
    stream: str
    version: int
    event_id: str
    type: str
    subject: str
    command: str
    data: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message on a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: Mapping[str, bytes]
    value: bytes

    @property
    def stream(self) -> str:
        return self.headers["ce_position"].decode().rpartition("@")[0]

    @property
    def version(self) -> int:
        return int(self.headers["ce_position"].rpartition(b"@")[2])


def events_in_postgres(dsn: str) -> list[Stored]:
    """Every event of every service."""
    found: list[Stored] = []
    with psycopg.connect(dsn) as connection:
        for service in WRITERS:
            query = sql.SQL(_EVENTS).format(events=sql.Identifier(service, "events"))  # type: ignore[arg-type]
            found += [Stored(service, *row) for row in connection.execute(query)]
    return found


def waiting_in_postgres(dsn: str) -> dict[str, int]:
    """How many events wait in each service's outbox."""
    count = "select count(*) from {outbox}"
    with psycopg.connect(dsn) as connection:
        return {
            service: connection.execute(
                sql.SQL(count).format(outbox=sql.Identifier(service, "outbox"))  # type: ignore[arg-type]
            ).fetchall()[0][0]
            for service in WRITERS
        }


def rows_in_postgres(dsn: str, schema: str = "projector") -> dict[str, bytes]:
    """Every read model, byte for byte as PostgreSQL writes it out, in the order of its key."""
    found = {}
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        for table in READ_MODELS:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            order = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
            query = f'copy (select {names} from "{schema}"."{table.name}" order by {order}) to stdout'
            with cursor.copy(query.encode()) as rows:
                found[table.name] = b"".join(bytes(row) for row in rows)
    return found


def events_in_sqlite(folder: Path) -> list[Stored]:
    found: list[Stored] = []
    for service in WRITERS:
        with closing(sqlite3.connect(folder / f"{service}.sqlite3")) as connection:
            rows = connection.execute(_EVENTS.format(events="events")).fetchall()
        found += [Stored(service, *row) for row in rows]
    return found


def waiting_in_sqlite(folder: Path) -> dict[str, int]:
    found = {}
    for service in WRITERS:
        with closing(sqlite3.connect(folder / f"{service}.sqlite3")) as connection:
            [found[service]] = connection.execute("select count(*) from outbox").fetchone()
    return found


def rows_in_sqlite(folder: Path) -> dict[str, bytes]:
    found = {}
    with closing(sqlite3.connect(folder / "projector.sqlite3")) as connection:
        for table in READ_MODELS:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            order = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
            rows = connection.execute(f'select {names} from "{table.name}" order by {order}').fetchall()
            found[table.name] = "\n".join(map(repr, rows)).encode()
    return found


def messages_in_kafka(bootstrap: str, topics: Iterable[str] = TOPICS) -> list[Message]:
    """Everything on the topics up to their present ends, in the order of each partition."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    with closing(consumer):
        places = [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        found: list[Message] = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                found += [_message(record) for record in records]
    return found


def _message(record: Any) -> Message:
    headers = dict(record.headers)
    assert len(headers) == len(record.headers), "a header occurs twice"
    return Message(record.topic, record.partition, record.offset, record.key, headers, record.value)


def messages_in_file(bus: Path) -> list[Message]:
    query = 'select topic, partition, "offset", key, headers, value from messages order by topic, partition, "offset"'
    with closing(sqlite3.connect(bus)) as connection:
        rows = connection.execute(query).fetchall()
    return [
        Message(topic, partition, offset, key, {name: each.encode() for name, each in json.loads(headers)}, value)
        for topic, partition, offset, key, headers, value in rows
    ]


def assert_whole(events: Iterable[Stored]) -> None:
    """Streams have no gaps and no event is there twice."""
    events = list(events)
    assert len({event.event_id for event in events}) == len(events)
    versions: dict[tuple[str, str], list[int]] = {}
    for event in events:
        versions.setdefault((event.service, event.stream), []).append(event.version)
    for stream, found in versions.items():
        assert found == list(range(1, len(found) + 1)), f"{stream} is {found}"


def assert_published(events: Iterable[Stored], messages: Iterable[Message]) -> int:
    """Every event is on its topic at least once, as it was stored, and each stream arrives in order.

    What was published again comes after what it repeats. Answers how many messages are repetitions.
    """
    stored = {(f"trial.{event.service}", event.stream, event.version): event for event in events}
    arrived: dict[tuple[str, str], int] = {}
    partitions: dict[tuple[str, str], int] = {}
    repeated = 0
    for message in messages:
        event = stored.get((message.topic, message.stream, message.version))
        assert event is not None, f"{message.stream}@{message.version} was never stored, and is on {message.topic}"
        assert message.headers["ce_id"].decode().replace("-", "") == event.event_id
        assert message.value.decode() == event.data
        assert message.key.decode() == event.subject
        stream = (message.topic, message.stream)
        assert partitions.setdefault(stream, message.partition) == message.partition
        last = arrived.get(stream, 0)
        assert message.version <= last + 1, f"{message.stream}@{message.version} came after @{last}"
        repeated += message.version <= last
        arrived[stream] = max(last, message.version)
    expected: dict[tuple[str, str], int] = {}
    for topic, name, version in stored:
        expected[topic, name] = max(version, expected.get((topic, name), 0))
    assert arrived == expected, "not every event is on its topic"
    return repeated
