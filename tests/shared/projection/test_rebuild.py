"""A read model is built anew beside the old one, and takes its place without a trace but the rows."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from shared.db import Database
from shared.kernel.events import Envelope
from shared.messaging import Delivery, LocalBus, Position, Subscription
from shared.projection import Runner, parked, rebuild
from shared.projection.applying import Applier
from shared.projection.ledger import register
from shared.projection.planning import decoded
from shared.projection.rebuild import SWAPS_WITHOUT_WAITING, AnotherRebuild, GapOnTheBus
from tests.shared.projection.support import (
    DOSES,
    METADATA,
    OTHER_TABLES,
    Dose,
    a_projection,
    doses,
    empty,
    known_of,
    rows_of,
    waiting_in,
)

PROJECTION = a_projection(strict=True)


class MeddledBus:
    """A bus on which something happens between a reader's reading and its writing."""

    def __init__(self, bus: LocalBus, happens: Callable[[int], Awaitable[None]]) -> None:
        self.publish, self.partitions, self.end_offsets, self.close = (
            bus.publish,
            bus.partitions,
            bus.end_offsets,
            bus.close,
        )
        self._bus = bus
        self._happens = happens

    def subscribe(self, topics: Sequence[str], start: Mapping[Position, int]) -> Subscription:
        return Meddled(self._bus.subscribe(topics, start), self._happens)


class Meddled:
    def __init__(self, subscription: Subscription, happens: Callable[[int], Awaitable[None]]) -> None:
        self.close = subscription.close
        self._subscription = subscription
        self._happens = happens
        self._polls = 0

    async def poll(self, timeout: float, limit: int) -> list[Delivery]:  # noqa: ASYNC109 - as the bus has it
        read = await self._subscription.poll(timeout, limit)
        self._polls += 1
        await self._happens(self._polls)
        return read


async def read_all(db: Database, bus: LocalBus) -> Applier:
    """What a runner does, once over the whole topic."""
    applier = Applier(db, [PROJECTION])
    await register(db, applier.names)
    subscription = bus.subscribe([DOSES], {})
    ends = sum((await bus.end_offsets([DOSES])).values())
    read = 0
    while read < ends:
        deliveries = await subscription.poll(1, 100)
        read += len(deliveries)
        await applier.apply(decoded(deliveries, applier.wanted))
    await subscription.close()
    return applier


def a_history(doses_given: int = 12) -> list[Envelope]:
    streams = [Dose(number, f"CU-{number % 5:03}") for number in range(doses_given)]
    given = [dose.given(note="poison" if number == 4 else None) for number, dose in enumerate(streams)]
    return [*given, *(dose.corrected("7") for dose in streams), *(dose.split(1, 2) for dose in streams[::2])]


async def test_a_rebuilt_model_equals_the_live_one_byte_by_byte(db: Database, bus: LocalBus) -> None:
    await bus.publish(DOSES, a_history())
    await read_all(db, bus)
    live = await rows_of(db), await known_of(db), sorted(await waiting_in(db))
    assert await rebuild(db, bus, PROJECTION) == len(a_history()) - len(live[2])
    assert (await rows_of(db), await known_of(db), sorted(await waiting_in(db))) == live


async def test_a_rebuild_mends_what_was_wrong(db: Database, bus: LocalBus) -> None:
    await bus.publish(DOSES, a_history())
    await read_all(db, bus)
    right = await rows_of(db)
    async with db.begin() as connection:
        await connection.execute(doses.update().values(note="meddled with"))
        await connection.execute(doses.delete().where(doses.c.dose_id == Dose(1).id))
    await rebuild(db, bus, PROJECTION)
    assert await rows_of(db) == right


async def test_names_of_indexes_and_constraints_survive(db: Database, bus: LocalBus) -> None:
    async def names() -> list[tuple[object, ...]]:
        if db.dialect == "sqlite":
            query = "select type, name, tbl_name from sqlite_master order by 1, 2"
        else:
            query = """select 'index', c.relname::text, i.indrelid::regclass::text from pg_index i
                       join pg_class c on c.oid = i.indexrelid where i.indrelid::regclass::text in
                       ('doses', 'dose_parts', 'first_doses') union all
                       select contype::text, conname::text, conrelid::regclass::text from pg_constraint
                       where conrelid::regclass::text in ('doses', 'dose_parts', 'first_doses') order by 1, 2, 3"""
        async with db.connect() as connection:
            return [tuple(row) for row in await connection.execute(sa.text(query))]

    before = await names()
    for _ in range(2):
        await rebuild(db, bus, PROJECTION)
    assert await names() == before

    def drift(connection: sa.Connection) -> list[object]:
        options = {"compare_type": db.dialect == "postgresql", "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))

    async with db.begin() as connection:
        assert await connection.run_sync(drift) == []


async def test_a_rebuild_that_was_killed_leaves_the_old_model_and_can_be_repeated(
    db: Database, bus: LocalBus, tmp_path: Path
) -> None:
    await bus.publish(DOSES, a_history())
    await read_all(db, bus)
    live = await rows_of(db), await known_of(db)

    url = db.engine.url.render_as_string(hide_password=False)
    words = [sys.executable, "-m", "tests.shared.projection.rebuilding", url, str(tmp_path / "bus.sqlite3")]
    killed = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE)
    assert killed.stdout
    assert await killed.stdout.readline() == b"%d of %d\n" % (len(a_history()), len(a_history()))
    killed.kill()
    await killed.communicate()
    assert (await rows_of(db), await known_of(db)) == live
    await rebuild(db, bus, PROJECTION)
    assert (await rows_of(db), await known_of(db)) == live


