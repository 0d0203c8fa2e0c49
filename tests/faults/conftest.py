"""The stack as it is found by a test that breaks it, and as it is left: every process running."""

import os
import random
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from deploy.native.server import Server
from deploy.native.stack import Stack
from shared.kernel.actor import Role
from tests.faults.aftermath import OnPostgres
from tests.flows.trial import Trial, trial_of
from tests.servers import Postgres

KILLS = int(os.environ.get("FAULT_KILLS", "6"))  # noqa: TID251 - of the test run, not of the trial
THOROUGH = KILLS >= 50  # `make faults`

_sites = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/faults/" in item.nodeid:
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def kills() -> int:
    """How many processes the kill tests take down: FAULT_KILLS, half a dozen by default."""
    return KILLS


@pytest.fixture(scope="session")
def seed(say: Callable[[str], None]) -> str:
    """FAULT_SEED, or a new one, printed so that a run can be repeated."""
    given = os.environ.get("FAULT_SEED") or str(random.SystemRandom().randrange(10**6))  # noqa: TID251 - likewise
    say(f"\nfaults: seed {given} (FAULT_SEED)")
    return given


@pytest.fixture
def whole(stack: Stack) -> Iterator[Stack]:
    """The stack with everything running, before the test and after it."""
    restore(stack)
    yield stack
    restore(stack)


def restore(stack: Stack) -> None:
    servers: list[Server] = [stack.postgres, stack.kafka]
    processes = [process for name, process in stack.processes.items() if name.endswith(("-api", "-worker"))]
    for each in [*servers, *processes]:
        if not each.is_running:
            each.start()


@pytest.fixture
def trial(whole: Stack) -> Iterator[Trial]:
    with trial_of(whole) as running:
        yield running


@pytest.fixture
def site(trial: Trial) -> str:
    """A site of the test's own."""
    name = f"F{next(_sites):03}"
    body = {"site_id": name, "name": "A hospital", "country": "TH", "time_zone": "Asia/Bangkok"}
    trial.command("/enrollment/v1/sites", body, role=Role.SPONSOR)
    return name


@pytest.fixture
def place(whole: Stack, postgres: Postgres) -> OnPostgres:
    return OnPostgres(whole.postgres.dsn("trial"), whole.kafka.bootstrap, postgres.create_database)
