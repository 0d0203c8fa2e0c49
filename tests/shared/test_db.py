"""One database for every service: what is written comes back alike on both, and being away is said alike."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import Column, Date, Integer, LargeBinary, MetaData, Table, Text, Uuid, bindparam, insert, select, text
from sqlalchemy.exc import MultipleResultsFound

from shared import migrations
from shared.db import Database, DatabaseAway, ExactDecimal, Instant, Lookup, open_database
from shared.kernel.errors import Unavailable

METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text),
    Column("amount", ExactDecimal),
    Column("at", Instant),
    Column("on", Date),
    Column("count", Integer),
    Column("raw", LargeBinary),
)
BY_ID = Lookup(
    select(THINGS.c.id, THINGS.c.kind, THINGS.c.amount, THINGS.c.at, THINGS.c.on).where(THINGS.c.id == bindparam("id"))
)
BY_KIND = Lookup(
    select(THINGS.c.count).where(
        THINGS.c.kind == bindparam("kind"), THINGS.c.count > bindparam("least"), THINGS.c.count < 100
    )
)
BANGKOK = timezone(timedelta(hours=7))


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    database = open_database(url, "things")
    await migrations.ensure_schema(database)
    async with database.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.dispose()


async def put(db: Database, **columns: object) -> UUID:
    made = uuid4()
    async with db.begin() as connection:
        await connection.execute(insert(THINGS).values(id=made, **columns))
    return made


async def test_after_an_outage_nobody_is_given_a_connection_that_is_dead(postgres_url: str) -> None:
    db = open_database(postgres_url, "public", pool_size=3)
    administrator = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    async with db.connect() as one, db.connect() as two, db.connect() as three:
        pids = [(await each.execute(text("select pg_backend_pid()"))).scalar_one() for each in (one, two, three)]
    for pid in pids:
        await administrator.execute("select pg_terminate_backend($1, 5000)", pid)
    await asyncio.sleep(0.05)  # until the loop has heard of it
    async with db.connect() as one, db.connect() as two, db.connect() as three:
        anew = {(await each.execute(text("select pg_backend_pid()"))).scalar_one() for each in (one, two, three)}
    assert len(anew - set(pids)) == 3
    await administrator.close()
    await db.dispose()


async def test_a_whole_number_in_a_column_of_decimals_gets_no_digits_that_nobody_gave(db: Database) -> None:
    made = await put(db, amount=3)
    async with db.connect() as connection:
        found = await connection.scalar(select(THINGS.c.amount).where(THINGS.c.id == made))
    assert str(found) == "3"


@pytest.mark.parametrize("amount", ["0.10", "-12345678901234567890.123456789", "1E-7", "100", "0"])
async def test_a_decimal_and_an_instant_come_back_as_they_were(db: Database, amount: str) -> None:
    at = datetime(2026, 3, 14, 1, 2, 3, 456789, BANGKOK)
    made = await put(db, kind="x", amount=Decimal(amount), at=at, on=date(2026, 3, 14))
    by_lookup = await BY_ID.one(db, id=made)
    async with db.connect() as connection:
        by_core = (await connection.execute(select(THINGS).where(THINGS.c.id == made))).one()
    rows: list[Any] = [by_lookup, by_core]
    for row in rows:
        assert (row.id, row.kind, row.on) == (made, "x", date(2026, 3, 14))
        assert format(row.amount, "f") == format(Decimal(amount), "f")
        assert (row.at, row.at.utcoffset()) == (at, timedelta(0))


async def test_a_lookup_finds_one_or_none_and_refuses_several(db: Database) -> None:
    assert await BY_ID.one(db, id=uuid4()) is None
    for count in (1, 5, 9, 200):
        await put(db, kind="a", count=count)
    found = await BY_KIND.one(db, kind="a", least=5)
    assert found is not None
    assert found.count == 9
    with pytest.raises(MultipleResultsFound):
        await BY_KIND.one(db, kind="a", least=0)


def test_a_lookup_of_a_type_that_drivers_give_back_differently_cannot_be_made() -> None:
    with pytest.raises(TypeError, match=r"things\.raw"):
        Lookup(select(THINGS.c.raw))


async def test_a_naive_instant_is_refused(db: Database) -> None:
    with pytest.raises(Exception, match=r"offset|naive"):
        await put(db, at=datetime(2026, 3, 14))  # noqa: DTZ001 - the very thing that is refused


async def test_instants_sort_as_time_does(db: Database) -> None:
    instants = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=n) for n in (0, 1, 10**6, 10**7)]
    for at in reversed(instants):
        await put(db, at=at)
    async with db.connect() as connection:
        assert list((await connection.scalars(select(THINGS.c.at).order_by(THINGS.c.at))).all()) == instants


async def test_what_raises_in_a_transaction_is_not_there(db: Database) -> None:
    async def fail_after_a_write() -> None:
        async with db.begin() as connection:
            await connection.execute(insert(THINGS).values(id=uuid4()))
            raise KeyError

    with pytest.raises(KeyError):
        await fail_after_a_write()
    async with db.connect() as connection:
        assert await connection.scalar(text("select count(*) from things")) == 0


async def test_a_snapshot_sees_one_moment(db: Database) -> None:
    await put(db, kind="before")
    async with db.snapshot() as connection:
        count = text("select count(*) from things")
        assert await connection.scalar(count) == 1
        await put(db, kind="after")
        assert await connection.scalar(count) == 1


async def test_our_own_mistake_is_not_taken_for_an_outage(db: Database) -> None:
    with pytest.raises(Exception, match=r"no such table|does not exist") as raised:
        async with db.connect() as connection:
            await connection.execute(text("select * from missing"))
    assert not isinstance(raised.value, Unavailable)


async def test_a_file_that_is_missing_is_not_taken_for_an_outage(db: Database, tmp_path: Path) -> None:
    async def read_within_a_transaction() -> None:
        async with db.begin():
            (tmp_path / "missing").read_bytes()

    with pytest.raises(FileNotFoundError):
        await read_within_a_transaction()


@pytest.mark.parametrize("how", ["connect", "begin", "driver"])
async def test_a_database_that_is_away_is_said_to_be(how: str) -> None:
    away = open_database("postgresql+asyncpg://nobody@127.0.0.1:9/none", "x")
    with pytest.raises(DatabaseAway):
        async with getattr(away, how)() as connection:
            await connection.fetch("select 1") if how == "driver" else await connection.execute(text("select 1"))
    await away.dispose()
