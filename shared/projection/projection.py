"""A projection: the tables of a read model, the topics it follows, and a pure handler per kind of event."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table

from shared.kernel.events import Envelope, Event
from shared.projection.rows import Rows, Shape

Handler = Callable[[Rows, Any, Envelope], None]
H = TypeVar("H", bound=Handler)


class Projection:
    """Declared once per read model, at import.

    A row may come to life by any event, with any part of its columns: so each column beside the key can be NULL
    or has a default in the database. Foreign keys are refused: events of different streams arrive in any order.
    """

    def __init__(self, name: str, *, tables: Sequence[Table], topics: Sequence[str]) -> None:
        if not tables or not topics:
            raise TypeError(f"projection {name!r} needs at least one table and one topic")
        for table in tables:
            _refuse_what_cannot_be_projected_into(table)
        self.name = name
        self.tables = tuple(tables)
        self.topics = frozenset(topics)
        self.shapes = {table: Shape(table) for table in tables}
        self.handlers: dict[str, Handler] = {}

    def on(self, *kinds: type[Event]) -> Callable[[H], H]:
        """Register a handler `(rows, event, envelope) -> None` for these kinds of events.

        A handler is pure: it reads nothing but its arguments and says which rows change. An exception sets aside
        this event and the later ones of its subject, for this projection alone.
        """

        def register(handler: H) -> H:
            for kind in kinds:
                if kind.event_type in self.handlers:
                    raise TypeError(f"projection {self.name!r} has a handler for {kind.event_type!r} already")
                self.handlers[kind.event_type] = handler
            return handler

        return register

    def rows(self) -> Rows:
        return Rows(self.shapes)

    def __repr__(self) -> str:
        return f"Projection({self.name!r})"


def _refuse_what_cannot_be_projected_into(table: Table) -> None:
    if not table.primary_key.columns:
        raise TypeError(f"{table.name} needs a primary key: rows are found by it")
    if table.foreign_keys:
        raise TypeError(f"{table.name} has a foreign key, but rows of two tables arrive in any order")
    for column in table.columns:
        if not column.primary_key and not column.nullable and column.server_default is None:
            raise TypeError(f"{table.name}.{column.name} must be nullable or have a server_default: rows come in parts")
