"""Rows written or changed in one statement, on both databases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from shared.db import Database, open_database
from shared.upserts import insert, upsert

METADATA = MetaData()
LOOKS = Table(
    "looks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("tries", Integer),
    Column("result", Text),
)
KEY = {"name": "a", "place": 1}


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    database = open_database(url, "public")
    async with database.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.dispose()


async def run(db: Database, *statements: Any) -> list[tuple[Any, ...]]:
    async with db.begin() as connection:
        for statement in statements:
            await connection.execute(statement)
        return [tuple(row) for row in await connection.execute(select(LOOKS).order_by(LOOKS.c.name, LOOKS.c.place))]


async def test_a_row_that_is_there_gets_the_columns_named_and_keeps_the_others(db: Database) -> None:
    first = upsert(db, LOOKS, KEY, {"tries": 1}, first={"tries": 9, "result": "none"})
    again = upsert(db, LOOKS, KEY, {"tries": 2}, first={"tries": 9, "result": "lost"})
    other = upsert(db, LOOKS, {**KEY, "place": 2}, {"result": "accepted"})
    assert await run(db, first, again, other) == [("a", 1, 2, "none"), ("a", 2, None, "accepted")]


async def test_an_insert_can_leave_alone_what_is_there(db: Database) -> None:
    row = insert(db, LOOKS).values(**KEY, tries=1)
    again = insert(db, LOOKS).values(**KEY, tries=2).on_conflict_do_nothing()
    assert await run(db, row, again) == [("a", 1, 1, None)]
