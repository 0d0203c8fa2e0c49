"""One database of one service: PostgreSQL through asyncpg, or a file of SQLite through aiosqlite.

Tables name no schema. On PostgreSQL the search path is the service's own schema, under its own role; on SQLite
every service has its own file. Reading is autocommitted; `begin()` is a transaction. When the database is
away, both raise `DatabaseAway`, which becomes a 503.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
from sqlalchemy import JSON, BigInteger, Boolean, Date, DateTime, Integer, Numeric, Select, String, Text, Uuid, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, MultipleResultsFound, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator

from shared.driver_pool import DriverPool
from shared.kernel.errors import Unavailable

SQLITE_BUSY_SECONDS = 10
IDLE_TRANSACTION_LIMIT = "30s"  # one forgotten transaction would hold back vacuum and every reader that waits
STATEMENT_LIMIT = "30s"
POOL_SECONDS = 5  # a request that waits longer for a connection is answered 503
# Our own options of a connection to SQLite: how it begins. "AUTOCOMMIT" would ask the driver twice more each time.
ALONE, SNAPSHOT = "statements_stand_alone", "reads_one_snapshot"

# SQLite makes an ever-growing key of the exact type INTEGER alone.
Position = BigInteger().with_variant(Integer(), "sqlite")

# JSON-ready values; None is SQL's NULL, not JSON's.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class DatabaseAway(Unavailable):
    """The database cannot be reached, or its answer was lost: whether a change was made shows when it is sent again."""


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal that comes back digit for digit: NUMERIC on PostgreSQL, text on SQLite (which has floats only)."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return format(Decimal(value), "f") if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


class Instant(TypeDecorator[datetime]):
    """An aware instant, in UTC both ways: TIMESTAMPTZ on PostgreSQL, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant carries its offset")
        return instant_text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


def instant_text(value: datetime) -> str:
    """An instant as text whose order is the order of time."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


class Database:
    """The engine of one service's database, with errors translated once for everybody."""

    def __init__(self, engine: AsyncEngine, schema: str, *, pool: DriverPool | None = None) -> None:
        self._pool = pool
        self._tasks: set[asyncio.Task[None]] = set()
        self.engine = engine
        self.schema = schema
        self.dialect = engine.dialect.name
        on_sqlite = self.dialect == "sqlite"
        self._reading = engine.execution_options(**{ALONE: True} if on_sqlite else {"isolation_level": "AUTOCOMMIT"})
        self._snapshot = engine.execution_options(
            **{SNAPSHOT: True} if on_sqlite else {"isolation_level": "REPEATABLE READ"}, postgresql_readonly=True
        )

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading: every statement stands alone, so no transaction is left open."""
        with translated():
            async with self._reading.connect() as connection:
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading: all its statements see the database as it was at the first of them."""
        with translated():
            async with self._snapshot.connect() as connection:
                yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back if the block raises."""
        with translated():
            async with self.engine.begin() as connection:
                yield connection

    def driver(self) -> AbstractAsyncContextManager[Any]:
        """The raw driver's connection, in autocommit. For `eventstore` and bulk writes alone.

        On PostgreSQL it comes from a pool of its own: SQLAlchemy's asks for a greenlet at each turn, which costs as
        much as the statement (`make bench`, "append").
        """
        return self._driver_below() if self._pool is None else _Lent(self._pool)

    @asynccontextmanager
    async def _driver_below(self) -> AsyncIterator[Any]:
        with translated():
            async with self._reading.connect() as connection:
                raw = await connection.get_raw_connection()
                yield raw.driver_connection

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Work beside the requests that ends by itself, soon; `dispose` waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def dispose(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.engine.dispose()
        if self._pool is not None:
            self._pool.close()


class _Lent:
    """A connection of the pool, for the length of a block."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: DriverPool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Any:
        with translated():
            self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        connection = self._connection
        broken_off = error is not None and (not isinstance(error, Exception) or is_away(error))
        self._pool.give_back(connection, sound=not broken_off and not connection.is_in_transaction())
        say_if_away(error)


