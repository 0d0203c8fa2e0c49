"""Two kinds of connections for one kind of statement.

The live path writes through PostgreSQL's raw driver, which takes half the time that SQLAlchemy does for each of
the few statements of a transaction; what is rare (rebuild, replay) and SQLite go through SQLAlchemy.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database

Connection = Any  # SQLAlchemy's AsyncConnection, or asyncpg's own, which has no types


@asynccontextmanager
async def transaction(db: Database) -> AsyncIterator[Connection]:
    """The quickest transaction that the database offers."""
    if db.dialect == "sqlite":
        async with db.begin() as connection:
            yield connection
        return
    async with db.driver() as connection:
        try:
            async with connection.transaction():
                yield connection
        finally:
            if connection.is_in_transaction():  # cancelled twice: it must not go back to the pool like this
                connection.terminate()


@asynccontextmanager
async def reading(db: Database) -> AsyncIterator[Connection]:
    """The quickest connection for a single statement."""
    async with db.connect() if db.dialect == "sqlite" else db.driver() as connection:
        yield connection


def speaks_postgres(connection: Connection) -> bool:
    return not isinstance(connection, AsyncConnection) or connection.dialect.name == "postgresql"


async def execute(connection: Connection, sql: str, values: Any) -> Sequence[Any]:
    """Run a statement as the driver takes it. The answer is its rows, if it has any."""
    if isinstance(connection, AsyncConnection):
        done = await connection.exec_driver_sql(sql, values)
        return done.all() if done.returns_rows else []
    found: Sequence[Any] = await connection.fetch(sql, *values)
    return found
