"""A server process of one's own on loopback: started, waited for, stopped.

    with PostgresServer(folder) as postgres, KafkaServer(folder) as kafka:
        postgres.url("trial"), kafka.bootstrap

Ports lie below 32768, where the kernel hands out no ephemeral ports of its own. A server keeps its port and
its data when it is stopped and started again. One that does not come up raises `ServerFailed` with the end
of its log. Each is stopped by the id of the process started here, and dies with this process (`tether.py`).
"""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Self

HERE = Path(__file__).parent
START_SECONDS = 120.0  # Kafka needs 3; on a machine that is busy with other things, twenty and more
STOP_SECONDS = 20.0
LOG_LINES = 40

# The kernel's parent-death signal is sent when the *thread* that started a child ends. This one never does.
STARTER = ThreadPoolExecutor(1, thread_name_prefix="native-servers")


class ServerFailed(RuntimeError):
    """A server did not start or stop; the message ends with the end of its log."""


def free_port() -> int:
    """A port of loopback that nobody listens on, below the range of ephemeral ports."""
    for port in random.SystemRandom().sample(range(15_000, 32_000), 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailed("no free port between 15000 and 32000")


def run_tool(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a tool to its end; what it prints is the answer, or the reason of the failure."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment)
    if done.returncode != 0:
        raise ServerFailed(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Server:
    """One server process: its log, its id, and how it is waited for."""

    name: str
    stop_signal: Signals
    last_signal: Signals = SIGKILL  # to one that does not end by itself
    working_folder = Path("/")

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.log = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerFailed(f"{self.name} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start on the port and the data of this server, and return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._prepare()
        command = self._command()
        self._process = STARTER.submit(self._spawn, command).result()
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> int | None:
        """Ask it to end, and make it end if it does not. Its exit code; None, and no harm done, if it does not run."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(self.stop_signal)
        for signal in (self.last_signal, SIGKILL):
            try:
                return process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal)
        return process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.send_signal(SIGKILL)
            self._process.wait()
            self._process = None

    def _prepare(self) -> None:
        raise NotImplementedError

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _owner(self) -> tuple[int, int]:
        """User and group to run as; negative: as we are."""
        return -1, -1

    def _environment(self) -> dict[str, str] | None:
        """What it is told by its environment; None: the same as this process."""
        return None

    def _spawn(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.tethered(command, self.stop_signal),
                cwd=self.working_folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the one who stops it, not the server
            )

    def tethered(self, command: Sequence[str], signal: Signals) -> list[str]:
        told = (os.getpid(), int(signal), *self._owner())
        return [sys.executable, "-I", str(HERE / "tether.py"), *map(str, told), *command]

    def _wait_until_it_answers(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while not self._answers():
            ended = self._process.poll() if self._process is not None else 0
            if ended is not None or time.monotonic() > give_up:
                why = f"ended with {ended}" if ended is not None else f"did not answer within {START_SECONDS:.0f} s"
                raise ServerFailed(f"{self.name} on port {self.port} {why}. The end of {self.log}:\n{self.log_end()}")
            time.sleep(0.05)

    def log_end(self) -> str:
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])
