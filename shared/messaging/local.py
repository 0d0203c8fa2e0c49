"""The bus as one file of SQLite, for the whole trial in one process.

It keeps what Kafka keeps: the same messages (key, headers, value), partitions by key, offsets that rise, and
acknowledgement when the message is safe on disk. Topics exist by being used. Subscribers in this process
are woken by each publication; those of another process look twice a second.
"""

import asyncio
import json
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

from shared.kernel.events import Envelope
from shared.messaging import cloudevents
from shared.messaging.bus import BusUnavailable, Delivery, Position, PublishFailed, Subscription

T = TypeVar("T")

LOOK_SECONDS = 0.5
BUSY_SECONDS = 10

_TABLE = """create table if not exists messages (
    topic text not null, partition integer not null, "offset" integer not null,
    key blob, headers text not null, value blob,
    primary key (topic, partition, "offset")) without rowid"""
_END = 'select coalesce(max("offset") + 1, 0) from messages where topic = ? and partition = ?'
_INSERT = "insert into messages values (?, ?, ?, ?, ?, ?)"
_READ = """select "offset", key, headers, value from messages
    where topic = ? and partition = ? and "offset" >= ? order by "offset" limit ?"""


class LocalBus:
    """A log of messages in the file at `path`, which is made if it is not there."""

    def __init__(self, path: Path, *, partitions: int = 1, look_seconds: float = LOOK_SECONDS) -> None:
        self._file = _File(path)
        self._partitions = partitions
        self._look_seconds = look_seconds
        self._readers: set[LocalSubscription] = set()

    async def publish(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        try:
            await self._file.run(self._append, topic, envelopes)
        except BusUnavailable as error:
            raise PublishFailed(f"{topic}: {error}") from error
        for reader in self._readers:
            reader.wake()

    def subscribe(self, topics: Sequence[str], start: Mapping[Position, int]) -> Subscription:
        places = {(topic, number): 0 for topic in topics for number in range(self._partitions)}
        reader = LocalSubscription(self._file, {**places, **start}, self._look_seconds, self._readers.discard)
        self._readers.add(reader)
        return reader

    async def partitions(self, topic: str) -> Sequence[int]:  # noqa: ARG002 - every topic has as many
        return range(self._partitions)

    async def end_offsets(self, topics: Sequence[str]) -> Mapping[Position, int]:
        places = [(topic, number) for topic in topics for number in range(self._partitions)]
        return await self._file.run(lambda db: {place: _end(db, place) for place in places})

    async def close(self) -> None:
        await self._file.close()

    def _append(self, db: sqlite3.Connection, topic: str, envelopes: Sequence[Envelope]) -> None:
        with db:
            db.execute("begin immediate")
            ends: dict[int, int] = {}
            for envelope in envelopes:
                key, headers, value = cloudevents.encode(envelope)
                number = crc32(key) % self._partitions
                offset = ends[number] if number in ends else _end(db, (topic, number))
                ends[number] = offset + 1
                written = json.dumps([(name, content.decode()) for name, content in headers])
                db.execute(_INSERT, (topic, number, offset, key, written, value))


class LocalSubscription:
    """A reader of the file: its next offset in each partition."""

    def __init__(
        self,
        file: "_File",
        next_offsets: dict[Position, int],
        look_seconds: float,
        on_close: Callable[["LocalSubscription"], None],
    ) -> None:
        self._file = file
        self._next = next_offsets
        self._look_seconds = look_seconds
        self._on_close = on_close
        self._news = asyncio.Event()
        self._read: deque[Delivery] = deque()

    def wake(self) -> None:
        self._news.set()

    async def poll(self, timeout: float, limit: int) -> list[Delivery]:  # noqa: ASYNC109 - a wait, not an abort
        now = asyncio.get_running_loop().time
        give_up = now() + timeout
        while True:
            self._news.clear()
            await self._file.run(self._fetch, limit)
            if self._read:
                return [self._read.popleft() for _ in range(min(limit, len(self._read)))]
            left = give_up - now()
            if left <= 0:
                return []
            try:
                await asyncio.wait_for(self._news.wait(), min(left, self._look_seconds))
            except TimeoutError:
                continue

    async def close(self) -> None:
        self._on_close(self)

    def _fetch(self, db: sqlite3.Connection, limit: int) -> None:
        if self._read:  # left behind by a poll that was cancelled
            return
        for topic, number in list(self._next):
            rows = db.execute(_READ, (topic, number, self._next[topic, number], limit - len(self._read))).fetchall()
            self._read.extend(_delivery(topic, number, row) for row in rows)
            if rows:
                # To the end of the queue, so that a busy topic does not keep the others waiting.
                del self._next[topic, number]
                self._next[topic, number] = rows[-1][0] + 1
            if len(self._read) >= limit:
                return


def _delivery(topic: str, number: int, row: tuple[int, bytes | None, str, bytes | None]) -> Delivery:
    offset, key, headers, value = row
    pairs = [(name, content.encode()) for name, content in json.loads(headers)]
    return Delivery(topic, number, offset, cloudevents.decode(key, pairs, value))


def _end(db: sqlite3.Connection, place: Position) -> int:
    end: int = db.execute(_END, place).fetchone()[0]
    return end


class _File:
    """One connection, in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="local-bus")
        self._db: sqlite3.Connection | None = None

    async def run(self, blocking: Callable[..., T], *args: Any) -> T:
        """Call `blocking` with the connection."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, blocking, args)
        except sqlite3.Error as error:
            raise BusUnavailable(f"the file of the bus cannot be used ({error})") from error

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _call(self, blocking: Callable[..., T], args: tuple[Any, ...]) -> T:
        if self._db is None:
            self._db = self._open()
        return blocking(self._db, *args)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
        # FULL: the outbox forgets what was acknowledged, so an acknowledged message survives a power cut.
        for statement in ("pragma journal_mode=wal", "pragma synchronous=full", _TABLE):
            db.execute(statement)
        return db

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
