"""What every test may ask for: real servers, databases and topics of its own, and no network beyond this machine."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

from deploy.native.kafka import KafkaServer
from deploy.native.postgres import PostgresServer
from deploy.native.server import ServerFailed
from deploy.native.stack import Stack
from tests.servers import Kafka, Postgres, running_kafka, running_postgres, temporary_folder

LOOPBACK = ["127.0.0.1", "::1", "localhost"]


# No test is timed: a machine that is busy elsewhere is no mistake of ours.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

STACK = ("tests/flows/", "tests/faults/")  # what needs the whole stack, and after it what breaks the stack
DEMO = ("tests/services/loading/test_demo.py", "tests/services/loading/test_sample_outcomes.py")  # look at one demo
GENERATED = ("tests/architecture/test_generated_requests.py",)  # loads a trial for whoever runs it
SPREAD = ("tests/shared/messaging/test_relay.py",)  # long, one by one


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest begin first: one worker has the stack to itself, another the demo; the rest comes after."""
    order = (*STACK, *DEMO, *GENERATED, *SPREAD)
    items.sort(key=lambda item: next((at for at, room in enumerate(order) if item.nodeid.startswith(room)), len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What `--dist loadgroup` is for; its groups do not reach the scheduler with this pytest (pytest-xdist 3.8.0)."""
    from xdist.scheduler import LoadScopeScheduling

    class OneStack(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(STACK):
                return "stack"
            if nodeid.startswith(DEMO):
                return "demo"
            if nodeid.startswith(GENERATED):
                return "generated: half" if "/safety/" in nodeid or "/trial/" in nodeid else "generated"
            return nodeid if nodeid.startswith(SPREAD) else nodeid.partition("::")[0]

    return OneStack(config, log)


def pytest_runtest_setup() -> None:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@contextmanager
def or_the_run_fails() -> Iterator[None]:
    """A run without its servers proves nothing, so it neither skips nor goes on."""
    try:
        yield
    except ServerFailed as failed:
        pytest.exit(f"the test run needs a server that does not start.\n{failed}", returncode=1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL, started when the first test asks for it and stopped with the run."""
    with ExitStack() as stack:
        with or_the_run_fails():
            server = stack.enter_context(running_postgres())
        yield server


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """Apache Kafka, started when the first test asks for it and stopped with the run."""
    with ExitStack() as stack:
        with or_the_run_fails():
            server = stack.enter_context(running_kafka())
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """A fresh database on PostgreSQL."""
    return postgres.create_database()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh file for SQLite."""
    return f"sqlite+aiosqlite:///{tmp_path / 'service.sqlite3'}"


@pytest.fixture
def new_postgres_server() -> Iterator[Callable[[], PostgresServer]]:
    """Starts servers of the test's own, which it may stop, kill and start again."""
    with ExitStack() as stack:

        def start() -> PostgresServer:
            with or_the_run_fails():
                return stack.enter_context(PostgresServer(stack.enter_context(temporary_folder())))

        yield start


@pytest.fixture
def new_kafka_server() -> Iterator[Callable[[], KafkaServer]]:
    """Starts brokers of the test's own, which it may stop, kill and start again."""
    with ExitStack() as stack:

        def start() -> KafkaServer:
            with or_the_run_fails():
                return stack.enter_context(KafkaServer(stack.enter_context(temporary_folder())))

        yield start


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder that all workers of a run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Writes a line to the terminal while a long test runs, whatever is captured."""
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
    is_worker = hasattr(request.config, "workerinput")  # of pytest-xdist: its reporter speaks to nobody

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            if is_worker or reporter is None:
                sys.stderr.write(line + "\n")
            else:
                reporter.write_line(line)

    return write


@pytest.fixture(scope="session")
def stack(say: Callable[[str], None]) -> Iterator[Stack]:
    """The processes of docker-compose.yml with servers of their own, started once for all tests that ask for them."""
    with ExitStack() as running:
        made = Stack(running.enter_context(temporary_folder()))
        running.callback(made.stop)
        with or_the_run_fails():
            made.start(say)
        yield made
