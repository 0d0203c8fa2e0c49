"""A pool of the raw driver's own connections to PostgreSQL.

asyncpg's pool makes a proxy, a timeout and a task at each turn, which cost as much as the statement (`make bench`,
"POST adverse event"). Here a connection that is free costs nothing, and who must wait is served in order.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any


class DriverPool:
    """At most `size` connections, each made when it is first needed and lent to one at a time."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int, *, patience: float) -> None:
        self._connect, self._size, self._patience = connect, size, patience
        self._free: list[Any] = []
        self._lent = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = False

    async def take(self) -> Any:
        """A connection that is open, for `give_back`.

        Raises:
            TimeoutError: none came free within `patience` seconds.
            OSError, asyncpg.PostgresError: a new one could not be made.
        """
        if self._lent < self._size:
            self._lent += 1
        else:
            await self._turn()
        try:
            while self._free:
                connection = self._free.pop()
                if not connection.is_closed():
                    return connection
            return await self._connect()
        except BaseException:
            self._pass_on()
            raise

    def give_back(self, connection: Any, *, sound: bool) -> None:
        """One that is not sound, as after a statement that was broken off, is closed."""
        if sound and not self._closed:
            self._free.append(connection)
        else:
            connection.terminate()
        self._pass_on()

    def close(self) -> None:
        """Close those that are free; the others when they come back."""
        self._closed = True
        while self._free:
            self._free.pop().terminate()

    async def _turn(self) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(self._patience):
                await waiting
        except BaseException:
            if waiting.done() and not waiting.cancelled():
                self._pass_on()  # the turn came at the moment in which its taker gave up
            raise

    def _pass_on(self) -> None:
        """Let the next one have the turn that has ended."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return
        self._lent -= 1
