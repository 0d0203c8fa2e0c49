"""The commands of a service as an operator runs them: in processes of their own, told by the environment alone."""

import json
import socket
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.native.server import free_port
from services.embedded import SERVICES
from shared.messaging import cloudevents
from shared.process.commands import HELP
from tests.faults.aftermath import OnSqlite, until_settled
from tests.flows import course, records
from tests.flows.carried_out import copied_to
from tests.flows.commands import Done, command
from tests.flows.served import Served
from tests.flows.waiting import until

SECRET = "s3cret-4711"


def of(folder: Path) -> dict[str, str]:
    """The environment in which a command finds the embedded trial's databases and its bus."""
    return {
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/{{service}}.sqlite3",
        "BUS_FILE": str(folder / "bus.sqlite3"),
    }


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
def test_every_service_says_what_it_can_be_asked(service: str) -> None:
    done = command(f"services.{service}", "--help", environment={"PORT": "nonsense"})
    assert done.returncode == 0, done.stderr
    for name, what in HELP.items():
        assert f"  {name:18}{what}" in done.stdout


def test_the_embedded_trial_says_what_it_can_be_asked() -> None:
    done = command("services", "--help", environment={})
    assert done.returncode == 0
    for name in ("serve", "demo", "token", "load"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fly"], "invalid choice: 'fly'"),
        (["rebuild"], "usage: rebuild NAME"),
        (["rebuild", "x"], "participants, consents, notices"),
    ],
)
def test_a_misused_command_says_how_it_is_used(words: list[str], said: str, tmp_path: Path) -> None:
    done = command("services.safety", *words, environment=of(tmp_path))
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("PORT", {"PORT": "70000", "DATABASE_URL": f"postgresql+asyncpg://safety:{SECRET}@db/trial"}),
        ("LOG_LEVEL", {"LOG_LEVEL": SECRET}),
        ("DATABASE_URL", {"DATABASE_URL": f"mysql://safety:{SECRET}@db/trial"}),
        ("DATABASE_URL_FILE", {"DATABASE_URL_FILE": "/nowhere/at/all"}),
        ("AUTH_DISABLED", {"AUTH_DISABLED": "1", "HOST": "0.0.0.0"}),  # noqa: S104 - what must be refused
        ("OIDC_JWKS_FILE", {}),
        ("OIDC_JWKS_FILE", {"OIDC_JWKS_FILE": __file__}),
        ("PROTOCOL_FILE", {"AUTH_DISABLED": "1", "PROTOCOL_FILE": __file__}),
        ("HOST", {"AUTH_DISABLED": "0", "HOST": "10.255.255.1", "OIDC_JWKS_URL": "http://127.0.0.1:1/"}),
    ],
)
def test_an_api_that_cannot_start_names_the_variable_and_no_secret(
    name: str, environment: dict[str, str], tmp_path: Path
) -> None:
    done = command("services.safety", "api", environment={**of(tmp_path), **environment})
    refuses(done, "bad-settings", name)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {**of(tmp_path), "AUTH_DISABLED": "1", "PORT": port}
        refuses(command("services.safety", "api", environment=environment), "bad-settings", f"PORT {port}")


def test_a_worker_with_half_a_webhook_says_which_half_is_missing(tmp_path: Path) -> None:
    environment = {**of(tmp_path), "ALERT_WEBHOOK_URL": "https://127.0.0.1:1/", "PORT": str(free_port())}
    refuses(command("services.safety", "worker", environment=environment), "bad-settings", "ALERT_WEBHOOK_SECRET")


@pytest.mark.parametrize("words", [["migrate"], ["rebuild", "participants"], ["republish"]])
def test_a_database_that_is_away_is_said_so_without_its_password(words: list[str]) -> None:
    url = f"postgresql+asyncpg://safety:{SECRET}@127.0.0.1:{free_port()}/trial"
    refuses(command("services.safety", *words, environment={"DATABASE_URL": url}), "database-away", "")


def refuses(done: Done, code: str, name: str) -> None:
    """One line with its code, exit code 1, no traceback, and nothing of what was secret."""
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"{code}: ")
    assert name in last
    assert "Traceback" not in "".join(line for line in said.splitlines() if not line.startswith("{"))
    assert SECRET not in said


def test_a_service_without_events_of_its_own_republishes_nothing(tmp_path: Path) -> None:
    refuses(command("services.projector", "republish", environment=of(tmp_path)), "nothing-to-publish", "projector")


def test_migrating_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    environment = {**of(tmp_path), "PORT": str(free_port())}
    for _ in range(2):
        done = command("services.enrollment", "migrate", environment=environment)
        assert (done.returncode, done.stdout) == (0, "enrollment: migrate done\n"), done.stderr
        dumped = dump(tmp_path / "enrollment.sqlite3")
    assert command("services.enrollment", "check-migrations", environment=environment).returncode == 0
    assert dump(tmp_path / "enrollment.sqlite3") == dumped


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory, run_folder: Path) -> Path:
    """The files of an embedded trial that has run, and ended when it was asked to."""
    folder = tmp_path_factory.mktemp("served")
    copied_to(folder / "trial", run_folder)
    with Served(folder) as served:
        until_settled(OnSqlite(served.data, served.data / "fresh"))
        assert served.stop() == 0
        return served.data


