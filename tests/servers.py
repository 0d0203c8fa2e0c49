"""The real PostgreSQL and the real Apache Kafka of a test run, and what every test gets of its own in them.

`TEST_POSTGRES_URL` and `TEST_KAFKA_BOOTSTRAP` name servers that run already; else the run starts its own from
Python packages (`deploy.native`, which `make stack` and `make bench` use too). Nothing is skipped: a
server that cannot start ends the run with its reason and the end of its log.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from deploy.native.kafka import KafkaServer
from deploy.native.postgres import PostgresServer, psql


class Postgres:
    """A PostgreSQL server in which every test has databases of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn.replace("+asyncpg", "")
        self._made: list[str] = []

    def create_database(self) -> str:
        """A fresh and empty database; its URL is for `shared.db.open_database`."""
        name = f"test_{uuid4().hex}"
        psql(self._dsn, f"create database {name}")
        self._made.append(name)
        return self._of(name).replace("postgresql:", "postgresql+asyncpg:", 1)

    def dsn(self, url: str) -> str:
        """The same database for libpq and asyncpg."""
        return url.replace("+asyncpg", "")

    def execute(self, url: str, statement: str) -> str:
        return psql(self.dsn(url), statement)

    def drop_all(self) -> None:
        for name in self._made:
            psql(self._dsn, f"drop database if exists {name} with (force)")

    def _of(self, database: str) -> str:
        return f"{self._dsn.rpartition('/')[0]}/{database}"


class Kafka:
    """A broker in which every test has topics of its own."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin: Any = None
        self._made: list[str] = []

    def prefix(self) -> str:
        """For `KafkaBus(prefix=)` and `create_topics(prefix=)`: topics by their true names, and yet one's own."""
        return f"{uuid4().hex}."

    def topic(
        self, name: str = "trial.safety", partitions: int = 6, configs: Mapping[str, str] = MappingProxyType({})
    ) -> str:
        """Create a topic of one's own, and return its name."""
        own = f"{self.prefix()}{name}"
        wanted = {"num_partitions": partitions, "replication_factor": 1, "configs": configs}
        self.admin().create_topics({own: wanted}, wait_for_metadata=True)
        self._made.append(own)
        return own

    def admin(self) -> Any:
        from kafka import KafkaAdminClient

        if self._admin is None:
            self._admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        return self._admin

    def delete_all(self) -> None:
        if self._made:
            self.admin().delete_topics(self._made)

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    given = os.environ.get("TEST_POSTGRES_URL")  # noqa: TID251 - of the test run, not of the trial
    if given:
        postgres = Postgres(given)
        yield postgres
        postgres.drop_all()
        return
    with folder_of_a_run() as folder, PostgresServer(folder) as server:
        yield Postgres(server.dsn())
        server.kill()  # nobody needs what it holds


@contextmanager
def running_kafka() -> Iterator[Kafka]:
    given = os.environ.get("TEST_KAFKA_BOOTSTRAP")  # noqa: TID251 - of the test run, not of the trial
    if given:
        kafka = Kafka(given)
        yield kafka
        kafka.delete_all()
        kafka.close()
        return
    with folder_of_a_run() as folder, KafkaServer(folder) as server:
        kafka = Kafka(server.bootstrap)
        yield kafka
        kafka.close()
        server.kill()


@contextmanager
def folder_of_a_run() -> Iterator[Path]:
    """Removed by a process of its own: hundreds of databases take half a minute, for which nobody should wait."""
    folder = Path(mkdtemp(prefix="cmd03-test-"))
    try:
        yield folder
    finally:
        sweeping = ["/usr/bin/env", "sh", "-c", 'rm -rf "$0" &', str(folder)]
        subprocess.run(
            sweeping, check=True, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Not pytest's own: as root, PostgreSQL runs as `nobody`, whom pytest locks out of its folders."""
    with TemporaryDirectory(prefix="cmd03-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