class Lookup:
    """A question that a command asks each time, compiled once: the one row that its parameters name, or None.

    On PostgreSQL it runs on the raw driver's connection: through SQLAlchemy it costs as much as the rest of the
    command (`make bench`, "POST adverse event"). So its columns are of types that both drivers give back alike.

        _BY_ID = Lookup(select(participants).where(participants.c.participant_id == bindparam("id")))
        row = await _BY_ID.one(db, id=str(participant_id))
    """

    _PLAIN = (Text, String, Integer, Boolean, Date, Uuid, Instant, ExactDecimal)

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._names = list(statement.selected_columns.keys())
        for column in statement.selected_columns:
            if not isinstance(column.type, self._PLAIN):
                raise TypeError(f"{column} is of a type that the raw driver does not give back as SQLAlchemy does")
        compiled = statement.compile(dialect=asyncpg_dialect())  # type: ignore[no-untyped-call]
        self._sql, self._order = str(compiled), tuple(compiled.positiontup or ())
        self._fixed = compiled.params  # values that stand in the statement itself

    async def one(self, db: Database, **parameters: Any) -> Any | None:
        """The row, with its columns as attributes. Raises if there are several."""
        if db.dialect == "sqlite":
            async with db.connect() as connection:
                return (await connection.execute(self._statement, parameters)).one_or_none()
        values = {**self._fixed, **parameters}
        async with db.driver() as connection:
            found = await connection.fetch(self._sql, *[values[name] for name in self._order])
        if len(found) > 1:
            raise MultipleResultsFound("a lookup names one row")
        return SimpleNamespace(**dict(zip(self._names, found[0], strict=True))) if found else None


class translated:  # noqa: N801 - reads as a statement: `with translated():`
    """Turn the many ways in which a database can be away into `DatabaseAway`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        say_if_away(error)


def say_if_away(error: BaseException | None) -> None:
    if error is not None and is_away(error):
        raise DatabaseAway(
            "the database did not answer; send the same request again, a change with the same id or Idempotency-Key"
        ) from error


_AWAY = (
    ConnectionError,
    OSError,
    PoolTimeout,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.InterfaceError,
    asyncpg.OperatorInterventionError,  # shutting down, terminated by an administrator
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.exceptions.InternalClientError,  # asked while the connection was breaking off
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, or saved from a full disk by an operator
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


def is_away(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return True
        cause = error.orig.__cause__ if error.orig is not None else None
        if isinstance(cause, _AWAY) or (isinstance(error, OperationalError) and _sqlite_is_away(error.orig)):
            return True
    if isinstance(error, OSError) and error.filename is not None:
        return False  # about a file, not about the way to the database
    return isinstance(error, _AWAY) or _sqlite_is_away(error)


def _sqlite_is_away(error: BaseException | None) -> bool:
    """Locked beyond the busy timeout, full, or unreadable; a missing table or column is our own bug."""
    if not isinstance(error, sqlite3.OperationalError):
        return False
    return not str(error).startswith(("no such", "near ", "incomplete input"))


def open_database(url: str, schema: str, *, pool_size: int = 8) -> Database:
    """Open a service's database. No connection is made before the first use.

    `url` is SQLAlchemy's: `postgresql+asyncpg://role:password@host/name` or `sqlite+aiosqlite:///path`.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite_engine(url, parsed.database), schema)
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_recycle=1800,
        pool_reset_on_return="rollback",
        connect_args=_connect_options(schema),
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    options = _connect_options(schema)
    pool = DriverPool(lambda: asyncpg.connect(dsn, **options), pool_size, patience=POOL_SECONDS)
    return Database(engine, schema, pool=pool)


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """After an outage every connection of the pool is dead; the first of them to be taken makes way for new ones."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("the server has closed this connection")


def _connect_options(schema: str) -> dict[str, Any]:
    """How asyncpg connects, in both pools."""
    settings = {
        "search_path": schema,
        "timezone": "UTC",
        "application_name": f"cmd03-{schema}",
        "idle_in_transaction_session_timeout": IDLE_TRANSACTION_LIMIT,
        "statement_timeout": STATEMENT_LIMIT,
    }
    return {"timeout": 5, "command_timeout": 60, "server_settings": settings}


def _sqlite_engine(url: str, path: str | None) -> AsyncEngine:
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, connect_args={"timeout": SQLITE_BUSY_SECONDS})

    @event.listens_for(engine.sync_engine, "connect")
    def _(connection: Any, _record: object) -> None:
        # Write-ahead log: readers and the writer do not block each other. FULL: a commit that was
        # answered survives a power cut.
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        # The driver's own transactions begin late and upgrade from read to write, which SQLite may refuse at
        # once with "database is locked": ours begin in the hook below.
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def _(connection: Any) -> None:
        options = connection.get_execution_options()
        if ALONE not in options:
            connection.exec_driver_sql("BEGIN" if SNAPSHOT in options else "BEGIN IMMEDIATE")

    return engine
