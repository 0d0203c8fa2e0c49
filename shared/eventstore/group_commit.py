"""Writes to one file of SQLite that arrive while it commits share the next commit.

A commit waits for the disk, and SQLite has one writer at a time: sixteen commits one by one cost sixteen waits, and
the time in which connections poll for each other's lock (`make bench`, "append, SQLite").
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from shared.db import Database, translated

T = TypeVar("T")


class _Write(NamedTuple):
    statement: str
    values: Sequence[Any]
    committed: asyncio.Future[None]


class GroupCommit:
    """One transaction at a time, for all who wait."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: list[_Write] = []
        self._busy = False

    async def execute(self, statement: str, values: Sequence[Any]) -> None:
        """Return when the statement is committed. If it fails it changes nothing, whatever becomes of the others.

        A caller that is cancelled before its transaction begins has written nothing; later, its write is committed.

        Raises:
            sqlite3.IntegrityError: a constraint refuses this statement.
            DatabaseAway: this statement or the commit that it shares has failed.
        """
        write = _Write(statement, values, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if not self._busy:
            self._busy = True
            self._db.start(self._commit_while_any_waits())
        with translated():
            await write.committed

    async def _commit_while_any_waits(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                writes = [write for write in waiting if not write.committed.cancelled()]
                for write, error in zip(writes, await self._errors(writes), strict=True):
                    if write.committed.cancelled():
                        continue
                    if error is None:
                        write.committed.set_result(None)
                    else:
                        write.committed.set_exception(error)
        finally:
            self._busy = False

    async def _errors(self, writes: Sequence[_Write]) -> Sequence[Exception | None]:
        """What became of each write, in one turn of the connection's thread."""
        try:
            async with self._db.driver() as connection:
                return await _in_its_thread(connection, _transaction, writes)
        except Exception as error:  # noqa: BLE001 - each caller raises it
            return [error] * len(writes)


async def _in_its_thread(connection: Any, function: Callable[..., T], *given: Any) -> T:
    """Call a function with the connection that aiosqlite keeps; it has no public way to do so."""
    result: T = await connection._execute(function, connection._conn, *given)  # noqa: SLF001
    return result


def _transaction(connection: sqlite3.Connection, writes: Sequence[_Write]) -> list[Exception | None]:
    with connection:
        connection.execute("begin immediate")
        return [_error_of(connection, write) for write in writes]


def _error_of(connection: sqlite3.Connection, write: _Write) -> Exception | None:
    """Why a statement failed. SQLite undoes the statement alone, or it ends the transaction, and then for all.

    Source: sqlite.org, "Transactions", section "Response To Errors Within A Transaction".
    """
    try:
        connection.execute(write.statement, write.values)
    except Exception as error:
        if connection.in_transaction:
            return error
        raise
    return None
