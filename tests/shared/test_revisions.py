"""What readiness asks of migrations is what alembic would answer, without it."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from services.biomarkers.app import SERVICE as BIOMARKERS
from services.efficacy.app import SERVICE as EFFICACY
from services.enrollment.app import SERVICE as ENROLLMENT
from services.projector.app import SERVICE as PROJECTOR
from services.safety.app import SERVICE as SAFETY
from shared import migrations
from shared.db import open_database
from shared.process.service import Service
from shared.revisions import head, is_current


@pytest.mark.parametrize("service", [ENROLLMENT, SAFETY, EFFICACY, BIOMARKERS, PROJECTOR], ids=lambda each: each.name)
def test_the_newest_migration_is_the_one_alembic_takes_for_it(service: Service) -> None:
    script = ScriptDirectory.from_config(migrations.config(service.migrations))
    assert head(service.migrations) == script.get_current_head()


def a_migration(folder: Path, revision: str, before: str | None) -> None:
    (folder / "versions").mkdir(exist_ok=True)
    (folder / "versions" / f"{revision}_x.py").write_text(f"revision: str = {revision!r}\ndown_revision = {before!r}\n")


def test_the_newest_migration_is_the_one_that_no_other_builds_on(tmp_path: Path) -> None:
    a_migration(tmp_path, "0003", "0002")
    a_migration(tmp_path, "0001", None)
    a_migration(tmp_path, "0002", "0001")
    assert head(tmp_path) == "0003"


def test_two_newest_migrations_are_a_mistake(tmp_path: Path) -> None:
    a_migration(tmp_path, "0001", None)
    a_migration(tmp_path, "0002", "0001")
    a_migration(tmp_path, "0003", "0001")
    with pytest.raises(ValueError, match="0002, 0003"):
        head(tmp_path)


@pytest.mark.parametrize("which", ["sqlite_url", "postgres_url"])
async def test_a_database_is_current_once_it_is_migrated(which: str, request: pytest.FixtureRequest) -> None:
    db = open_database(request.getfixturevalue(which), "safety")
    try:
        await migrations.ensure_schema(db)
        assert not await is_current(db, SAFETY.migrations)
        await migrations.upgrade(db, SAFETY.migrations)
        assert await is_current(db, SAFETY.migrations)
    finally:
        await db.dispose()