def test_a_rebuild_leaves_the_rows_as_they_were_and_counts_what_it_read(left: Path) -> None:
    before = records.rows_in_sqlite(left)
    done = command("services.projector", "rebuild", "adverse-events", environment=of(left))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("adverse-events was rebuilt from ")
    assert done.stdout.endswith(" events and swapped in\n")
    assert records.rows_in_sqlite(left) == before


def test_nothing_is_parked_where_every_event_could_be_taken_in(left: Path) -> None:
    for words, said in (
        (["parked", "adverse-events"], "0 parked in adverse-events\n"),
        (["replay-parked", "alerts"], "nothing is parked in alerts\n"),
        (["resume", "alerts"], "alerts was not halted\n"),
    ):
        done = command("services.projector", *words, environment=of(left))
        assert (done.returncode, done.stdout) == (0, said), done.stderr


@dataclass(frozen=True)
class Revived:
    """A trial that was republished and told a poisonous message, and ran again until it had read both."""

    data: Path
    rows_before: dict[str, bytes]
    republished: Done
    token: Done
    waiting: dict[str, int]
    poison: str
    seen_with_the_token: Any


@pytest.fixture(scope="module")
def revived(left: Path) -> Revived:
    rows = records.rows_in_sqlite(left)
    republished = command("services.safety", "republish", environment=of(left))
    token = command("services", "--data", str(left), "token", "--role", "monitor", "--site", "CU", environment={})
    waiting = records.waiting_in_sqlite(left)
    stream = poison(left / "bus.sqlite3", course.an_id("CU", "main"))
    with Served(left.parent) as served, served.trial() as trial:
        until("the outbox is empty", lambda: not any(records.waiting_in_sqlite(left).values()))
        until("it is parked", lambda: '"parked":1' in trial.http.get("/health/ready").text)
        headers = {"Authorization": f"Bearer {token.stdout.strip()}"}
        seen = trial.http.get("/trial/v1/participants", headers=headers).json()
        assert served.stop() == 0
    return Revived(left, rows, republished, token, waiting, stream, seen)


def test_a_token_that_it_prints_is_accepted(revived: Revived) -> None:
    assert revived.token.returncode == 0, revived.token.stderr
    assert revived.seen_with_the_token["sites"] == ["CU"]
    assert len(revived.seen_with_the_token["items"]) == 3


def test_republished_events_are_published_once_more_and_change_nothing(revived: Revived) -> None:
    done = revived.republished
    assert (done.returncode, done.stdout) == (0, "safety: republish done\n"), done.stderr
    events = records.events_in_sqlite(revived.data)
    of_safety = [event for event in events if event.service == "safety"]
    assert revived.waiting == {"enrollment": 0, "safety": len(of_safety), "efficacy": 0, "biomarkers": 0}
    messages = records.messages_in_file(revived.data / "bus.sqlite3")
    ours = [message for message in messages if message.stream != revived.poison]
    assert records.assert_published(events, ours) == len(of_safety)
    assert records.rows_in_sqlite(revived.data) == revived.rows_before


def test_a_parked_event_is_listed_with_its_reason_and_stays_until_it_can_be_taken_in(revived: Revived) -> None:
    child = course.an_id("CU", "main")
    listed = command("services.projector", "parked", "adverse-events", environment=of(revived.data))
    assert listed.returncode == 0
    assert f"{child}  {revived.poison}@1" in listed.stdout
    assert "UndecodableEvent" in listed.stdout
    again = command("services.projector", "replay-parked", "adverse-events", child, environment=of(revived.data))
    assert (again.returncode, f"{child}: 0 taken in, 1 left" in again.stdout) == (1, True), again.stdout


def poison(bus: Path, child: str) -> str:
    """Put a message on the topic of safety whose content no version of this code has written."""
    stream = f"adverse-event:{uuid4()}"
    [template] = [
        message for message in records.messages_in_file(bus) if message.headers["ce_type"].endswith(b"event-reported")
    ][:1]
    headers = {**template.headers, "ce_position": f"{stream}@1".encode(), "ce_id": str(uuid4()).encode()}
    headers |= {"ce_subject": child.encode()}
    assert cloudevents.decode(child.encode(), list(headers.items()), b"{}")
    written = json.dumps([(name, content.decode()) for name, content in headers.items()])
    with closing(sqlite3.connect(bus)) as connection, connection:
        connection.execute(
            "insert into messages select topic, partition, max(\"offset\") + 1, ?, ?, x'7b7d' from messages "
            "where topic = 'trial.safety' group by topic, partition limit 1",
            (child.encode(), written),
        )
    return stream
