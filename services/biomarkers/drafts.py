"""Results decided on one after the other and appended together: all of them, or none.

A hundred results cost one look into the store and one commit. Each is decided on what those before it in the draft
have left, so two results of one specimen make it analysed one after the other.
"""

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import select

from services.biomarkers.domain.facts import Facts
from services.biomarkers.tables import events
from shared.db import Database
from shared.eventstore.store import EventStore, Write
from shared.kernel.decider import Decider
from shared.kernel.events import decode

MOST_AT_ONCE = 2000  # events in one statement: of 15 values each, and databases take 32,766 of them
_AT_ONCE = 400
S = TypeVar("S")


class Streams(Protocol):
    """Where the state of an aggregate is read: the store, or a draft of what it will hold."""

    async def load(self, decider: Decider[Any, S, Any, Any], id: object) -> tuple[S, int]: ...  # noqa: A002


class Draft:
    """Streams as they will be once what was decided is appended. `facts` are those of each participant.

    `elsewhere`: participants at a site that the actor does not see, of whom results may be recorded all the same.
    """

    def __init__(self, db: Database, store: EventStore, *, elsewhere: Collection[UUID] = ()) -> None:
        self._db = db
        self.elsewhere = elsewhere
        self._store = store
        self._events: dict[str, list[Any]] = {}
        self._states: dict[str, Any] = {}
        self._writes: list[Write] = []
        self.facts: dict[UUID, Facts] = {}

    async def read_ahead(self, streams: Iterable[str]) -> None:
        """Read many streams with few questions."""
        named = sorted(streams)
        self._events |= {stream: [] for stream in named}
        columns = (events.c.stream, events.c.type, events.c.schema_version, events.c.data)
        async with self._db.connect() as connection:
            for start in range(0, len(named), _AT_ONCE):
                chosen = events.c.stream.in_(named[start : start + _AT_ONCE])
                query = select(*columns).where(chosen).order_by(events.c.stream, events.c.version)
                for stream, rows in groupby((await connection.execute(query)).all(), key=lambda row: row.stream):
                    self._events[stream] = [decode(row.type, row.schema_version, row.data) for row in rows]

    async def events(self, stream: str) -> list[Any]:
        """All that happened in a stream, and is going to."""
        if stream not in self._events:
            self._events[stream] = await self._store.read(stream)
        return self._events[stream]

    async def load(self, decider: Decider[Any, S, Any, Any], id: object) -> tuple[S, int]:  # noqa: A002
        stream = decider.stream(id)
        happened = await self.events(stream)
        if stream not in self._states:
            self._states[stream] = decider.fold(happened)
        return self._states[stream], len(happened)

    async def add(self, *writes: Write) -> None:
        for each in writes:
            self._events[each.stream] = [*await self.events(each.stream), *each.events]
            self._states.pop(each.stream, None)
        self._writes += writes

    async def append(self, *, most_at_once: int = MOST_AT_ONCE) -> None:
        """Raises `StaleVersion` where somebody wrote to one of the streams since it was read."""
        if sum(len(each.events) for each in self._writes) <= most_at_once:
            if self._writes:
                await self._store.append(*self._writes)
            return
        async with self._store.transaction() as connection:
            for start in range(0, len(self._writes), _AT_ONCE):
                await self._store.append_within(connection, *self._writes[start : start + _AT_ONCE])
