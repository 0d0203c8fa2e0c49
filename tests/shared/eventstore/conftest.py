"""An event store on each database: one suite for both."""

from collections.abc import AsyncIterator

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from shared import migrations
from shared.db import Database, open_database
from shared.eventstore.ddl import create_event_store_v1


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    database = open_database(url, "store", pool_size=20)
    await migrations.ensure_schema(database)
    async with database.begin() as connection:
        await connection.run_sync(_create)
    yield database
    await database.dispose()


def _create(connection: Connection) -> None:
    create_event_store_v1(Operations(MigrationContext.configure(connection)))
