"""The real worker, killed with -9 while a receiver has the alert and the trial does not know it yet."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.contracts.safety import AlertDelivered
from shared.kernel.actor import Role
from shared.kernel.clock import system_clock
from shared.protocol import load_protocol
from tests.services.safety.api.test_adverse_events import report
from tests.services.safety.builders import EVENT
from tests.services.safety.house import House
from tests.services.safety.notices.mail_server import PASSWORD, USER, make_certificates, serving
from tests.services.safety.notices.receiver import SECRET, Message, receiving

ALERT = f"{EVENT}-1"
PATIENCE_SECONDS = 60


def a_free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def worker(folder: Path, **told: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/{{service}}.sqlite3",
        "BUS_FILE": str(folder / "bus.sqlite3"),
        "AUTH_DISABLED": "1",
        "PORT": str(a_free_port()),
        **told,
    }
    command = [sys.executable, "-m", "services.safety", "worker"]
    with (folder / "worker.log").open("ab") as log, subprocess.Popen(command, env=environment, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(happened: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < patience, "it did not happen"
        time.sleep(0.05)


def about_the_alert(got: list[Message]) -> list[Message]:
    """Its clocks, long overdue, are spoken of meanwhile."""
    return [message for message in got if "clock" not in message.id]


async def delivered(house: House) -> list[object]:
    return [event for event in await house.store.read(f"alert:{ALERT}") if isinstance(event, AlertDelivered)]


async def test_killed_between_the_answer_and_the_record_the_alert_is_recorded_once(
    house: House, tmp_path: Path
) -> None:
    house.now = system_clock()
    async with house.client(Role.INVESTIGATOR) as client:
        assert (await report(client, seriousness=["hospitalisation"])).status_code == 201
    with receiving() as receiver:
        with worker(tmp_path, ALERT_WEBHOOK_URL=receiver.url, ALERT_WEBHOOK_SECRET=SECRET) as first:
            receiver.before_answering = lambda: os.kill(first.pid, signal.SIGKILL)
            first.wait(PATIENCE_SECONDS)
        assert (first.returncode, len(receiver.got)) == (-signal.SIGKILL, 1)
        assert await delivered(house) == []

        receiver.before_answering = lambda: None
        with worker(tmp_path, ALERT_WEBHOOK_URL=receiver.url, ALERT_WEBHOOK_SECRET=SECRET) as second:
            wait_until(lambda: len(about_the_alert(receiver.got)) == 2)
            await until_recorded(house)
            second.send_signal(signal.SIGTERM)
            second.wait(PATIENCE_SECONDS)
    twice = about_the_alert(receiver.got)
    assert {message.verified()["data"]["alert_id"] for message in twice} == {ALERT}
    assert {message.id for message in twice} == {f"{ALERT}.1.1.webhook"}  # by which a receiver drops the second
    assert len(await delivered(house)) == 1


async def test_killed_while_the_mail_server_has_it_the_alert_is_mailed_again_and_recorded_once(
    house: House, tmp_path: Path
) -> None:
    house.now = system_clock()
    async with house.client(Role.INVESTIGATOR) as client:
        assert (await report(client, seriousness=["hospitalisation"])).status_code == 201
    mail_id = f"<{ALERT}.1.1.safety-officer@trial.example.org>"
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    labels = {label for level in load_protocol().alerting.levels.value for label in level.mail_to}
    (tmp_path / "mailboxes").write_text("\n".join(f"{label}={label}@example.org" for label in labels), encoding="utf-8")
    with serving(make_certificates(tmp_path), logs_in=True) as server:
        settings = {
            "ALERT_SMTP_HOST": "127.0.0.1",
            "ALERT_SMTP_PORT": str(server.port),
            "ALERT_SMTP_CA_FILE": str(tmp_path / "authority.pem"),
            "ALERT_SMTP_USERNAME": USER,
            "ALERT_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
            "ALERT_MAIL_FROM": "alerts@trial.example.org",
            "ALERT_MAIL_TO_FILE": str(tmp_path / "mailboxes"),
        }
        with worker(tmp_path, **settings) as first:
            server.before_answering = lambda: os.kill(first.pid, signal.SIGKILL)
            first.wait(PATIENCE_SECONDS)
        assert (first.returncode, server.ids) == (-signal.SIGKILL, [mail_id])
        assert await delivered(house) == []

        server.before_answering = None
        with worker(tmp_path, **settings) as second:
            wait_until(lambda: server.ids.count(mail_id) == 2)
            await until_recorded(house)
            second.send_signal(signal.SIGTERM)
            second.wait(PATIENCE_SECONDS)
    assert len({mail.as_bytes() for mail in server.got if mail["Message-ID"] == mail_id}) == 1
    assert set(server.logins) == {(USER, PASSWORD)}
    assert len(await delivered(house)) == 1
    log = (tmp_path / "worker.log").read_text(encoding="utf-8")
    assert PASSWORD not in log
    assert "example.org" not in log


async def until_recorded(house: House) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while not await delivered(house):
        assert time.monotonic() < patience, "it was not recorded"
