"""One demo for all tests that look at what it loaded and printed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.loading.outcomes import Outcomes
from tests.services.loading.support import Running, outcomes_of, started


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def demo(demo_folder: Path) -> Iterator[Running]:
    """`make demo`, after it has printed and while it serves."""
    with started("demo", data=demo_folder) as running:
        running.until_it_says("Ctrl-C ends it")
        yield running


@pytest.fixture(scope="session")
def sample_outcomes(demo: Running, demo_folder: Path) -> Outcomes:
    return outcomes_of(demo, demo_folder)
