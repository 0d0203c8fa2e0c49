"""A snapshot: every statement sees the database as it was at the first."""

import pytest
from sqlalchemy import text

from shared.db import open_database


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


async def test_a_snapshot_does_not_see_what_is_committed_while_it_reads(url: str) -> None:
    db = open_database(url, "public")
    count = text("select count(*) from things")
    try:
        async with db.begin() as writer:
            await writer.execute(text("create table things (id integer)"))
        async with db.snapshot() as reader:
            assert await reader.scalar(count) == 0
            async with db.begin() as writer:
                await writer.execute(text("insert into things values (1)"))
            assert await reader.scalar(count) == 0
        async with db.snapshot() as reader:
            assert await reader.scalar(count) == 1
    finally:
        await db.dispose()
