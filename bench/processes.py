"""What a process weighs, and how long it needs to start: the safety service's beside the least of their kind.

An API has started when it answers `/health/ready`, which asks the database. A worker has started when its first work
is done: one event of the outbox is on the topic, and one event of another topic is in its read model; the floor has
then sent one message and read one. Memory is the PSS of the process (pages that several share, divided), half a
second later. Bytecode is compiled: the warm-up has seen to it.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvloop

from bench import sample
from bench.harness import Case, Figures, Goal, Result, Servers, compare, cpu_seconds, pss_mib, rounds
from bench.history import history
from bench.relay import fill
from deploy.native.postgres import PostgresServer
from deploy.native.server import free_port
from deploy.native.stack import inherited
from services.safety.app import SERVICE
from shared import migrations
from shared.auth.local_issuer import LocalIssuer
from shared.contracts import enrollment  # noqa: F401 - registers the event
from shared.db import open_database
from shared.messaging import KafkaBus
from shared.messaging.topics import Topic, create_topics, load_topics

SCREENED = "enrollment.participant-screened"
FLOOR = "floor.processes"
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.02  # each look costs the process a query
SETTLE_SECONDS = 0.5
NEW_WORK = (
    "set search_path to safety; truncate projection_cursors, projection_offsets, projection_progress, participants; "
    "insert into outbox (position) select min(position) from events on conflict do nothing"
)

Ready = Callable[["subprocess.Popen[bytes]"], None]


class NotReady(RuntimeError):
    """A process ended, or did not become ready in time; its log is in the note."""


def weighed(words: list[str], environment: dict[str, str], ready: Ready) -> Figures:
    """Start, wait until it is ready, weigh, and stop."""
    log = tempfile.TemporaryFile()  # noqa: SIM115 - read below where it fails, gone with the process else
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        env={**inherited(), **environment},
        cwd=sample.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    try:
        ready(process)
        took, cpu = time.perf_counter() - begun, cpu_seconds([process.pid])
        time.sleep(SETTLE_SECONDS)
        return {"start_ms": took * 1e3, "cpu_ms": cpu * 1e3, "pss_mib": pss_mib(process.pid)}
    except NotReady as failed:
        log.seek(0)
        failed.add_note(log.read().decode(errors="replace")[-2000:])
        raise
    finally:
        process.terminate()
        process.communicate(timeout=20)
        log.close()


def answers(port: int, enough: Callable[[dict[str, Any]], bool] = lambda _: True) -> Ready:
    """Ready when `/health/ready` says so, and enough is in it."""

    def wait(process: "subprocess.Popen[bytes]") -> None:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < give_up:
            page = f"http://127.0.0.1:{port}/health/ready"
            # An OSError: it is not there yet.
            with suppress(OSError), urllib.request.urlopen(page, timeout=5) as answer:
                if enough(json.load(answer)):
                    return
            time.sleep(POLL_SECONDS)
        raise NotReady(f"{process.args!r} did not become ready")

    return wait


def says_so(process: "subprocess.Popen[bytes]") -> None:
    if process.stdout is None or process.stdout.readline() != b"ready\n":
        raise NotReady(f"{process.args!r} did not become ready")


def has_worked(found: dict[str, Any]) -> bool:
    worker = found["checks"]["worker"]
    return bool(worker["relay"]["published"] >= 1 and worker["projections"]["participants"]["events"] >= 1)


def our_worker(postgres: PostgresServer, told: dict[str, str]) -> Case:
    def run() -> Figures:
        postgres.execute(NEW_WORK, "bench_processes")
        port = free_port()
        return weighed(["services.safety", "worker"], {**told, "PORT": str(port)}, answers(port, has_worked))

    return run


def our_api(told: dict[str, str]) -> Case:
    def run() -> Figures:
        port = free_port()
        return weighed(["services.safety", "api"], {**told, "PORT": str(port)}, answers(port))

    return run


def floor_api(url: str) -> Case:
    def run() -> Figures:
        port = free_port()
        return weighed(["bench.floor_api", url, str(port)], {}, answers(port))

    return run


def floor_worker(dsn: str, bootstrap: str) -> Case:
    return lambda: weighed(["bench.floor_worker", dsn, bootstrap, FLOOR], {}, says_so)


def prepare(url: str, bootstrap: str) -> None:
    """The safety service's tables and topics, with an event in each."""
    create_topics(bootstrap, load_topics())
    create_topics(bootstrap, [Topic(name=FLOOR, about="the floor's", partitions=1, min_insync_replicas=1, config={})])

    async def run() -> None:
        db, bus = open_database(url, "safety"), KafkaBus(bootstrap, client_id="bench-fill")
        await migrations.upgrade(db, SERVICE.migrations)
        first = history(1)[0]
        await fill(db, [first])
        stream = {"stream": f"participant:{first.subject}", "type": SCREENED}
        data = {"data": sample.event(SCREENED).to_json()}
        await bus.publish("trial.enrollment", [first.model_copy(update={**stream, **data})])
        await bus.close()
        await db.dispose()

    uvloop.run(run())


def measure(servers: Servers, count: int) -> list[Result]:
    url, dsn = servers.database("bench_processes")
    bootstrap = servers.kafka.bootstrap
    prepare(url, bootstrap)
    issuer = LocalIssuer(servers.folder / "issuer", issuer="urn:cmd03:local", audience="cmd03").prepare()
    told = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP": bootstrap, "OIDC_JWKS_FILE": str(issuer.jwks_file)}
    found = rounds(
        {
            "api": our_api(told),
            "bare api": floor_api(url),
            "worker": our_worker(servers.postgres, told),
            "bare worker": floor_worker(dsn, bootstrap),
        },
        count,
    )
    of_api, of_worker = "FastAPI + SQLAlchemy + asyncpg", "SQLAlchemy + kafka-python"
    return [
        compare(Goal("API process, memory", of_api, 1.5, 1.25, "less"), found, "api", "bare api", "pss_mib", "MiB"),
        compare(Goal("API process, start", of_api, 1.7, 1.3, "less"), found, "api", "bare api", "start_ms", "ms"),
        compare(
            Goal("worker process, memory", of_worker, 1.5, 1.25, "less"),
            found,
            "worker",
            "bare worker",
            "pss_mib",
            "MiB",
        ),
        compare(
            Goal("worker process, start", of_worker, 1.7, 1.3, "less"), found, "worker", "bare worker", "start_ms", "ms"
        ),
    ]
