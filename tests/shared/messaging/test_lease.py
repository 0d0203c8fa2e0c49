"""A lease on both databases; and two real processes, one of which is put to sleep."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy.native.postgres import PostgresServer
from shared.db import Database
from shared.messaging import Lease, LeaseLost
from tests.servers import Postgres
from tests.shared.messaging.conftest import event_store_at
from tests.shared.messaging.support import does_not_happen, eventually

ROOT = Path(__file__).parents[3]


class Job:
    """Works until it is told to stop, and says when it began and ended."""

    def __init__(self, stop: asyncio.Event) -> None:
        self.began = asyncio.Event()
        self.ended = asyncio.Event()
        self._stop = stop

    async def __call__(self) -> None:
        self.began.set()
        try:
            await self._stop.wait()
        finally:
            self.ended.set()


@asynccontextmanager
async def keeping(lease: Lease) -> AsyncIterator[tuple[Job, asyncio.Event]]:
    stop = asyncio.Event()
    job = Job(stop)
    task = asyncio.create_task(lease.keep(job, stop))
    yield job, stop
    stop.set()
    await task


def a_lease(db: Database, *, ttl: float = 0.6) -> Lease:
    return Lease(db, "relay", ttl=ttl, renew_every=ttl / 4)


async def test_of_two_one_works_and_the_other_follows_when_it_stops(database: Database) -> None:
    first, second = a_lease(database), a_lease(database)
    async with keeping(first) as (job, stop):
        await asyncio.wait_for(job.began.wait(), 5)
        async with keeping(second) as (other, _):
            assert await does_not_happen(other.began, within=1)  # longer than the lease: it is renewed
            assert first.held
            assert not second.held
            stop.set()
            await asyncio.wait_for(other.began.wait(), 5)
            assert job.ended.is_set()
            assert second.held


async def test_leases_of_other_names_do_not_meet(database: Database) -> None:
    async with keeping(a_lease(database)) as (relay, _), keeping(Lease(database, "projections")) as (projections, _):
        await asyncio.wait_for(relay.began.wait(), 5)
        await asyncio.wait_for(projections.began.wait(), 5)


async def test_work_is_cancelled_when_the_lease_is_lost_and_begins_again_when_it_is_regained(
    database: Database,
) -> None:
    lease = a_lease(database)
    async with keeping(lease) as (job, _):
        await asyncio.wait_for(job.began.wait(), 5)
        await give_to_somebody_else(database)
        await asyncio.wait_for(job.ended.wait(), 5)
        assert not lease.held
        with pytest.raises(LeaseLost):
            lease.ensure()
        job.began.clear()
        async with database.begin() as connection:
            await connection.execute(text("delete from leases"))
        await asyncio.wait_for(job.began.wait(), 5)
        lease.ensure()


async def give_to_somebody_else(db: Database) -> None:
    async with db.begin() as connection:
        await connection.execute(text("update leases set holder = 'somebody else', expires_at = '9999-12-31'"))


async def test_a_holder_that_overslept_begins_anew_even_if_nobody_took_its_place(database: Database) -> None:
    """Somebody may have worked and gone in the meantime, so what the work remembers may be old."""
    async with keeping(a_lease(database)) as (job, _):
        await asyncio.wait_for(job.began.wait(), 5)
        job.began.clear()
        time.sleep(0.8)  # noqa: ASYNC251 - the whole process is asleep, as if it had been stopped
        await asyncio.wait_for(job.ended.wait(), 5)
        await asyncio.wait_for(job.began.wait(), 5)


async def test_what_the_work_raises_is_raised_and_the_lease_given_back(database: Database) -> None:
    async def broken() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await a_lease(database).keep(broken, asyncio.Event())
    async with keeping(a_lease(database, ttl=60)) as (job, _):
        await asyncio.wait_for(job.began.wait(), 2)


async def test_work_that_returns_ends_the_keeping(database: Database) -> None:
    async def quick() -> None:
        return None

    async with asyncio.timeout(5):
        await a_lease(database).keep(quick, asyncio.Event())


async def test_work_that_does_not_heed_the_stop_is_cancelled_one_lease_later(database: Database) -> None:
    stop, began = asyncio.Event(), asyncio.Event()

    async def deaf() -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(a_lease(database).keep(deaf, stop))
    await began.wait()
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_without_a_database_the_lease_runs_out_and_comes_back_with_it(
    new_postgres_server: Callable[[], PostgresServer],
) -> None:
    server = new_postgres_server()
    async for database in event_store_at(server.url()):
        lease = a_lease(database)
        async with keeping(lease) as (job, _):
            await asyncio.wait_for(job.began.wait(), 5)
            await asyncio.to_thread(server.kill)
            await asyncio.wait_for(job.ended.wait(), 5)
            assert not lease.held
            job.began.clear()
            await asyncio.to_thread(server.start)
            await asyncio.wait_for(job.began.wait(), 15)


HOLDER = """
import asyncio, sys
from shared.db import open_database
from shared.messaging import Lease

async def main():
    db = open_database(sys.argv[1], "public")
    lease = Lease(db, "relay")
    async def work():
        print("works", flush=True)
        try:
            while True:
                await asyncio.sleep(0.01)
                lease.ensure()
        finally:
            print("ends", flush=True)
    await lease.keep(work, asyncio.Event())

asyncio.run(main())
"""


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP])
async def test_another_process_takes_over_within_ten_seconds(
    postgres: Postgres, postgres_database: Database, fate: signal.Signals
) -> None:
    url = postgres_database.engine.url.render_as_string(hide_password=False)
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert first.stdout is not None
    assert await asyncio.wait_for(first.stdout.readline(), 20) == b"works\n"
    async with keeping(Lease(postgres_database, "relay")) as (job, _):
        os.kill(first.pid, fate)
        asleep_since = time.monotonic()
        await asyncio.wait_for(job.began.wait(), 10)
        assert time.monotonic() - asleep_since < 10
        if fate is signal.SIGSTOP:
            os.kill(first.pid, signal.SIGCONT)
            assert await asyncio.wait_for(first.stdout.readline(), 10) == b"ends\n"
            first.kill()
    await first.wait()
    await eventually(lambda: first.returncode is not None)
    first._transport.close()  # type: ignore[attr-defined]
