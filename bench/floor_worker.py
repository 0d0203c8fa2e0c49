"""A bare worker with the same libraries: `python -m bench.floor_worker DSN BOOTSTRAP TOPIC`.

SQLAlchemy and kafka-python, connected: it sends one message, reads one into a table, says so, and sleeps until its
input ends.
"""

import sys
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """The mapped classes."""


class Row(Base):
    """The least read model."""

    __tablename__ = "floor_rows"

    id: Mapped[int] = mapped_column(primary_key=True)
    payload: Mapped[str]


def main(dsn: str, bootstrap: str, topic: str) -> None:
    engine = create_engine(dsn.replace("postgresql:", "postgresql+psycopg:"))
    Base.metadata.create_all(engine)
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    producer.send(topic, key=b"1", value=b"{}").get(10)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    records: list[Any] = []
    while not records:
        records = [record for found in consumer.poll(timeout_ms=1000).values() for record in found]
    with Session(engine) as session:
        session.merge(Row(id=1, payload=records[-1].value.decode()))
        session.commit()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
