"""Appending, and loading an aggregate: our store beside the raw drivers and beside the `eventsourcing` package."""

import asyncio
import sqlite3
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import uvloop
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.domain import event as domain_event
from sqlalchemy import Connection, text

from bench import sample
from bench.harness import Case, Figures, Goal, Result, compare, percentile, rounds
from deploy.native.postgres import PostgresServer
from shared import migrations
from shared.db import Database, open_database
from shared.eventstore.ddl import create_event_store_v1
from shared.eventstore.store import EventStore

CLIENTS = 16
APPENDS = 3_000
LITE_APPENDS = 1_500
THREADS = 4
SAVES = 1_200
LOADS = 100

CTE = (
    "with e as (insert into floor_events (stream_id, version, type, payload) values ($1, 1, $2, $3::jsonb) "
    "returning position) insert into floor_outbox (position, payload) select position, $3::jsonb from e"
)
FLOOR_TABLES = """
create table floor_events (position bigserial primary key, stream_id uuid not null, version integer not null,
  type text not null, payload jsonb not null, recorded_at timestamptz not null default now(),
  unique (stream_id, version));
create table floor_outbox (position bigint primary key, payload jsonb not null);
"""


def _create(connection: Connection) -> None:
    create_event_store_v1(Operations(MigrationContext.configure(connection)))


async def fresh_store(db: Database) -> None:
    """An empty event store; on PostgreSQL in the schema `store`."""
    if db.dialect == "postgresql":
        async with db.begin() as connection:
            await connection.execute(text("drop schema if exists store cascade"))
    await migrations.ensure_schema(db)
    async with db.begin() as connection:
        await connection.run_sync(_create)


async def _timed(append: Callable[[], Awaitable[object]], total: int, clients: int) -> Figures:
    left = iter(range(total))
    took: list[float] = []

    async def client() -> None:
        for _ in left:
            begun = time.perf_counter()
            await append()
            took.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return {"rate": total / (time.perf_counter() - begun), "p99_ms": percentile(took, 99) * 1000}


def ours(url: str, total: int, clients: int) -> Case:
    """Append one event to a new stream, `clients` at once."""

    async def run() -> Figures:
        db = open_database(url, "store", pool_size=clients)
        store, happened = EventStore(db), sample.event()
        try:
            await fresh_store(db)
            return await _timed(lambda: store.append(sample.write_of(uuid4(), 0, happened)), total, clients)
        finally:
            await db.dispose()

    return lambda: uvloop.run(run())


def asyncpg_floor(dsn: str) -> Case:
    """The same rows by the driver alone: one statement, one commit each."""

    async def no_reset(_connection: object) -> None:
        return

    async def run() -> Figures:
        body = sample.event().to_json()
        async with asyncpg.create_pool(dsn, min_size=CLIENTS, max_size=CLIENTS, reset=no_reset) as pool:
            await pool.execute("drop table if exists floor_events, floor_outbox")
            await pool.execute(FLOOR_TABLES)

            async def append() -> None:
                async with pool.acquire() as connection:
                    await connection.execute(CTE, uuid4(), "safety.adverse-event-reported", body)

            return await _timed(append, APPENDS, CLIENTS)

    return lambda: uvloop.run(run())


def sqlite_ours() -> Case:
    def run() -> Figures:
        with tempfile.TemporaryDirectory() as folder:
            return ours(f"sqlite+aiosqlite:///{folder}/store.sqlite3", LITE_APPENDS, CLIENTS)()

    return run


def sqlite_floor() -> Case:
    def run() -> Figures:
        body = sample.event().to_json()
        with tempfile.TemporaryDirectory() as folder:
            connection = sqlite3.connect(Path(folder) / "floor.sqlite3", isolation_level=None)
            connection.execute("pragma journal_mode=wal")
            connection.execute("pragma synchronous=full")
            connection.execute(
                "create table floor_events (position integer primary key, stream_id text, version int, type text, "
                "payload text, recorded_at text default current_timestamp, unique (stream_id, version))"
            )
            begun = time.perf_counter()
            for _ in range(LITE_APPENDS):
                statement = "insert into floor_events (stream_id, version, type, payload) values (?, 1, ?, ?)"
                connection.execute(statement, (str(uuid4()), "safety.adverse-event-reported", body))
            took = time.perf_counter() - begun
            connection.close()
        return {"rate": LITE_APPENDS / took}

    return run


