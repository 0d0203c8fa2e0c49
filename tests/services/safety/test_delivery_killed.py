"""The real worker, killed with -9 while the receiver has the alert and the trial does not know it yet."""

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
from tests.services.safety.api.test_adverse_events import report
from tests.services.safety.builders import EVENT
from tests.services.safety.house import House
from tests.services.safety.receiver import SECRET, receiving

ALERT = f"{EVENT}-1"
PATIENCE_SECONDS = 60


def a_free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def worker(folder: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/{{service}}.sqlite3",
        "BUS_FILE": str(folder / "bus.sqlite3"),
        "AUTH_DISABLED": "1",
        "PORT": str(a_free_port()),
        "ALERT_WEBHOOK_URL": url,
        "ALERT_WEBHOOK_SECRET": SECRET,
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


async def delivered(house: House) -> list[object]:
    return [event for event in await house.store.read(f"alert:{ALERT}") if isinstance(event, AlertDelivered)]


async def test_killed_between_the_answer_and_the_record_the_alert_is_recorded_once(
    house: House, tmp_path: Path
) -> None:
    house.now = system_clock()
    async with house.client(Role.INVESTIGATOR) as client:
        assert (await report(client, seriousness=["hospitalisation"])).status_code == 201
    with receiving() as receiver:
        with worker(tmp_path, receiver.url) as first:
            receiver.before_answering = lambda: os.kill(first.pid, signal.SIGKILL)
            first.wait(PATIENCE_SECONDS)
        assert (first.returncode, len(receiver.got)) == (-signal.SIGKILL, 1)
        assert await delivered(house) == []

        receiver.before_answering = lambda: None
        with worker(tmp_path, receiver.url) as second:
            wait_until(lambda: len(receiver.got) == 2)
            await until_recorded(house)
            second.send_signal(signal.SIGTERM)
            second.wait(PATIENCE_SECONDS)
    assert {message.verified()["data"]["alert_id"] for message in receiver.got} == {ALERT}
    assert receiver.accepted_ids == {ALERT}  # one message to a receiver that drops ids it has
    assert len(await delivered(house)) == 1


async def until_recorded(house: House) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while not await delivered(house):
        assert time.monotonic() < patience, "it was not recorded"
