"""What was heard before a migration is still known after it."""

import pytest
from alembic import command
from sqlalchemy import text

from services.enrollment import references
from services.enrollment.app import SERVICE
from shared import migrations
from shared.db import open_database
from shared.escalation.toxicity import Toxicity, toxicities_at
from tests.services.enrollment.builders import NOW
from tests.services.enrollment.clinic import who

DECISIONS = {"confirmed": Toxicity(has_dlt=True), "refuted": Toxicity(), None: Toxicity(undecided=True)}


@pytest.mark.parametrize("which", ["sqlite_url", "postgres_url"])
async def test_toxicities_decided_before_they_had_times_were_always_known(
    which: str, request: pytest.FixtureRequest
) -> None:
    db = open_database(request.getfixturevalue(which), SERVICE.name)
    await migrations.ensure_schema(db)
    async with db.begin() as connection:
        await connection.run_sync(lambda it: command.upgrade(migrations.config(SERVICE.migrations, it), "0003"))
        for number, decision in enumerate(DECISIONS):
            told = {"dlt": str(number), "who": str(who(number)), "decision": decision}
            await connection.execute(
                text("INSERT INTO toxicity_decisions VALUES (:dlt, :who, true, CAST(:decision AS TEXT))"), told
            )
    await migrations.upgrade(db, SERVICE.migrations)
    known = toxicities_at((await references.heard(db)).toxicities, NOW)
    assert known == {who(number): toxicity for number, toxicity in enumerate(DECISIONS.values())}
    await db.dispose()
