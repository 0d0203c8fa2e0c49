"""Streams in memory, for tests that carry out thousands of commands: what it keeps, the databases keep too."""

from collections.abc import Sequence

from shared.eventstore.recorders import Row, Stored
from shared.kernel.errors import StaleVersion


class MemoryRecorder:
    """Appends all or none, as the recorders of the databases do."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Row]] = {}

    async def insert(self, rows: Sequence[Row]) -> None:
        ahead: dict[str, int] = {}
        for row in rows:
            at = ahead.get(row.stream, len(self._streams.get(row.stream, ())))
            if row.version != at + 1:
                raise StaleVersion(f"{row.stream} is past version {row.version - 1}")
            ahead[row.stream] = row.version
        for row in rows:
            self._streams.setdefault(row.stream, []).append(row)

    async def select(self, stream: str) -> list[Stored]:
        rows = self._streams.get(stream, ())
        return [Stored(**{name: getattr(each, name) for name in Stored._fields}) for each in rows]

    async def history(self, stream: str) -> list[Row]:
        return list(self._streams.get(stream, ()))
