"""A projector per test: on SQLite, or on both databases where it matters."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.services.projector.house import House
from tests.services.projector.small_trial import small_trial


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the run's token issuer: its keys are made once."""
    return tmp_path_factory.mktemp("issuer")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of the projector. Copying it is faster than migrating one per test."""
    file = tmp_path_factory.mktemp("projector") / "migrated.sqlite3"
    asyncio.run(_make(file, told=False))
    return file


@pytest.fixture(scope="session")
def told_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that has heard of the small trial."""
    file = tmp_path_factory.mktemp("projector") / "told.sqlite3"
    asyncio.run(_make(file, told=True))
    return file


async def _make(file: Path, *, told: bool) -> None:
    async with _open(f"sqlite+aiosqlite:///{file}", file.parent) as made:
        if told:
            await made.hears(small_trial().told)


@asynccontextmanager
async def _open(url: str, folder: Path) -> AsyncIterator[House]:
    made = await House.open(url, folder)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def house(migrated_file: Path, keys: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A projector that has heard of nothing."""
    file = shutil.copy(migrated_file, tmp_path / "house.sqlite3")
    async with _open(f"sqlite+aiosqlite:///{file}", keys) as made:
        yield made


@pytest.fixture
async def trial(told_file: Path, keys: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A projector that has heard of the small trial."""
    file = shutil.copy(told_file, tmp_path / "trial.sqlite3")
    async with _open(f"sqlite+aiosqlite:///{file}", keys) as made:
        yield made


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def any_house(request: pytest.FixtureRequest, keys: Path) -> AsyncIterator[House]:
    """A projector that has heard of nothing, on either database."""
    async with _open(request.getfixturevalue(request.param), keys) as made:
        yield made
