"""The commands of `python -m services` as a person runs them: real processes, real HTTP, SQLite in a folder."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.native.server import free_port
from services.loading.client import Tokens, TrialClient
from services.loading.outcomes import Outcomes, ask
from shared.auth.local_issuer import local_issuer
from shared.kernel.actor import Role
from shared.settings import Settings

ROOT = Path(__file__).parents[3]
RECORDING = ("enrollment", "safety", "efficacy", "biomarkers")
PATIENCE_SECONDS = 300
COMMANDS = 422  # of the sample


@dataclass
class Running:
    """A command that was started. `said` is what it printed so far."""

    process: subprocess.Popen[str]
    port: int
    said: str = ""
    complained: list[str] = field(default_factory=list)
    _listening: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def until_it_says(self, words: str) -> str:
        """Read on until a line of standard output holds these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return line
        raise AssertionError(f"it ended without saying {words!r}\n{self.said}\n{''.join(self.complained)}")

    def until_it_complains(self, words: str) -> None:
        """Read on until a line of standard error holds these words."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.complained.append(line)
            if words in line:
                return
        raise AssertionError(f"it ended without saying {words!r}\n{''.join(self.complained)}")

    def interrupt(self) -> int:
        """Ctrl-C; gives the exit code, and takes in the rest of what it says."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.said += out
        self.complained.append(err)
        return self.process.returncode


def command(*words: str, data: Path, port: int, **variables: str) -> list[str]:
    given = [f"{name}={value}" for name, value in {"PORT": str(port), **variables}.items()]
    return ["/usr/bin/env", "-i", f"PATH={os.defpath}", "PYTHONUTF8=1", *given, sys.executable, "-m", "services",
            "--data", str(data), *words]  # fmt: skip


@contextmanager
def started(*words: str, data: Path, port: int | None = None, **variables: str) -> Iterator[Running]:
    """A command, ended with the block if it has not ended by itself."""
    port = port or free_port()
    with subprocess.Popen(
        command(*words, data=data, port=port, **variables),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process, port)
        finally:
            if process.poll() is None:
                process.kill()


def finished(*words: str, data: Path, port: int | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    whole = command(*words, data=data, port=port or free_port(), **variables)
    return subprocess.run(whole, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)


def tokens_of(folder: Path) -> Tokens:
    issuer = local_issuer(folder, Settings())

    def token(role: Role, site: str) -> str:
        return issuer.token(subject=f"{role}@{site}", roles=[role], sites=[site])

    return token


def outcomes_of(running: Running, folder: Path) -> Outcomes:
    async def asked() -> Outcomes:
        async with TrialClient(running.url, tokens_of(folder)) as client:
            return await ask(client)

    return asyncio.run(asked())


def commands(folder: Path) -> dict[str, int]:
    """How many commands each service has on record that came over HTTP. Its workers add to them in their own time.

    A worker is the actor it is called after; whoever sends is called after its role, as in `system@CU`.
    """
    counted = {}
    for service in RECORDING:
        connection = sqlite3.connect(f"file:{folder / service}.sqlite3?mode=ro", uri=True)
        (counted[service],) = connection.execute(
            "select count(distinct causation_id) from events where actor like role || '%'"
        ).fetchone()
        connection.close()
    return counted
