"""The service for the API's tests: on SQLite, and where it matters on PostgreSQL too."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.efficacy.api.trial import Trial, a_trial, prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables and its participant, made once; each test has a copy of its own."""
    path = tmp_path_factory.mktemp("efficacy") / "service.sqlite3"
    asyncio.run(prepare(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
async def trial(prepared: Path, tmp_path: Path) -> AsyncIterator[Trial]:
    copy = shutil.copy(prepared, tmp_path / "service.sqlite3")
    async with a_trial(f"sqlite+aiosqlite:///{copy}", tmp_path / "issuer") as running:
        yield running


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def trial_on_both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trial]:
    url = request.getfixturevalue(request.param)
    await prepare(url)
    async with a_trial(url, tmp_path / "issuer") as running:
        yield running
