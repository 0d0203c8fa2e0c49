"""Rows into tables, in as few statements as there are tables and sets of columns.

PostgreSQL takes a column at a time as one array (`unnest`), so a statement costs one round trip whatever the
number of rows; SQLite takes `executemany`. Values pass through the bind processors of their SQLAlchemy types, as
in any Core statement; only the compiling is left out.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy import Column
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

from shared.projection.connections import Connection, execute
from shared.projection.rows import Changes, Shape

Processor = Callable[[Any], Any]
MOST_PARTS = 12  # of one statement: a batch of few events has no more, and few different ones
_Shaped = tuple[Shape, tuple[str, ...], tuple[str, ...]]


class Statement(NamedTuple):
    """SQL and what is bound to it. `shaped` says of rows that are inserted which ones, None of others."""

    sql: str
    values: Any
    shaped: _Shaped | None = None


_Template = tuple[str, list[Processor | None]]


# What a database says of a value that does not fit. A missing table is not among it: that is our bug, and parking
# every participant would hide it.
_POISON = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,  # a value of a type that SQLite does not know
    sqlite3.ProgrammingError,  # the same, since Python 3.12
    OverflowError,
)


def is_poison(error: BaseException) -> bool:
    """Whether the database refused the values themselves, and would refuse them again."""
    return isinstance(cause(error), _POISON)


def cause(error: BaseException) -> BaseException:
    """The driver's own error, whose text quotes neither the statement nor its values."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return error
    return error.orig.__cause__ or error.orig


class BulkWriter:
    """Writes to the tables themselves, or to their namesakes with a suffix."""

    def __init__(self, dialect: Dialect, *, suffix: str = "") -> None:
        self._dialect = dialect
        self._arrays = dialect.name == "postgresql"
        self._suffix = suffix
        self._templates: dict[Any, _Template] = {}
        self._parts: dict[Any, str] = {}

    def statements(self, changes: Iterable[Changes]) -> list[Statement]:
        """The statements to run, in order, with everything bound. Pure: a value that fits no column fails here
        or in the database, never in between."""
        made: list[Statement] = []
        for one in changes:
            for names, keys in one.deletes.items():
                made.append(self._bound(self._delete(one.shape, names), keys))
            for (inserted, changed), rows in _by_columns(one).items():
                bound = self._bound(self._insert(one.shape, inserted, changed), rows)
                made.append(bound._replace(shaped=(one.shape, inserted, changed)))
        return made

    def parts(self, statements: Sequence[Statement], first: int) -> tuple[list[str], list[Any]] | None:
        """The same as parts of one statement of PostgreSQL's, whose parameters begin at number `first`, and what is
        bound to them. They write nothing unless its part `agreed` is `entirely`.

        None where something is deleted, which has to come before what is inserted, or where there are too many.
        """
        if not self._arrays or len(statements) > MOST_PARTS:
            return None
        parts: list[str] = []
        values: list[Any] = []
        for one in statements:
            if one.shaped is None:
                return None
            parts.append(self._part(*one.shaped, first + len(values)))
            values += one.values
        return parts, values

    async def run(self, connection: Connection, statements: Iterable[Statement]) -> None:
        for one in statements:
            await execute(connection, one.sql, one.values)

    def _bound(self, template: _Template, rows: Iterable[Sequence[Any]]) -> Statement:
        sql, processors = template
        columns = [
            column if processor is None else [processor(value) for value in column]
            for processor, column in zip(processors, map(list, zip(*rows, strict=True)), strict=True)
        ]
        return Statement(sql, tuple(columns) if self._arrays else list(zip(*columns, strict=True)))

    def _insert(self, shape: Shape, inserted: tuple[str, ...], changed: tuple[str, ...]) -> _Template:
        known = self._templates.get((shape, inserted, changed))
        if known is None:
            columns = self._columns(shape, inserted)
            source = f"select * from {self._unnest(columns)}" if self._arrays else f"values ({_marks(columns)})"
            sql = self._upsert(shape, columns, changed, source)
            known = self._templates[shape, inserted, changed] = sql, self._processors(columns)
        return known

    def _part(self, shape: Shape, inserted: tuple[str, ...], changed: tuple[str, ...], first: int) -> str:
        known = self._parts.get((shape, inserted, changed, first))
        if known is None:
            columns = self._columns(shape, inserted)
            source = f"select n.* from {self._unnest(columns, first)} as n, agreed where entirely"
            known = self._parts[shape, inserted, changed, first] = self._upsert(shape, columns, changed, source)
        return known

    def _columns(self, shape: Shape, inserted: tuple[str, ...]) -> list[Column[Any]]:
        return [shape.table.columns[name] for name in (*shape.key, *inserted)]

    def _upsert(self, shape: Shape, columns: Sequence[Column[Any]], changed: tuple[str, ...], source: str) -> str:
        key = ", ".join(map(self._quoted, shape.key))
        sets = ", ".join(f"{self._quoted(name)} = excluded.{self._quoted(name)}" for name in changed)
        return (
            f"insert into {self._table(shape)} ({', '.join(self._quoted(column.name) for column in columns)}) "
            f"{source} on conflict ({key}) do {f'update set {sets}' if sets else 'nothing'}"
        )

    def _delete(self, shape: Shape, names: tuple[str, ...]) -> _Template:
        known = self._templates.get((shape, names))
        if known is None:
            columns = [shape.table.columns[name] for name in names]
            table = self._table(shape)
            if self._arrays:
                given = ", ".join(f"k{number}" for number in range(len(names)))
                same = " and ".join(f"t.{self._quoted(name)} = given.k{i}" for i, name in enumerate(names))
                sql = f"delete from {table} t using {self._unnest(columns)} as given ({given}) where {same}"
            else:
                same = " and ".join(f"{self._quoted(name)} = ?" for name in names)
                sql = f"delete from {table} where {same}"
            known = self._templates[shape, names] = sql, self._processors(columns)
        return known

    def _unnest(self, columns: Sequence[Column[Any]], first: int = 1) -> str:
        types = (column.type.compile(dialect=self._dialect) for column in columns)
        return f"unnest({', '.join(f'${number}::{name}[]' for number, name in enumerate(types, start=first))})"

    def _processors(self, columns: Sequence[Column[Any]]) -> list[Processor | None]:
        return [column.type.dialect_impl(self._dialect).bind_processor(self._dialect) for column in columns]

    def _table(self, shape: Shape) -> str:
        return self._quoted(shape.name + self._suffix)

    def _quoted(self, name: str) -> str:
        return self._dialect.identifier_preparer.quote(name)


def _marks(columns: Sequence[Column[Any]]) -> str:
    return ", ".join("?" * len(columns))


def _by_columns(changes: Changes) -> dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[Any, ...]]]:
    """The rows, grouped by which columns they bring and which of these change a row that is there."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[Any, ...]]] = {}
    ordered: dict[tuple[str, ...], tuple[str, ...]] = {}
    for key, (values, changing) in changes.rows.items():
        named = tuple(values)
        inserted = ordered.get(named)
        if inserted is None:
            inserted = ordered[named] = tuple(sorted(named))
        changed = inserted if changing is values else tuple(sorted(changing or ()))
        brought = values.values() if named == inserted else [values[name] for name in inserted]
        groups.setdefault((inserted, changed), []).append((*key, *brought))
    return groups
