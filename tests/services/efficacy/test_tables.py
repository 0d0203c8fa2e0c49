"""The migrations make the tables of the code, on both databases; the manifest refuses what it cannot serve."""

from datetime import UTC, datetime

import pytest

from services.efficacy.app import SERVICE
from shared import migrations
from shared.db import open_database
from shared.eventstore.store import EventStore
from shared.http.parts import Parts
from shared.protocol import load_protocol
from shared.settings import BadSettings, Settings


@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
async def test_the_migrations_make_the_tables_of_the_code(database: str, request: pytest.FixtureRequest) -> None:
    db = open_database(request.getfixturevalue(database), "efficacy")
    try:
        await migrations.check(db, SERVICE.migrations, SERVICE.metadata)
    finally:
        await db.dispose()


async def test_a_protocol_with_other_criteria_stops_the_start(sqlite_url: str) -> None:
    protocol = load_protocol()
    named = protocol.response.criteria.model_copy(update={"value": "WHO_1980"})
    asked = protocol.model_copy(update={"response": protocol.response.model_copy(update={"criteria": named})})
    db = open_database(sqlite_url, "efficacy")
    try:
        with pytest.raises(BadSettings, match="WHO_1979"):
            SERVICE.create_app(
                Parts(db, EventStore(db), asked, lambda: datetime(2026, 1, 1, tzinfo=UTC), Settings(), None)
            )
    finally:
        await db.dispose()
