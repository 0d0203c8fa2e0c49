"""Read models: live from Kafka, and rebuilt, beside `eventsourcing`'s runner and beside executemany of 500.

Ours is the projector's listing of adverse events: three tables, a cursor for every stream, from a topic of six
partitions that was filled before. The floor writes the same rows (`floor_projection`). The peer keeps one row per
aggregate, in one transaction per event, as its users would; its events lie in PostgreSQL, and no broker is asked.
Live rates are taken from the first batch that was written to the last, a rebuild from its call to its return.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import uvloop
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection as PeerProjection
from eventsourcing.projection import ProjectionRunner
from psycopg.sql import SQL
from sqlalchemy import text

from bench import sample
from bench.append import Report, Reports, peer, peer_environment
from bench.floor_projection import floor
from bench.harness import Case, Figures, Goal, Result, Servers, compare, rounds, until
from bench.history import TOPIC, history
from deploy.native.postgres import PostgresServer
from services.projector.app import SERVICE
from services.projector.readmodels.adverse_events import PROJECTION
from shared import migrations
from shared.db import Database, open_database
from shared.kernel.events import Envelope
from shared.messaging import KafkaBus
from shared.messaging.topics import create_topics, load_topics
from shared.projection import Runner, rebuild

LIVES = 5_000
PEER_LIVES = 500
PREFIX = "projection."
OURS = ("projection_cursors", "projection_offsets", "projection_progress", "parked_events")
CLEAR = f"truncate {', '.join([*OURS, *(table.name for table in PROJECTION.tables)])}"

Work = Callable[[Database, KafkaBus, int], Any]


def ours(url: str, bootstrap: str, work: Work, count: int) -> Case:
    """Empty tables, a filled topic, and then the work."""

    async def run() -> Figures:
        db = open_database(url, "projector")
        bus = KafkaBus(bootstrap, client_id="bench-projection", prefix=PREFIX)
        try:
            async with db.begin() as connection:
                await connection.execute(text(CLEAR))
            figures: Figures = await work(db, bus, count)
            async with db.connect() as connection:
                assert await connection.scalar(text("select events from projection_progress")) == count
            return figures
        finally:
            await bus.close()
            await db.dispose()

    return lambda: uvloop.run(run())


async def live(db: Database, bus: KafkaBus, count: int) -> Figures:
    stop, runner = asyncio.Event(), Runner(db, bus, [PROJECTION])
    running = asyncio.create_task(runner.run(stop))

    async def taken_in(messages: int) -> tuple[float, float, int]:
        await until(lambda: runner.progress.messages >= messages or running.done())
        return time.perf_counter(), time.process_time(), runner.progress.messages

    begun, cpu, before = await taken_in(1)
    ended, used, _ = await taken_in(count)
    stop.set()
    await running
    return {"rate": (count - before) / (ended - begun), "cpu_us": (used - cpu) / (count - before) * 1e6}


async def built_anew(db: Database, bus: KafkaBus, count: int) -> Figures:
    begun, cpu = time.perf_counter(), time.process_time()
    assert await rebuild(db, bus, PROJECTION) == count
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    return {"rate": count / took, "cpu_us": used / count * 1e6}


class Listing(PostgresTrackingRecorder):
    """The peer's read model: a row and the position in one transaction."""

    def __init__(self, datastore: PostgresDatastore, **more: Any) -> None:
        super().__init__(datastore, **more)
        self.begun: float | None = None
        columns: LiteralString = "id uuid primary key, grade text, events int, position bigint"
        made = SQL("create table if not exists peer.listing ({})").format(SQL(columns))
        self.sql_create_statements.append(made)

    def put(self, aggregate_id: UUID, grade: str, tracking: Tracking) -> None:
        self.begun = self.begun or time.perf_counter()
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "insert into peer.listing values (%s, %s, 1, %s) on conflict (id) do update set "
                "grade = excluded.grade, events = listing.events + 1, position = excluded.position",
                (aggregate_id, grade, tracking.notification_id),
                prepare=True,
            )
            self._insert_tracking(cursor, tracking)


class Follow(PeerProjection[Listing]):
    name = "listing"
    topics = ()

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.put(domain_event.originator_id, str(domain_event.fields.get("grade")), tracking)


def peer_live(postgres: PostgresServer, dsn: str, last: int) -> Case:
    def run() -> Figures:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("drop table if exists peer.listing, peer.listing_tracking")
        environment, cpu = peer_environment(postgres), time.process_time()
        with ProjectionRunner(
            application_class=Reports, projection_class=Follow, view_class=Listing, env=environment
        ) as runner:
            runner.wait(last, timeout=60)
            begun = runner.projection.view.begun
            assert begun is not None
            took, used = time.perf_counter() - begun, time.process_time() - cpu
        return {"rate": last / took, "cpu_us": used / last * 1e6}

    return run


def peer_history(postgres: PostgresServer) -> int:
    """As many events in the peer's store; the answer is the position of the last."""
    reported, regraded = sample.fields(), sample.fields(sample.REGRADED)
    with peer(postgres) as app:
        for _ in range(PEER_LIVES):
            report = Report(reported)
            for _ in range(3):
                report.assess(regraded)
            app.save(report)
        return app.recorder.max_notification_id() or 0


def prepare(url: str, bootstrap: str, envelopes: Sequence[Envelope]) -> None:
    """The projector's tables, and the topic with all events on it."""
    create_topics(bootstrap, load_topics(), prefix=PREFIX)

    async def run() -> None:
        db, bus = open_database(url, "projector"), KafkaBus(bootstrap, client_id="bench-fill", prefix=PREFIX)
        await migrations.upgrade(db, SERVICE.migrations)
        await bus.publish(TOPIC, envelopes)
        await bus.close()
        await db.dispose()

    uvloop.run(run())


def measure(servers: Servers, count: int) -> list[Result]:
    url, dsn = servers.database("bench_projection")
    bootstrap, envelopes = servers.kafka.bootstrap, history(LIVES)
    prepare(url, bootstrap, envelopes)
    last = peer_history(servers.postgres)
    found = rounds(
        {
            "live": ours(url, bootstrap, live, len(envelopes)),
            "rebuild": ours(url, bootstrap, built_anew, len(envelopes)),
            "executemany": floor(dsn, envelopes, CLEAR),
            "peer": peer_live(servers.postgres, servers.postgres.dsn("bench"), last),
        },
        count,
    )
    what, many = "live projection, Kafka to PostgreSQL", "executemany of 500"
    return [
        compare(Goal(what, "eventsourcing, ProjectionRunner", 10, 30, "more"), found, "live", "peer", "rate", "/s"),
        compare(Goal(what, many, 0.25, 0.45, "more"), found, "live", "executemany", "rate", "/s"),
        compare(
            Goal("rebuild of a read model", many, 0.35, 0.6, "more"), found, "rebuild", "executemany", "rate", "/s"
        ),
    ]