class Report(Aggregate):
    """The peer's aggregate: the same fields, as its users would write it."""

    @domain_event("Reported")
    def __init__(self, fields: dict[str, object]) -> None:
        self.fields = fields
        self.assessments = 0

    @domain_event("Assessed")
    def assess(self, fields: dict[str, object]) -> None:
        self.fields = fields
        self.assessments += 1


class Reports(Application[UUID]):
    name = "reports"


def peer_environment(postgres: PostgresServer, **extra: str) -> dict[str, str]:
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "bench",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "none",
        "POSTGRES_SCHEMA": "peer",
        **extra,
    }


@contextmanager
def peer(postgres: PostgresServer, **extra: str) -> Iterator[Reports]:
    """The peer's application, on an empty schema."""
    postgres.execute("drop schema if exists peer cascade; create schema peer", "bench")
    app = Reports(env=peer_environment(postgres, **extra))
    try:
        yield app
    finally:
        app.close()


def peer_saves(postgres: PostgresServer, **extra: str) -> Case:
    fields = sample.fields()

    def run() -> Figures:
        with peer(postgres, **extra) as app:
            app.save(Report(fields))

            def work() -> None:
                for _ in range(SAVES // THREADS):
                    app.save(Report(fields))

            threads = [threading.Thread(target=work) for _ in range(THREADS)]
            begun = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return {"rate": SAVES / (time.perf_counter() - begun)}

    return run


def loads_ours(url: str, events: int) -> Case:
    """Read one stream, a report and its regrades, as every command does before it decides."""

    async def run() -> Figures:
        db = open_database(url, "store", pool_size=2)
        store, stream = EventStore(db), uuid4()
        try:
            await fresh_store(db)
            for version in range(events):
                happened = sample.event(sample.REGRADED if version else sample.REPORTED)
                await store.append(sample.write_of(stream, version, happened))
            begun = time.perf_counter()
            for _ in range(LOADS):
                assert len(await store.read(f"adverse-event:{stream}")) == events
            return {"ms": (time.perf_counter() - begun) / LOADS * 1000}
        finally:
            await db.dispose()

    return lambda: uvloop.run(run())


def loads_peer(postgres: PostgresServer, events: int) -> Case:
    reported, regraded = sample.fields(), sample.fields(sample.REGRADED)

    def run() -> Figures:
        with peer(postgres) as app:
            report = Report(reported)
            for _ in range(events - 1):
                report.assess(regraded)
            app.save(report)
            begun = time.perf_counter()
            for _ in range(LOADS):
                app.repository.get(report.id)
            return {"ms": (time.perf_counter() - begun) / LOADS * 1000}

    return run


def measure(postgres: PostgresServer, count: int) -> list[Result]:
    url, dsn = postgres.url("bench"), postgres.dsn("bench")
    found = rounds(
        {
            "ours": ours(url, APPENDS, CLIENTS),
            "asyncpg": asyncpg_floor(dsn),
            "peer": peer_saves(postgres),
            "peer functions": peer_saves(postgres, POSTGRES_ENABLE_DB_FUNCTIONS="y"),
        },
        count,
    )
    lite = rounds({"ours": sqlite_ours(), "sqlite3": sqlite_floor()}, count)
    load = rounds({"ours": loads_ours(url, 100), "peer": loads_peer(postgres, 100)}, count)
    at_16 = "append, PostgreSQL, 16 at once"
    return [
        compare(Goal(at_16, "asyncpg, one CTE", 0.5, 0.75, "more"), found, "ours", "asyncpg", "rate", "/s"),
        compare(Goal(at_16, "eventsourcing, 4 threads", 3, 5, "more"), found, "ours", "peer", "rate", "/s"),
        compare(Goal(at_16, "same, database functions", 1.2, 2, "more"), found, "ours", "peer functions", "rate", "/s"),
        compare(
            Goal("append, SQLite, 16 at once", "sqlite3, WAL, FULL, one by one", 0.5, 0.7, "more"),
            lite,
            "ours",
            "sqlite3",
            "rate",
            "/s",
        ),
        compare(
            Goal("load 100 events", "eventsourcing, get", 1 / 3, 1 / 4.5, "less"),
            load,
            "ours",
            "peer",
            "ms",
            "ms",
        ),
    ]
