"""`python -m services.biomarkers mllp` as an operator starts it: in a process of its own, killed and started again."""

import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deploy.native.compose import ROOT
from deploy.native.stack import inherited
from services.biomarkers.intake.mllp import END, START
from tests.flows.commands import command
from tests.services.biomarkers.api.hl7_messages import NAME, a_message, obx

PATIENCE_SECONDS = 60


@contextmanager
def listening(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    words = [sys.executable, "-m", "services.biomarkers", "mllp", "127.0.0.1", "0", "CU"]
    told = {**inherited(), **environment}
    with subprocess.Popen(words, cwd=ROOT, env=told, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.kill()


def answer_to(message: str, port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        connection.sendall(START + message.encode() + END)
        said = b""
        while not said.endswith(END):
            more = connection.recv(4096)
            assert more, "it hung up without an answer"
            said += more
    return said.removeprefix(START).removesuffix(END).decode()


def test_what_was_answered_is_kept_through_a_kill_and_sent_again_changes_nothing(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/biomarkers.sqlite3"}
    assert command("services.biomarkers", "migrate", environment=environment).returncode == 0
    message = a_message(obx())
    with listening(environment) as (process, port):
        first = answer_to(message, port)
        process.kill()
    assert "MSA|AE|M1" in first  # nobody has registered this sender: it waits
    assert NAME not in first
    with listening(environment) as (process, port):
        assert "MSA|AE|M1" in answer_to(message, port)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    with closing(sqlite3.connect(tmp_path / "biomarkers.sqlite3")) as database:
        assert database.execute("select count(*) from messages").fetchall() == [(1,)]


def test_it_says_how_it_is_used(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/biomarkers.sqlite3"}
    done = command("services.biomarkers", "mllp", "127.0.0.1", environment=environment)
    assert done.returncode != 0
    assert "mllp 127.0.0.1 2575 CU" in done.stderr
