"""What handlers say of rows, gathered and merged per key until a whole batch is written at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table

Values = dict[str, Any]


class Shape:
    """What the runtime has to know of a table: its name, its key, its other columns."""

    __slots__ = ("columns", "key", "keys", "name", "required", "table")

    def __init__(self, table: Table, key: Sequence[str] | None = None) -> None:
        self.table = table
        self.name = table.name
        self.key = tuple(key or (column.name for column in table.primary_key))
        self.keys = frozenset(self.key)
        self.columns = frozenset(column.name for column in table.columns) - self.keys
        self.required = frozenset(column.name for column in table.columns if not column.nullable) - self.keys


class Changes:
    """What becomes of one table. Deletes come first, for a row that was there before; rows after them.

    A row is a pair: all the values it is inserted with, and those that change where it exists already (the very
    same mapping for an upsert, None where nothing changes).
    """

    __slots__ = ("deletes", "rows", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.rows: dict[tuple[Any, ...], tuple[Values, Values | None]] = {}
        self.deletes: dict[tuple[str, ...], dict[tuple[Any, ...], None]] = {}

    def upsert(self, key: tuple[Any, ...], columns: Values) -> None:
        known = self.rows.get(key)
        if known is None:
            self.rows[key] = (columns, columns)
            return
        values, changing = known
        values.update(columns)
        if changing is None:
            self.rows[key] = (values, dict(columns))
        elif changing is not values:
            changing.update(columns)

    def insert_once(self, key: tuple[Any, ...], columns: Values) -> None:
        if key not in self.rows:
            self.rows[key] = (columns, None)

    def delete(self, key: Values) -> None:
        names = tuple(name for name in self.shape.key if name in key)
        values = tuple(key[name] for name in names)
        if names == self.shape.key:
            self.rows.pop(values, None)
        else:
            places = [self.shape.key.index(name) for name in names]
            doomed = [row for row in self.rows if tuple(row[place] for place in places) == values]
            for row in doomed:
                del self.rows[row]
        self.deletes.setdefault(names, {})[values] = None


class Rows:
    """How a handler changes read models. Nothing is read: a handler knows its event alone.

    What one handler said counts only after it has returned (`keep`); an exception leaves no half of it (`forget`).
    """

    __slots__ = ("_changes", "_said", "_shapes")

    def __init__(self, shapes: Mapping[Table, Shape]) -> None:
        self._shapes = shapes
        self._changes: dict[Table, Changes] = {}
        self._said: list[tuple[Any, Any, Values]] = []

    def upsert(self, table: Table, key: Mapping[str, Any], /, **columns: Any) -> None:
        """Set these columns of this row, which is inserted if it is not there."""
        changes = self._of(table)
        self._said.append((changes.upsert, _whole(changes.shape, key), _known(changes.shape, columns)))

    def insert_once(self, table: Table, key: Mapping[str, Any], /, **columns: Any) -> None:
        """Insert this row; nothing happens if it is there."""
        changes = self._of(table)
        self._said.append((changes.insert_once, _whole(changes.shape, key), _known(changes.shape, columns)))

    def delete(self, table: Table, key: Mapping[str, Any], /) -> None:
        """Delete this row, or, by a part of the key, every row that has it."""
        changes = self._of(table)
        if not key or not key.keys() <= changes.shape.keys:
            raise TypeError(f"{table.name} is deleted from by its key {changes.shape.key}, or by a part of it")
        self._said.append((Changes.delete, changes, dict(key)))

    def keep(self) -> None:
        for change, subject, values in self._said:
            change(subject, values)
        self._said.clear()

    def forget(self) -> None:
        self._said.clear()

    def changes(self) -> list[Changes]:
        """Everything that was kept, one entry per table."""
        return [changes for changes in self._changes.values() if changes.rows or changes.deletes]

    def _of(self, table: Table) -> Changes:
        changes = self._changes.get(table)
        if changes is None:
            if table not in self._shapes:
                raise TypeError(f"{table.name} is not among this projection's tables")
            changes = self._changes[table] = Changes(self._shapes[table])
        return changes


def _whole(shape: Shape, key: Mapping[str, Any]) -> tuple[Any, ...]:
    if key.keys() != shape.keys:
        raise TypeError(f"the key of {shape.name} is {shape.key}, not {tuple(key)}")
    return tuple([key[name] for name in shape.key])


def _known(shape: Shape, columns: Values) -> Values:
    if not columns.keys() <= shape.columns:
        unknown = sorted(columns.keys() - shape.columns)
        raise TypeError(f"{shape.name} has no column {', '.join(unknown)} outside its key")
    # Asked here, for the database asks too late: a later event of the same batch may have put a value in its place.
    for name in shape.required:
        if name in columns and columns[name] is None:
            raise TypeError(f"{shape.name}.{name} cannot be None")
    return columns
