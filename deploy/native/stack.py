"""The whole trial natively: PostgreSQL, Kafka, gateway, and every process of docker-compose.yml on this machine.

    with Stack(folder) as stack:
        stack.url                       the one base URL
        stack.processes["safety-api"]   with .pid, .port, .log, .kill(), .stop(), .start()

Everything listens on loopback. Data, logs and the issuer's key live in the folder, so a stack that is started
again in the same folder goes on where it stopped.
"""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from signal import SIGTERM
from typing import Self

from deploy.native.compose import ROOT, Container, containers, gateway_environment
from deploy.native.kafka import KafkaServer
from deploy.native.postgres import PostgresServer, psql_file
from deploy.native.server import Server, ServerFailed, free_port

SERVICES = ("enrollment", "safety", "efficacy", "biomarkers", "projector")
Say = Callable[[str], None]


def inherited() -> dict[str, str]:
    """What a container would have of its image: no variable of the caller's that could change a setting."""
    kept = {"PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE"}
    return {name: value for name, value in os.environ.items() if name in kept}  # noqa: TID251 - not a setting


class Process(Server):
    """One process of the compose file, with addresses of this machine."""

    stop_signal = SIGTERM
    working_folder = ROOT

    def __init__(self, container: Container, folder: Path, environment: Mapping[str, str], port: int) -> None:
        self.name = container.name
        super().__init__(folder, port)
        self._container = container
        self._told = {**inherited(), **environment}

    def _prepare(self) -> None:
        return None

    def _environment(self) -> dict[str, str]:
        return self._told

    def _command(self) -> Sequence[str]:
        program, *words = self._container.words
        if program != "python":
            raise ServerFailed(f"{self.name} starts {program}, which is not in this environment")
        return [sys.executable, *words]

    def _answers(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.port}/health/ready") == 200

    def run_job(self) -> None:
        """Run to the end; raises `ServerFailed` with what it printed if it fails."""
        done = subprocess.run(
            self._command(), cwd=ROOT, env=self._told, capture_output=True, text=True, check=False, timeout=120
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.write_text(done.stdout + done.stderr, encoding="utf-8")
        if done.returncode != 0:
            raise ServerFailed(f"{self.name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


class Gateway(Server):
    """Caddy with the containers' own Caddyfile."""

    name = "gateway"
    stop_signal = SIGTERM

    def __init__(self, folder: Path, port: int, upstreams: Mapping[str, int]) -> None:
        super().__init__(folder, port)
        self._upstreams = upstreams

    def _prepare(self) -> None:
        return None

    def _environment(self) -> dict[str, str]:
        told = gateway_environment() | {"GATEWAY_PORT": str(self.port)}
        told |= {f"{name.upper()}_UPSTREAM": f"127.0.0.1:{port}" for name, port in self._upstreams.items()}
        return {**inherited(), **told, "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}

    def _command(self) -> Sequence[str]:
        caddy = Path(sys.executable).parent / "caddy"
        return [str(caddy), "run", "--config", str(ROOT / "deploy" / "gateway" / "Caddyfile")]

    def _answers(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.port}/health/live") == 200


def status_of(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - a URL of our own making
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


class Stack:
    """All of it, started in the order that the compose file asks for."""

    def __init__(self, folder: Path, *, port: int | None = None, extra: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.postgres = PostgresServer(self.folder / "postgres")
        self.kafka = KafkaServer(self.folder / "kafka")
        self.issuer_folder = self.folder / "issuer"
        self._values = {f"{name.upper()}_DB_PASSWORD": f"native-{name}" for name in SERVICES}
        self._values |= {"POSTGRES_PASSWORD": "native", "PUBLIC_URL": self.url, **(extra or {})}
        self.processes: dict[str, Process] = {}
        self.gateway: Gateway | None = None
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, say: Say = lambda _line: None) -> None:
        """Start everything; stops what has begun if something fails."""
        try:
            self._start(say)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop in the opposite order: gateway, processes, broker, database."""
        self._running.close()

    def _start(self, say: Say) -> None:
        for server in (self.postgres, self.kafka):
            self._running.enter_context(server)
            say(describe(server))
        self._prepare_database()
        described = containers(self._values)
        self.processes = {name: self._process(container) for name, container in described.items()}
        jobs = [self.processes[name] for name, each in described.items() if each.is_job]
        self._run_together(jobs, say)
        self._start_together([self.processes[name] for name, each in described.items() if not each.is_job], say)
        upstreams = {name: self.processes[f"{name}-api"].port for name in SERVICES}
        self.gateway = Gateway(self.folder / "gateway", self.port, upstreams)
        self._running.enter_context(self.gateway)
        say(describe(self.gateway))

    def _run_together(self, jobs: Sequence[Process], say: Say) -> None:
        """No job waits for another: the compose file says so (`tests/deploy/test_compose.py`)."""
        with ThreadPoolExecutor(len(jobs)) as together:
            for job, _ in zip(jobs, together.map(Process.run_job, jobs), strict=True):
                say(f"{job.name:20} done")

    def _start_together(self, processes: Sequence[Process], say: Say) -> None:
        """Each takes a second or two to answer, and to end: they do so side by side."""
        together = self._running.enter_context(ThreadPoolExecutor(len(processes)))
        self._running.callback(lambda: list(together.map(Process.stop, processes)))
        for process, _ in zip(processes, together.map(Process.start, processes), strict=True):
            say(describe(process))

    def _prepare_database(self) -> None:
        if self.postgres.execute("select count(*) from pg_database where datname = 'trial'") == "1":
            return
        self.postgres.execute("create database trial")
        psql_file(self.postgres.dsn("trial"), ROOT / "deploy" / "postgres" / "init.sql", self._values)

    def another(self, name: str, changed: Mapping[str, str] | None = None) -> Process:
        """A second process of a container, with a port and a log of its own, not started. `changed`: environment."""
        container = containers(self._values)[name]
        container = replace(container, environment={**container.environment, **(changed or {})})
        return self._process(container, "-another")

    def _process(self, container: Container, suffix: str = "") -> Process:
        port = free_port()
        addresses = {
            "postgres:5432": f"127.0.0.1:{self.postgres.port}",
            "kafka:9092": self.kafka.bootstrap,
            "/issuer": str(self.issuer_folder),
        }
        environment = {name: _exchanged(value, addresses) for name, value in container.environment.items()}
        environment |= {"HOST": "127.0.0.1", "PORT": str(port)}
        words = tuple(_exchanged(word, addresses) for word in container.words)
        container = Container(container.name + suffix, words, environment, container.waits_for)
        return Process(container, self.folder / container.name, environment, port)


def _exchanged(text: str, addresses: Mapping[str, str]) -> str:
    for contained, native in addresses.items():
        text = re.sub(re.escape(contained) + r"(?![\w-])", native, text)
    return text


def describe(server: Server) -> str:
    return f"{server.name:20} port {server.port:<6} pid {server.pid:<8} log {server.log}"
