"""The least worker that holds the same libraries: `python -m bench.floor_worker DSN BOOTSTRAP TOPIC`.

SQLAlchemy and kafka-python, connected: it sends one message, reads one, says so, and sleeps until its input ends.
"""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from sqlalchemy import create_engine, text


def main(dsn: str, bootstrap: str, topic: str) -> None:
    engine = create_engine(dsn.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        connection.execute(text("select 1"))
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    producer.send(topic, key=b"1", value=b"{}").get(10)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    while not consumer.poll(timeout_ms=1000):
        pass
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
