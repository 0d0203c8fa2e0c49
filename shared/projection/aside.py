"""Tables beside the tables: made like them, filled while they serve, and put in their place in one transaction.

The copies are made from what the database itself says of the originals, so whatever migrations made of these
(names of indexes, defaults, comments) is there again after the swap. On PostgreSQL, rights that were granted on
a single table are not copied: grant them by default privileges.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SUFFIX = "__rebuild"

_INDEXES = text(
    """select c.relname as name, i.indisprimary::int as is_primary, i.indisunique::int as is_unique,
              split_part(pg_get_indexdef(i.indexrelid), ' USING ', 2) as definition
       from pg_index i join pg_class c on c.oid = i.indexrelid
       where i.indrelid = to_regclass(:table) order by 2, 3, 4, 1"""
)
_COMMENT = text("select quote_literal(obj_description(to_regclass(:table), 'pg_class'))")
_SQLITE_TABLE = text("select sql from sqlite_master where type = 'table' and name = :table")
_SQLITE_INDEXES = text("select sql from sqlite_master where type = 'index' and tbl_name = :table and sql is not null")


async def create(connection: AsyncConnection, tables: Sequence[str]) -> None:
    """Make empty copies, in place of any that an interrupted rebuild has left."""
    for table in tables:
        await _run(connection, f"drop table if exists {_quoted(connection, table + SUFFIX)}")
        if connection.dialect.name == "postgresql":
            await _create_postgres(connection, table)
        else:
            await _create_sqlite(connection, table)


async def swap(connection: AsyncConnection, tables: Sequence[str]) -> None:
    """Put the copies in the places of the originals, under their names."""
    for table in tables:
        if connection.dialect.name == "postgresql":
            await _swap_postgres(connection, table)
        else:
            await _swap_sqlite(connection, table)


async def _create_postgres(connection: AsyncConnection, table: str) -> None:
    original, copy = _quoted(connection, table), _quoted(connection, table + SUFFIX)
    await _run(connection, f"create table {copy} (like {original} including all)")
    comment = await connection.scalar(_COMMENT, {"table": original})
    if comment is not None:
        await _run(connection, f"comment on table {copy} is {comment}")


async def _swap_postgres(connection: AsyncConnection, table: str) -> None:
    original, copy = _quoted(connection, table), _quoted(connection, table + SUFFIX)
    ours = (await connection.execute(_INDEXES, {"table": copy})).all()
    theirs = (await connection.execute(_INDEXES, {"table": original})).all()
    await _run(connection, f"drop table {original}")
    await _run(connection, f"alter table {copy} rename to {original}")
    # Renaming the index of a constraint renames the constraint.
    for mine, old in zip(ours, theirs, strict=True):
        await _run(
            connection, f"alter index {_quoted(connection, mine.name)} rename to {_quoted(connection, old.name)}"
        )


async def _create_sqlite(connection: AsyncConnection, table: str) -> None:
    made = await connection.scalar(_SQLITE_TABLE, {"table": table})
    copy = _quoted(connection, table + SUFFIX)
    await _run(connection, re.sub(r"^create table\s+\S+\s*\(", f"create table {copy} (", made, flags=re.IGNORECASE))


async def _swap_sqlite(connection: AsyncConnection, table: str) -> None:
    indexes = list(await connection.scalars(_SQLITE_INDEXES, {"table": table}))
    original, copy = _quoted(connection, table), _quoted(connection, table + SUFFIX)
    await _run(connection, f"drop table {original}")
    await _run(connection, f"alter table {copy} rename to {original}")
    for made in indexes:
        await _run(connection, made)


async def _run(connection: AsyncConnection, statement: str) -> Any:
    return await connection.exec_driver_sql(statement)


def _quoted(connection: AsyncConnection, name: str) -> str:
    return str(connection.dialect.identifier_preparer.quote_identifier(name))
