"""The runner follows the bus: promptly, from where it stood, whatever happens to projections, database or broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from deploy.native.postgres import PostgresServer
from shared import migrations
from shared.db import Database, open_database
from shared.messaging import KafkaBus, LocalBus
from shared.projection import Projection, Runner, resume
from shared.projection.applying import Applier
from shared.projection.ledger import register
from tests.servers import Kafka
from tests.shared.projection.support import (
    CLINIC,
    DOSES,
    METADATA,
    OTHER_TABLES,
    Dose,
    a_projection,
    arriving,
    doses,
    waiting_in,
)

PROJECTION = a_projection()
OTHER = a_projection("other", tables=OTHER_TABLES, topics=[DOSES, CLINIC])


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[Runner]:
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    try:
        yield runner
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nobody signals what another task or process has written
            await asyncio.sleep(0.005)


def events_of(runner: Runner) -> dict[str, int]:
    return {health.name: health.events for health in runner.health()}


async def test_what_is_published_is_projected(db: Database, bus: LocalBus) -> None:
    dose = Dose()
    await bus.publish(DOSES, [dose.given("1")])
    async with running(Runner(db, bus, [PROJECTION])) as runner:
        await until(lambda: events_of(runner) == {"doses": 1})
        await bus.publish(DOSES, [dose.corrected("2")])
        await until(lambda: events_of(runner) == {"doses": 2})
    async with db.connect() as connection:
        assert await connection.scalar(sa.select(doses.c.amount)) == 2


async def test_a_runner_starts_where_the_one_before_it_stood(db: Database, bus: LocalBus) -> None:
    streams = [Dose(number, f"CU-{number}") for number in range(20)]
    await bus.publish(DOSES, [dose.given() for dose in streams])
    async with running(Runner(db, bus, [PROJECTION], batch=3)) as first:
        await until(lambda: events_of(first) == {"doses": 20})
    await bus.publish(DOSES, [streams[0].corrected()])
    async with running(Runner(db, bus, [PROJECTION])) as second:
        await until(lambda: events_of(second) == {"doses": 21})
    assert second.progress.messages == 1


async def test_a_projection_that_is_added_reads_from_the_beginning(db: Database, bus: LocalBus) -> None:
    await bus.publish(DOSES, [Dose(number).given() for number in range(5)])
    async with running(Runner(db, bus, [PROJECTION])) as runner:
        await until(lambda: events_of(runner) == {"doses": 5})
    async with running(Runner(db, bus, [PROJECTION, OTHER])) as runner:
        await until(lambda: events_of(runner) == {"doses": 5, "other": 5})


async def test_a_halted_projection_shows_it_and_is_resumed_while_the_runner_runs(db: Database, bus: LocalBus) -> None:
    dose = Dose()
    events = [dose.given(), dose.corrected(), dose.corrected()]
    applier = Applier(db, [OTHER])
    await register(db, ["other"])
    await applier.apply(arriving([events[0], events[2]]))
    await bus.publish(DOSES, events)
    async with running(Runner(db, bus, [PROJECTION, OTHER])) as runner:
        await until(lambda: events_of(runner) == {"doses": 3, "other": 1})
        await until(lambda: gauge("trial_projection_halted", "other") == 1)
        halted = runner.health()[1]
        assert halted.halted
        assert dose.stream not in str(halted)
        assert halted.lag_events > 0

        assert await resume(db, "other")
        await until(lambda: events_of(runner) == {"doses": 3, "other": 3})
        assert not runner.health()[1].halted


def gauge(name: str, projection: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"service": "readmodels", "projection": projection})


async def test_lag_and_parked_events_are_shown(db: Database, bus: LocalBus) -> None:
    await bus.publish(DOSES, [Dose(1).given(note="poison"), Dose(2, "CU-002").given()])
    async with running(Runner(db, bus, [PROJECTION])) as runner:
        await until(lambda: runner.health()[0].parked == 1 and runner.health()[0].lag_events == 0)
        await until(lambda: gauge("trial_projection_parked_events", "doses") == 1)
    assert runner.health()[0].lag_seconds == 0
    assert await waiting_in(db) == [("CU-001", Dose(1).stream, 1)]


async def test_two_runners_at_once_do_no_harm(db: Database, bus: LocalBus) -> None:
    streams = [Dose(number, f"CU-{number}") for number in range(10)]
    async with running(Runner(db, bus, [PROJECTION], batch=4)) as one, running(Runner(db, bus, [PROJECTION])) as two:
        await bus.publish(DOSES, [dose.given() for dose in streams])
        for turn in range(8):
            await bus.publish(DOSES, [dose.corrected(str(turn)) for dose in streams])
        await until(lambda: max(events_of(one)["doses"], events_of(two)["doses"]) == 90)
    async with db.connect() as connection:
        assert set(await connection.scalars(sa.select(doses.c.amount))) == {7}


async def test_a_topic_that_was_made_anew_is_read_again(db: Database, tmp_path: Path) -> None:
    dose = Dose()
    old = LocalBus(tmp_path / "old.sqlite3")
    await old.publish(DOSES, [dose.given(), dose.corrected("1"), dose.corrected("2")])
    async with running(Runner(db, old, [PROJECTION])) as runner:
        await until(lambda: events_of(runner) == {"doses": 3})
    await old.close()

    new = LocalBus(tmp_path / "new.sqlite3")
    other = Dose(2)
    await new.publish(DOSES, [other.given(), other.corrected()])
    async with running(Runner(db, new, [PROJECTION])) as runner:
        await until(lambda: events_of(runner) == {"doses": 5})
    await new.close()


async def test_a_bug_is_raised(db: Database, bus: LocalBus) -> None:
    async with db.begin() as connection:
        await connection.run_sync(doses.drop)
    await bus.publish(DOSES, [Dose().given()])
    with pytest.raises((sa.exc.DBAPIError, asyncpg.UndefinedTableError)):
        await asyncio.wait_for(Runner(db, bus, [PROJECTION]).run(asyncio.Event()), 20)


async def test_a_database_that_goes_away_is_waited_for(
    new_postgres_server: Callable[[], PostgresServer], bus: LocalBus
) -> None:
    server = new_postgres_server()
    db = open_database(server.url("postgres"), "readmodels")
    await migrations.ensure_schema(db)
    async with db.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    dose = Dose()
    async with running(Runner(db, bus, [PROJECTION])) as runner:
        await bus.publish(DOSES, [dose.given()])
        await until(lambda: events_of(runner) == {"doses": 1})
        await asyncio.to_thread(server.stop)
        await bus.publish(DOSES, [dose.corrected()])
        await until(lambda: runner.progress.last_error == "database-away")
        await asyncio.to_thread(server.start)
        await until(lambda: events_of(runner) == {"doses": 2})
        assert runner.progress.last_error is None
    await db.dispose()


async def test_it_follows_kafka_alike(db: Database, kafka: Kafka) -> None:
    topic = kafka.topic()
    projection = Projection("doses", tables=PROJECTION.tables, topics=[topic])
    projection.handlers.update(PROJECTION.handlers)
    streams = [Dose(number, f"CU-{number:03}") for number in range(20)]
    bus = KafkaBus(kafka.bootstrap)
    async with running(Runner(db, bus, [projection])) as runner:
        await bus.publish(topic, [dose.given() for dose in streams])
        await bus.publish(topic, [dose.corrected("5") for dose in streams])
        await until(lambda: events_of(runner) == {"doses": 40} and runner.health()[0].lag_events == 0)
    await bus.close()
    async with db.connect() as connection:
        assert set(await connection.scalars(sa.select(doses.c.amount))) == {5}
