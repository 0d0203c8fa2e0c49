"""Readers wait for their own writes, and are told up to where an answer was built."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import Database
from shared.messaging import Undecodable
from shared.projection import NotYetProjected, UnknownPosition, as_of, wait_for
from shared.projection.applying import Applier
from shared.projection.ledger import register
from shared.projection.lookout import Lookout, Wanted
from tests.shared.projection.support import CLINIC, NOON, OTHER_TABLES, Dose, a_projection, arriving

PROJECTION = a_projection()
OTHER = a_projection("other", tables=OTHER_TABLES, topics=[CLINIC])


async def an_applier(db: Database) -> Applier:
    applier = Applier(db, [PROJECTION, OTHER])
    await register(db, applier.names)
    return applier


async def test_what_has_arrived_is_not_waited_for(db: Database) -> None:
    dose = Dose()
    applier = await an_applier(db)
    await applier.apply(arriving([dose.given(), dose.corrected()]))
    for version in (1, 2):
        await wait_for(db, [PROJECTION], f"{dose.stream}@{version}", timeout=0)


async def test_what_is_on_its_way_is_waited_for(db: Database) -> None:
    dose = Dose()
    applier = await an_applier(db)
    waiting = asyncio.create_task(wait_for(db, [PROJECTION], f"{dose.stream}@2", timeout=30))
    await applier.apply(arriving([dose.given()]))
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done
    await applier.apply(arriving([dose.corrected()], start=1))
    await waiting


@pytest.mark.parametrize("db", ["postgresql"], indirect=True)  # on SQLite nobody tells
async def test_on_postgresql_who_waits_is_told_and_need_not_look(db: Database) -> None:
    dose, never = Dose(), 60.0
    applier, lookout = await an_applier(db), Lookout(untold_pause=never)
    for version, envelope in enumerate((dose.given(), dose.corrected()), start=1):  # the second finds it listening
        wanted = Wanted(dose.stream, "dose", version, frozenset({PROJECTION.name}))
        waiting = asyncio.create_task(lookout.sees(db, wanted, timeout=never / 2))
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        await applier.apply(arriving([envelope], start=version - 1))
        assert await waiting


async def test_readers_who_wait_together_each_get_their_own_write(db: Database) -> None:
    first, second = Dose(1), Dose(2)
    applier = await an_applier(db)
    given = [first.given(), second.given()]
    waiting = [
        asyncio.create_task(wait_for(db, [PROJECTION], f"{dose.stream}@1", timeout=30)) for dose in (first, second)
    ]
    await applier.apply(arriving(given[:1]))
    await waiting[0]
    done, _ = await asyncio.wait({waiting[1]}, timeout=0.1)
    assert not done
    await applier.apply(arriving(given[1:], start=1))
    await waiting[1]


async def test_a_reader_who_leaves_holds_up_nobody(db: Database) -> None:
    dose = Dose()
    applier = await an_applier(db)
    leaving, staying = (
        asyncio.create_task(wait_for(db, [PROJECTION], f"{dose.stream}@1", timeout=30)) for _ in range(2)
    )
    await asyncio.wait({leaving, staying}, timeout=0.05)
    leaving.cancel()
    await applier.apply(arriving([dose.given()]))
    await staying
    await wait_for(db, [PROJECTION], f"{dose.stream}@1")


async def test_nothing_of_a_database_goes_on_once_it_is_disposed_of(db: Database) -> None:
    """A look that was cut off would leave a thread of SQLite's behind, which answers to a loop that is gone."""
    before = asyncio.all_tasks()
    await an_applier(db)
    leaving = asyncio.create_task(wait_for(db, [PROJECTION], f"{Dose().stream}@1", timeout=30))
    await asyncio.wait({leaving}, timeout=0.05)
    leaving.cancel()
    await asyncio.wait({leaving})
    await db.dispose()
    assert asyncio.all_tasks() == before


async def test_what_goes_wrong_while_they_wait_is_raised_for_each_reader(db: Database) -> None:
    dose = Dose()
    await an_applier(db)
    waiting = [asyncio.create_task(wait_for(db, [PROJECTION], f"{dose.stream}@1", timeout=30)) for _ in range(2)]
    await asyncio.wait(waiting, timeout=0.05)
    async with db.begin() as connection:
        await connection.execute(text("drop table projection_cursors"))
    for each in waiting:
        with pytest.raises((DBAPIError, asyncpg.UndefinedTableError)):
            await each


async def test_what_does_not_arrive_is_answered_with_a_503(db: Database) -> None:
    dose = Dose()
    applier = await an_applier(db)
    await applier.apply(arriving([dose.given()]))
    with pytest.raises(NotYetProjected, match="has not arrived here yet"):
        await wait_for(db, [PROJECTION], f"{dose.stream}@2", timeout=0.05)


async def test_a_projection_of_other_topics_is_not_waited_for(db: Database) -> None:
    dose = Dose()
    applier = await an_applier(db)
    await applier.apply(arriving([dose.given()]))
    await wait_for(db, [OTHER], f"{dose.stream}@1", timeout=0)
    await wait_for(db, [OTHER, PROJECTION], f"{dose.stream}@1", timeout=0)


async def test_a_projection_that_follows_and_lags_is_waited_for(db: Database) -> None:
    first, second = Dose(1), Dose(2)
    applier = await an_applier(db)
    await applier.apply(arriving([first.given()]))
    await applier.apply(arriving([first.envelopes[0]], topic=CLINIC))
    await applier.apply(arriving([second.given()], start=1))
    with pytest.raises(NotYetProjected):
        await wait_for(db, [PROJECTION, OTHER], f"{second.stream}@1", timeout=0.05)


@pytest.mark.parametrize(
    "position", ["", "dose", "dose:1", "dose:1@", "dose:1@0", "dose:1@-1", "dose:1@x", "@1", "dose: 1@1", "dose:1@1\n"]
)
async def test_a_malformed_position_is_unacceptable(db: Database, position: str) -> None:
    with pytest.raises(UnknownPosition, match="<stream>@<version>"):
        await wait_for(db, [PROJECTION], position)


async def test_an_answer_says_up_to_where_it_was_built(db: Database) -> None:
    applier = await an_applier(db)
    nothing = await as_of(db, [PROJECTION, OTHER])
    assert (nothing.events, nothing.last_recorded_at, nothing.last_event_id) == (0, None, None)

    early, late = Dose(1), Dose(2, "CU-002")
    early.given()
    late.given()
    newest = late.corrected()
    await applier.apply(arriving([*late.envelopes, early.envelopes[0]]))
    said = await as_of(db, [PROJECTION, OTHER])
    assert (said.events, said.last_event_id) == (3, newest.event_id), "the newest, not the last to arrive"
    assert said.last_recorded_at == newest.recorded_at > NOON
    assert (said.parked, said.halted) == (0, False)


async def test_an_answer_that_lacks_events_says_so(db: Database) -> None:
    applier = await an_applier(db)
    dose, gappy = Dose(), Dose(2, "CU-002")
    gappy.given()
    foreign = Undecodable("no header ce_type", None, (), "")
    await applier.apply(arriving([dose.given(note="poison"), foreign, gappy.corrected()]))
    said = await as_of(db, [PROJECTION])
    assert (said.parked, said.halted) == (2, True)
    async with db.connect() as connection:
        assert await as_of(connection, [PROJECTION]) == said
    assert not (await as_of(db, [OTHER])).halted