async def test_a_halted_projection_is_freed_by_a_rebuild(db: Database, bus: LocalBus) -> None:
    dose = Dose()
    events = [dose.given(), dose.corrected("3"), dose.corrected("4")]
    applier = Applier(db, [PROJECTION])
    await register(db, applier.names)
    await bus.publish(DOSES, events)
    subscription = bus.subscribe([DOSES], {})
    arrivals = decoded(await subscription.poll(1, 10), applier.wanted)
    await subscription.close()
    await applier.apply([arrivals[0], arrivals[2]])
    assert applier.standings["doses"].halted

    await rebuild(db, bus, PROJECTION)
    await applier.refresh()
    assert not applier.standings["doses"].halted
    assert applier.standings["doses"].events == 3


async def test_a_gap_on_the_bus_refuses_the_rebuild_and_keeps_the_old_model(db: Database, bus: LocalBus) -> None:
    dose = Dose()
    await bus.publish(DOSES, [dose.given(), dose.corrected()])
    await read_all(db, bus)
    live = await rows_of(db)
    dose.corrected()
    await bus.publish(DOSES, [dose.corrected()])
    with pytest.raises(GapOnTheBus, match="has version 4 on the bus, but not 3"):
        await rebuild(db, bus, PROJECTION)
    assert await rows_of(db) == live


async def test_a_gap_that_was_filled_by_publishing_again_does_not_matter(db: Database, bus: LocalBus) -> None:
    dose = Dose()
    first, _, third = dose.given(), dose.corrected("2"), dose.corrected("3")
    await bus.publish(DOSES, [first, third])
    await bus.publish(DOSES, dose.envelopes)
    assert await rebuild(db, bus, PROJECTION) == 3
    async with db.connect() as connection:
        assert await connection.scalar(sa.select(doses.c.amount)) == 3


async def test_a_later_rebuild_takes_over_from_an_earlier_one(db: Database, bus: LocalBus) -> None:
    await bus.publish(DOSES, a_history())

    async def another(polls: int) -> None:
        if polls == 1:
            await rebuild(db, bus, PROJECTION)

    with pytest.raises(AnotherRebuild):
        await rebuild(db, MeddledBus(bus, another), PROJECTION)
    assert len(await parked(db, "doses")) == 5


async def test_an_earlier_rebuild_does_not_write_to_the_tables_of_a_later_one(db: Database, bus: LocalBus) -> None:
    await bus.publish(DOSES, a_history())

    async def stopped(polls: int) -> None:
        raise KeyboardInterrupt

    async def another(polls: int) -> None:
        with pytest.raises(KeyboardInterrupt):
            await rebuild(db, MeddledBus(bus, stopped), PROJECTION)

    with pytest.raises(AnotherRebuild):
        await rebuild(db, MeddledBus(bus, another), PROJECTION)
    async with db.connect() as connection:
        assert await connection.scalar(sa.text("select count(*) from doses__rebuild")) == 0


async def test_the_live_runner_goes_on_beside_a_rebuild(db: Database, bus: LocalBus) -> None:
    other = a_projection("other", tables=OTHER_TABLES)
    runner = Runner(db, bus, [PROJECTION, other], batch=7)
    stop = asyncio.Event()
    running = asyncio.create_task(runner.run(stop))
    streams = [Dose(number, f"CU-{number:03}") for number in range(30)]
    await bus.publish(DOSES, [dose.given() for dose in streams])

    async def keep_writing() -> None:
        for turn in range(10):
            await bus.publish(DOSES, [dose.corrected(str(turn)) for dose in streams])

    async with asyncio.timeout(60):
        await asyncio.gather(keep_writing(), rebuild(db, bus, PROJECTION), rebuild(db, bus, other))
        while {health.events for health in runner.health()} != {330}:
            assert not running.done() or running.result()
            await asyncio.sleep(0.01)
    stop.set()
    await running
    live = await rows_of(db), await known_of(db)
    other_rows = await rows_of(db, *OTHER_TABLES)

    await empty(db)
    await read_all(db, bus)
    assert (await rows_of(db), await known_of(db)) == live
    assert other_rows.replace("other_", "") == live[0]


async def test_the_swap_never_leads_backwards(db: Database, bus: LocalBus) -> None:
    """The old model is further than the rebuild, whenever this wants to swap; at last it has to wait."""
    dose = Dose()
    await bus.publish(DOSES, [dose.given("0")])

    async def write_and_project(polls: int) -> None:
        if polls > SWAPS_WITHOUT_WAITING:
            return
        await bus.publish(DOSES, [dose.corrected(str(polls))])
        await read_all(db, bus)

    await rebuild(db, MeddledBus(bus, write_and_project), PROJECTION)
    async with db.connect() as connection:
        assert await connection.scalar(sa.select(doses.c.amount)) == SWAPS_WITHOUT_WAITING
