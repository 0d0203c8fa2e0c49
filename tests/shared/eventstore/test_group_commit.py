"""Writes to SQLite that share a commit: what each of them is told, and what is in the file then."""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.db import Database, DatabaseAway, open_database
from shared.eventstore.group_commit import GroupCommit

INSERT = "insert into notes (name, length) values (?, ?)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notes.sqlite3"


@pytest.fixture
async def db(file: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite+aiosqlite:///{file}", "notes")
    async with database.begin() as connection:
        await connection.execute(text("create table notes (name text primary key, length integer check (length > 0))"))
    yield database
    await database.dispose()


@pytest.fixture
def commits(db: Database) -> GroupCommit:
    return GroupCommit(db)


def names(file: Path) -> list[str]:
    """What another process finds in the file."""
    with sqlite3.connect(file) as connection:
        found = [name for (name,) in connection.execute("select name from notes order by name")]
    connection.close()
    return found


@contextmanager
def another_writer(file: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who holds the lock of the one writer until the block ends."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("begin immediate")
    yield connection
    connection.execute("rollback")
    connection.close()


@contextmanager
def no_file_grows() -> Iterator[None]:
    """The disk takes nothing more: this process may not write beyond the first bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_is_answered_is_in_the_file(commits: GroupCommit, file: Path) -> None:
    async def write(number: int) -> None:
        await commits.execute(INSERT, (f"{number:03}", 1))
        assert f"{number:03}" in names(file)

    await asyncio.gather(*(write(number) for number in range(40)))
    assert names(file) == [f"{number:03}" for number in range(40)]


async def test_writes_that_come_during_a_commit_share_the_next(commits: GroupCommit, file: Path) -> None:
    seen: set[tuple[str, ...]] = set()

    async def write(name: str) -> None:
        await commits.execute(INSERT, (name, 1))
        seen.add(tuple(names(file)))

    with another_writer(file):
        first = asyncio.create_task(write("a"))
        await asyncio.sleep(0.05)  # its transaction waits for the lock by then
        others = [asyncio.create_task(write(name)) for name in "bcd"]
        await asyncio.sleep(0)
    await asyncio.gather(first, *others)
    assert ("a", "b", "c", "d") in seen
    assert not seen & {("a", "b"), ("a", "b", "c")}


@pytest.mark.parametrize("bad", [("taken", 1), ("zero", 0), (object(), 1), ("long", 2**64)])
async def test_a_statement_that_fails_spoils_no_other(
    commits: GroupCommit, file: Path, bad: tuple[object, int]
) -> None:
    await commits.execute(INSERT, ("taken", 1))
    good = [(f"good-{number}", 1) for number in range(6)]
    written = [*good[:3], bad, *good[3:]]
    outcomes = await asyncio.gather(*(commits.execute(INSERT, each) for each in written), return_exceptions=True)
    assert [outcome is None for outcome in outcomes] == [True] * 3 + [False] + [True] * 3
    assert names(file) == [*(name for name, _ in good), "taken"]


async def test_where_there_is_no_room_the_transaction_ends_for_all(
    commits: GroupCommit, db: Database, file: Path
) -> None:
    async with db.driver() as connection:  # the only one so far, so the pool gives it out again
        await connection.execute_fetchall("pragma max_page_count = 10")
    written = [("a", 1), ("b" * 100_000, 1), ("c", 1)]
    outcomes = await asyncio.gather(*(commits.execute(INSERT, each) for each in written), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [DatabaseAway] * 3
    assert names(file) == []
    await asyncio.gather(*(commits.execute(INSERT, each) for each in (written[0], written[2])))
    assert names(file) == ["a", "c"]


async def test_a_commit_that_fails_is_nobodys(commits: GroupCommit, file: Path) -> None:
    written = [(f"lost-{number}", 1) for number in range(5)]
    with no_file_grows():
        outcomes = await asyncio.gather(*(commits.execute(INSERT, each) for each in written), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [DatabaseAway] * 5
    assert names(file) == []
    await asyncio.gather(*(commits.execute(INSERT, each) for each in written))
    assert names(file) == [name for name, _ in written]


async def test_one_who_leaves_before_the_transaction_has_written_nothing(commits: GroupCommit, file: Path) -> None:
    with another_writer(file):
        first, leaving, staying = (asyncio.create_task(commits.execute(INSERT, (name, 1))) for name in "als")
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
    await asyncio.gather(first, staying)
    assert leaving.cancelled()
    assert names(file) == ["a", "s"]


async def test_one_who_leaves_during_the_transaction_has_written_once(commits: GroupCommit, file: Path) -> None:
    with another_writer(file):
        leaving, staying = (asyncio.create_task(commits.execute(INSERT, (name, 1))) for name in "ls")
        await asyncio.sleep(0.1)
        leaving.cancel()
        await asyncio.wait([leaving])
    await staying
    assert names(file) == ["l", "s"]
    await commits.execute(INSERT, ("next", 1))
    assert names(file) == ["l", "next", "s"]


async def test_a_database_is_disposed_of_after_what_was_begun(db: Database, commits: GroupCommit, file: Path) -> None:
    write = asyncio.create_task(commits.execute(INSERT, ("begun", 1)))
    await asyncio.sleep(0)
    await db.dispose()
    await write
    assert names(file) == ["begun"]
