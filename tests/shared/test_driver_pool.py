"""The pool of the raw driver's connections: so many and no more, in order, and none that is broken."""

import asyncio
from contextlib import nullcontext
from typing import Any

import asyncpg
import pytest

from shared.db import DatabaseAway, open_database
from shared.driver_pool import DriverPool


class Connection:
    def __init__(self, number: int) -> None:
        self.number, self.closed = number, False

    def is_closed(self) -> bool:
        return self.closed

    def terminate(self) -> None:
        self.closed = True


class Server:
    """Counts what it is asked for; `away` refuses."""

    def __init__(self) -> None:
        self.made, self.away = 0, False

    async def connect(self) -> Connection:
        await asyncio.sleep(0)
        if self.away:
            raise ConnectionRefusedError
        self.made += 1
        return Connection(self.made)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def pool(server: Server) -> DriverPool:
    return DriverPool(server.connect, 2, patience=0.05)


async def test_a_connection_is_made_when_it_is_needed_and_used_again(pool: DriverPool, server: Server) -> None:
    first = await pool.take()
    pool.give_back(first, sound=True)
    assert await pool.take() is first
    assert server.made == 1


async def test_there_are_so_many_and_no_more(pool: DriverPool, server: Server) -> None:
    await pool.take()
    await pool.take()
    with pytest.raises(TimeoutError):
        await pool.take()
    assert server.made == 2


async def test_who_waits_is_served_in_order(pool: DriverPool) -> None:
    lent = [await pool.take(), await pool.take()]
    served: list[int] = []

    async def wait(number: int) -> None:
        connection = await pool.take()
        served.append(number)
        pool.give_back(connection, sound=True)

    waiting = [asyncio.create_task(wait(number)) for number in range(4)]
    await asyncio.sleep(0)
    pool.give_back(lent.pop(), sound=True)
    await asyncio.gather(*waiting)
    assert served == [0, 1, 2, 3]


async def test_one_that_was_closed_meanwhile_is_given_to_nobody(pool: DriverPool, server: Server) -> None:
    dead = await pool.take()
    pool.give_back(dead, sound=True)
    dead.terminate()
    assert (await pool.take()).number == 2
    assert server.made == 2


async def test_one_that_is_not_sound_is_closed(pool: DriverPool) -> None:
    broken = await pool.take()
    pool.give_back(broken, sound=False)
    assert broken.closed
    assert await pool.take() is not broken


async def test_a_server_that_is_away_takes_no_place(pool: DriverPool, server: Server) -> None:
    server.away = True
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await pool.take()
    server.away = False
    assert [(await pool.take()).number, (await pool.take()).number] == [1, 2]


async def test_who_gives_up_takes_no_place(pool: DriverPool) -> None:
    lent = [await pool.take(), await pool.take()]
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    waiting.cancel()
    pool.give_back(lent.pop(), sound=True)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await pool.take()


async def test_who_gives_up_as_the_turn_comes_passes_it_on(pool: DriverPool) -> None:
    lent = [await pool.take(), await pool.take()]
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.give_back(lent.pop(), sound=True)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await pool.take()


async def test_a_closed_pool_closes_what_comes_back(pool: DriverPool) -> None:
    free, lent = await pool.take(), await pool.take()
    pool.give_back(free, sound=True)
    pool.close()
    pool.give_back(lent, sound=True)
    assert free.closed
    assert lent.closed


@pytest.mark.parametrize(
    ("statement", "raised", "kept"),
    [
        ("select 1", None, True),
        ("select 1/0", asyncpg.DivisionByZeroError, True),
        ("begin", None, False),
        ("set statement_timeout to 20; select pg_sleep(9)", DatabaseAway, False),
    ],
)
async def test_a_statement_that_fails_leaves_its_connection_sound_unless_it_was_broken_off(
    postgres_url: str, statement: str, raised: type[Exception] | None, kept: bool
) -> None:
    db = open_database(postgres_url, "public", pool_size=1)
    before = await _server_process(db)
    with nullcontext() if raised is None else pytest.raises(raised):
        async with db.driver() as connection:
            await connection.execute(statement)
    assert (await _server_process(db) == before) is kept
    await db.dispose()


async def test_a_caller_who_leaves_within_a_statement_takes_its_connection_along(postgres_url: str) -> None:
    db = open_database(postgres_url, "public", pool_size=1)
    before = await _server_process(db)

    async def sleep() -> None:
        async with db.driver() as connection:
            await connection.execute("select pg_sleep(9)")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sleep(), 0.1)
    assert await _server_process(db) != before
    await db.dispose()


async def _server_process(db: Any) -> int:
    async with db.driver() as connection:
        found: int = await connection.fetchval("select pg_backend_pid()")
    return found
