"""Rows of a service's own memory, written or changed in one statement, alike on PostgreSQL and on SQLite."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from shared.db import Database

_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def insert(db: Database, table: Table) -> Any:
    """An insert in the database's dialect, which can say what becomes of a row that is there (`on_conflict_...`)."""
    return _INSERTS[db.dialect](table)


def upsert(
    db: Database,
    table: Table,
    key: Mapping[str, Any],
    columns: Mapping[str, Any],
    *,
    first: Mapping[str, Any] | None = None,
) -> Any:
    """The row of a key with these columns, whether or not it is there. `first`: what a new row has beside them."""
    row = insert(db, table).values(**{**(first or {}), **columns}, **key)
    return row.on_conflict_do_update(index_elements=list(key), set_=dict(columns))
