"""A safety service per test: on SQLite, or on both databases where it matters."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.services.safety.house import House, screened


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of this service. Copying it is faster than migrating one per test."""
    file = tmp_path_factory.mktemp("safety") / "migrated.sqlite3"

    async def migrate() -> None:
        await (await House.open(f"sqlite+aiosqlite:///{file}", file.parent)).close()

    asyncio.run(migrate())
    return file


@asynccontextmanager
async def a_house(url: str, folder: Path) -> AsyncIterator[House]:
    made = await House.open(url, folder)
    try:
        await made.hears(screened())
        yield made
    finally:
        await made.close()


@pytest.fixture
async def house(migrated_file: Path, tmp_path: Path) -> AsyncIterator[House]:
    file = shutil.copy(migrated_file, tmp_path / "safety.sqlite3")
    async with a_house(f"sqlite+aiosqlite:///{file}", tmp_path) as made:
        yield made


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def any_house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(request.getfixturevalue(request.param), tmp_path) as made:
        yield made
