"""Commands over HTTP: the safety service as it is deployed, beside a bare FastAPI endpoint, on the same PostgreSQL."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import uvloop
from sqlalchemy import insert

from bench import sample
from bench.append import FLOOR_TABLES
from bench.harness import Case, Figures, Goal, Result, compare, rounds
from bench.load import request, write
from deploy.native.postgres import PostgresServer
from deploy.native.server import free_port
from deploy.native.stack import inherited, status_of
from services.safety.app import SERVICE
from services.safety.tables import participants
from shared import migrations
from shared.auth.local_issuer import LocalIssuer
from shared.db import Database, open_database
from shared.eventstore.store import EventStore, Write
from shared.kernel.actor import Role

REQUESTS = 1_500
CONNECTIONS = 16
BODY = {
    "participant_id": str(sample.PARTICIPANT),
    "term": "Anemia",
    "grade": 2,
    "onset": "2026-03-15",
    "became_aware_at": "2026-03-16T09:00:00+07:00",
}


@contextmanager
def serving(words: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A server process of this project until the block ends."""
    process = subprocess.Popen([sys.executable, "-m", *words], env={**inherited(), **environment}, cwd=sample.ROOT)
    try:
        while status_of(f"http://127.0.0.1:{port}/health/live") != 200:
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}")
        yield process
    finally:
        process.terminate()
        process.wait(20)


def case(port: int, requests: Sequence[bytes], folder: Path) -> Figures:
    file = folder / f"{uuid4()}.requests"
    write(file, requests)
    command = [sys.executable, "-m", "bench.load", str(port), str(file), str(CONNECTIONS)]
    done = subprocess.run(command, cwd=sample.ROOT, capture_output=True, check=True)
    figures: Figures = json.loads(done.stdout)
    if figures["bad"]:
        raise RuntimeError(f"{figures['bad']:.0f} requests of {len(requests)} were refused")
    return figures


async def prepare(db: Database) -> None:
    """The safety service's tables, with one participant as enrollment's events would have left it."""
    await migrations.upgrade(db, SERVICE.migrations)
    async with db.begin() as connection:
        known = {"participant_id": str(sample.PARTICIPANT), "site_id": "CU", "time_zone": "Asia/Bangkok"}
        await connection.execute(insert(participants).values(**known, status="infused", sex="F", birth_month="2017-03"))


async def long_lives(db: Database, count: int, events: int) -> list[UUID]:
    """Adverse events with a history of `events` each."""
    store, ids = EventStore(db), [uuid4() for _ in range(count)]
    reported, regraded = sample.event(), sample.event(sample.REGRADED)

    async def one(made: UUID) -> None:
        first = sample.write_of(made, 0, reported)
        history = [reported, *[regraded] * (events - 1)]
        await store.append(Write(first.stream, 0, history, first.recording, first.fingerprint))

    for start in range(0, count, 50):
        await asyncio.gather(*(one(made) for made in ids[start : start + 50]))
    return ids


def ours_report(port: int, token: str, folder: Path) -> Case:
    asked = request("/safety/v1/adverse-events", json.dumps(BODY), {"Authorization": f"Bearer {token}"})
    return lambda: case(port, [asked] * REQUESTS, folder)


def floor_report(port: int, folder: Path) -> Case:
    asked = request("/v1/adverse-events", json.dumps(BODY), {})
    return lambda: case(port, [asked] * REQUESTS, folder)


def ours_change(port: int, token: str, folder: Path, url: str) -> Case:
    headers = {"Authorization": f"Bearer {token}", "If-Match": '"10"'}

    async def lives() -> list[UUID]:
        db = open_database(url, "safety")
        try:
            return await long_lives(db, REQUESTS, 10)
        finally:
            await db.dispose()

    def run() -> Figures:
        body = json.dumps({"grade": 4, "since": "2026-03-17"})
        paths = [f"/safety/v1/adverse-events/{made}/regrade" for made in uvloop.run(lives())]
        return case(port, [request(path, body, headers) for path in paths], folder)

    return run


def measure(postgres: PostgresServer, count: int) -> list[Result]:
    url, dsn = postgres.url("bench"), postgres.dsn("bench")
    postgres.execute("drop table if exists floor_events, floor_outbox", "bench")
    postgres.execute(FLOOR_TABLES, "bench")

    async def prepared() -> None:
        db = open_database(url, "safety")
        await prepare(db)
        await db.dispose()

    uvloop.run(prepared())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        issuer = LocalIssuer(folder, issuer="urn:cmd03:local", audience="cmd03").prepare()
        token = issuer.token(subject="bench", roles=[Role.INVESTIGATOR], sites=["CU"])
        port, floor_port = free_port(), free_port()
        told = {"DATABASE_URL": url, "PORT": str(port), "OIDC_JWKS_FILE": str(issuer.jwks_file)}
        stack.enter_context(serving(["services.safety", "api"], port, told))
        stack.enter_context(serving(["bench.floor_app", dsn, str(floor_port)], floor_port, {}))
        found = rounds(
            {
                "report": ours_report(port, token, folder),
                "change": ours_change(port, token, folder, url),
                "floor": floor_report(floor_port, folder),
            },
            count,
        )
    bare = "bare FastAPI, same CTE"
    post, change = "POST adverse event, 16 connections", "command on 10 events, 16 connections"
    return [
        compare(Goal(post, bare, 0.5, 0.75, "more"), found, "report", "floor", "rate", "/s"),
        compare(Goal(f"{post}, p99", bare, 2.5, 1.5, "less"), found, "report", "floor", "p99_ms", "ms"),
        compare(Goal(change, bare, 0.35, 0.5, "more"), found, "change", "floor", "rate", "/s"),
    ]
