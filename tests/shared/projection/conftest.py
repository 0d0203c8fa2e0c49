"""The read models of `support`, on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared import migrations
from shared.db import Database, open_database
from shared.messaging import LocalBus
from tests.shared.projection.support import METADATA


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    database = open_database(url, "readmodels")
    await migrations.ensure_schema(database)
    async with database.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.dispose()


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[LocalBus]:
    opened = LocalBus(tmp_path / "bus.sqlite3", partitions=3)
    yield opened
    await opened.close()
