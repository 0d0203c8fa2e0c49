"""The shortest way from a write to a read model with the same parts: append, NOTIFY, relay, Kafka, upsert.

    python -m bench.floor_path relay DSN BOOTSTRAP TOPIC
    python -m bench.floor_path projector DSN BOOTSTRAP TOPIC

Three processes of nothing but the drivers; the writer lives in the bench. Event, outbox row and NOTIFY go out in one
round trip and one transaction. SIGTERM ends a process; the projector then prints, for each event, when it was to be
written and when its row could be read.
"""

import json
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

import psycopg
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from pydantic_core import from_json

TABLES = """
create table floor_events (position bigserial primary key, stream_id uuid not null, version integer not null,
  type text not null, payload jsonb not null, recorded_at timestamptz not null default now(),
  unique (stream_id, version));
create table floor_outbox (id bigserial primary key, key uuid not null, payload jsonb not null);
create table floor_read (id uuid primary key, grade int, term text, onset text, position bigint);
create table floor_offsets (partition int primary key, next_offset bigint);
"""
APPEND = "insert into floor_events (stream_id, version, type, payload) values (%s, 1, 'reported', %s)"
OUTBOX = "insert into floor_outbox (key, payload) values (%s, %s)"
UPSERT = (
    "insert into floor_read values (%s, %s, %s, %s, %s) on conflict (id) do update set grade = excluded.grade, "
    "term = excluded.term, onset = excluded.onset, position = excluded.position "
    "where excluded.position > floor_read.position"
)
MOVE = (
    "insert into floor_offsets values (%s, %s) on conflict (partition) do update set next_offset = excluded.next_offset"
)


class Stop:
    """Set by SIGTERM."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def append(connection: psycopg.Connection, key: str, body: str) -> None:
    with connection.pipeline():
        connection.execute(APPEND, (key, body), prepare=True)
        connection.execute(OUTBOX, (key, body), prepare=True)
        connection.execute("notify floor")
        connection.commit()


def relay(dsn: str, bootstrap: str, topic: str) -> None:
    stop = Stop()
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0)
    producer.partitions_for(topic)
    with psycopg.connect(dsn, autocommit=True) as listening, psycopg.connect(dsn) as connection:
        listening.execute("listen floor")
        while not stop.asked:
            while _publish(producer, topic, connection):
                pass
            for _ in listening.notifies(timeout=0.2, stop_after=1):
                pass
    producer.close()


def _publish(producer: KafkaProducer, topic: str, connection: psycopg.Connection) -> bool:
    oldest = "select id, key, payload::text from floor_outbox order by id limit 500"
    rows = connection.execute(oldest, prepare=True).fetchall()
    if rows:
        sent = [producer.send(topic, key=key.bytes, value=body.encode()) for _, key, body in rows]
        producer.flush()
        for each in sent:
            each.get(5)
        done = ([row[0] for row in rows],)
        connection.execute("delete from floor_outbox where id = any(%s)", done, prepare=True)
    connection.commit()
    return bool(rows)


def projector(dsn: str, bootstrap: str, topic: str) -> None:
    stop = Stop()
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    seen: list[tuple[float, float]] = []
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        while not stop.asked:
            for records in consumer.poll(timeout_ms=200, max_records=500).values():
                events = [(record.offset, from_json(record.value)) for record in records]
                cursor.executemany(UPSERT, [_row(offset, event) for offset, event in events])
                cursor.execute(MOVE, (0, events[-1][0] + 1), prepare=True)
                connection.commit()
                seen += [(event["at"], time.monotonic()) for _, event in events]
    consumer.close()
    sys.stdout.write(json.dumps(seen))


def _row(offset: int, event: dict[str, object]) -> Sequence[object]:
    return event["adverse_event_id"], event["grade"], event["term"]["name"], event["onset"], offset  # type: ignore[index]


if __name__ == "__main__":
    {"relay": relay, "projector": projector}[sys.argv[1]](*sys.argv[2:])
