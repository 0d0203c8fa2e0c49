"""One demo for all tests that look at what it loaded and printed: broken off at first, then taken up again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.loading.outcomes import Outcomes
from services.loading.progress import LINES
from tests.services.loading.support import COMMANDS, Running, commands, outcomes_of, started


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@dataclass(frozen=True)
class BrokenOff:
    """A demo that met Ctrl-C in the midst of its load."""

    exit_code: int
    complained: str
    commands: int
    """How many it left on record."""


@pytest.fixture(scope="session")
def broken_off(demo_folder: Path) -> BrokenOff:
    """The first demo of the folder. All that the others look at stands on what it left."""
    with started("demo", data=demo_folder) as running:
        running.until_it_complains(f"Loading the sample trial: {2 * -(-COMMANDS // LINES)} of {COMMANDS}")
        code = running.interrupt()
    return BrokenOff(code, "".join(running.complained), sum(commands(demo_folder).values()))


@pytest.fixture(scope="session")
def demo(demo_folder: Path, broken_off: BrokenOff) -> Iterator[Running]:
    """`make demo`, after it has printed and while it serves."""
    with started("demo", data=demo_folder) as running:
        running.until_it_says("Ctrl-C ends it")
        yield running


@pytest.fixture(scope="session")
def sample_outcomes(demo: Running, demo_folder: Path) -> Outcomes:
    return outcomes_of(demo, demo_folder)
