"""The service for the API's tests: on SQLite, and where it matters on PostgreSQL too."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.biomarkers.api.trial import Trial, a_trial


@pytest.fixture
async def trial(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Trial]:
    async with a_trial(sqlite_url, tmp_path / "issuer") as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
async def trial_on_both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trial]:
    url = request.getfixturevalue(f"{'sqlite' if request.param == 'sqlite' else 'postgres'}_url")
    async with a_trial(url, tmp_path / "issuer") as running:
        yield running
