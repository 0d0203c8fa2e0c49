"""Both buses and both databases, each test with its own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection

from shared.db import Database, open_database
from shared.eventstore.ddl import create_event_store_v1
from shared.messaging import KafkaBus, LocalBus
from tests.servers import Kafka
from tests.shared.messaging.support import BusUnderTest, KafkaUnderTest, LocalUnderTest


@pytest.fixture(params=["kafka", "local"])
async def under_test(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BusUnderTest]:
    """Every test of the contract runs against both buses."""
    found: BusUnderTest
    if request.param == "kafka":
        kafka: Kafka = request.getfixturevalue("kafka")
        found = KafkaUnderTest(kafka, KafkaBus(kafka.bootstrap))
    else:
        path = tmp_path / "bus.sqlite3"
        found = LocalUnderTest(path, LocalBus(path, partitions=3))
    yield found
    await found.bus.close()


@pytest.fixture(params=["postgresql", "sqlite"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """An empty event store on each database."""
    fixture = {"postgresql": "postgres_url", "sqlite": "sqlite_url"}[request.param]
    async for made in event_store_at(request.getfixturevalue(fixture)):
        yield made


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    async for made in event_store_at(postgres_url):
        yield made


async def event_store_at(url: str) -> AsyncIterator[Database]:
    db = open_database(url, "public")
    async with db.begin() as connection:
        await connection.run_sync(create_tables)
    yield db
    await db.dispose()


def create_tables(connection: Connection) -> None:
    create_event_store_v1(Operations(MigrationContext.configure(connection)))


@pytest.fixture
def local_bus(tmp_path: Path) -> Callable[[], LocalBus]:
    """Opens the same file again and again, as successive processes do."""
    return lambda: LocalBus(tmp_path / "bus.sqlite3")
