"""The tables that migrations make are those of the code, on both databases."""

from services.safety.app import SERVICE
from shared import migrations
from shared.revisions import is_current
from tests.services.safety.house import House


async def test_migrations_leave_no_drift(any_house: House) -> None:
    await migrations.check(any_house.db, SERVICE.migrations, SERVICE.metadata)
    assert await is_current(any_house.db, SERVICE.migrations)
