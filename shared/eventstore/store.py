"""Load, fold, decide, append: written once, for every aggregate.

A command that was carried out is recognised by its id and its content, which stand beside each of its events: sent
again it answers as the first time, and another content under the same id is refused. So a caller that saw no
answer may always send the same request again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.eventstore.recorders import Row, Stored, recorder_for
from shared.eventstore.tables import events, outbox
from shared.kernel.decider import Command, Decider, Recording
from shared.kernel.errors import AlreadyExists, StaleVersion, TrialError
from shared.kernel.events import Envelope, Event, decode

MAX_ATTEMPTS = 8

C = TypeVar("C", bound=Command)
S = TypeVar("S")
F = TypeVar("F")
E = TypeVar("E", bound=Event)
T = TypeVar("T")


class OtherContentOnRecord(AlreadyExists):
    """This id was used before, for another content. Take a new id, or send the same content again."""


async def again_when_stale(attempt: Callable[[], Awaitable[T]], *, attempts: int = MAX_ATTEMPTS) -> T:
    """Load, decide and append; the whole of it anew where somebody wrote to one of the streams meanwhile.

    Raises:
        StaleVersion: others kept writing during every attempt.
    """
    for _ in range(attempts - 1):
        with suppress(StaleVersion):
            return await attempt()
    return await attempt()


class Hint(Protocol):
    """Told after each commit, so that the relay need not wait for its next poll."""

    def ring(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was written, or what an earlier run of the same command had written."""

    stream: str
    version: int
    replayed: bool = False

    @property
    def position(self) -> str:
        """`<stream>@<version>`: what a reader waits for to see this write."""
        return f"{self.stream}@{self.version}"


@dataclass(frozen=True, slots=True)
class Known(Generic[S]):
    """An aggregate as it was read: its state, and the events that it follows from."""

    state: S
    rows: Sequence[Stored]

    @property
    def version(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Write:
    """Events for one stream, which must be at version `expected` (0: must not exist)."""

    stream: str
    expected: int
    events: Sequence[Event]
    recording: Recording
    fingerprint: str


class EventStore:
    """The streams of one service."""

    def __init__(self, db: Database, *, hint: Hint | None = None) -> None:
        self._db = db
        self._recorder = recorder_for(db)
        self._hint = hint

    async def execute(
        self,
        decider: Decider[C, S, F, E],
        id: object,  # noqa: A002 - the aggregate's id
        command: C,
        facts: F | Callable[[S], F],
        recording: Recording,
        *,
        expected: int | None = None,
        fresh: bool = False,
        known: Known[S] | None = None,
    ) -> Receipt:
        """Carry out a command on one aggregate.

        `facts` is a value, or a function of the state for what depends on it. `expected` is the version the
        caller has seen. Two things save reading the stream: `known` is what the caller has just read, and `fresh`
        says that the stream most likely does not exist yet.

        Raises:
            StaleVersion: the stream is not at `expected`, or others kept writing during every attempt.
            OtherContentOnRecord: the command's id was used for another content.
            TrialError: whatever the decider raises.
        """
        stream, fingerprint = decider.stream(id), command.fingerprint()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            if known is None or attempt > 1:
                known = Known(decider.initial, ()) if fresh and attempt == 1 else await self.known(decider, id)
            earlier = _earlier_run(known.rows, stream, recording, fingerprint, expected)
            if earlier is not None:
                return earlier
            state, version = known.state, known.version
            if expected is not None and expected != version:
                raise StaleVersion(f"{stream} is at version {version}, not {expected}", current=version)
            try:
                decided = decider.decide(command, state, facts(state) if callable(facts) else facts)
            except TrialError:
                if fresh and attempt == 1:
                    continue  # perhaps it was carried out before, when it was acceptable: look, then decide again
                raise
            if not decided:
                return Receipt(stream, version)
            try:
                return await self.append(Write(stream, version, decided, recording, fingerprint))
            except StaleVersion:  # perhaps by the very same command, sent twice at once: look again
                if attempt == MAX_ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def execute_together(
        self,
        stream: str,
        recording: Recording,
        fingerprint: str,
        decide: Callable[[], Awaitable[Sequence[Write]]],
        *,
        expected: int | None = None,
    ) -> Receipt:
        """Carry out a command whose events belong to several streams: all of them take one append, or none.

        `decide` loads what it needs, decides, and says what to write: to `stream`, which the caller names, last;
        nothing where there is nothing to do. It is asked again where somebody wrote to one of the streams meanwhile.

        Raises:
            StaleVersion: the stream is not at `expected`, or others kept writing during every attempt.
            OtherContentOnRecord: the command's id was used for another content.
            TrialError: whatever `decide` raises.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            rows = await self._recorder.select(stream)
            earlier = _earlier_run(rows, stream, recording, fingerprint, expected)
            if earlier is not None:
                return earlier
            version = len(rows)
            if expected is not None and expected != version:
                raise StaleVersion(f"{stream} is at version {version}, not {expected}", current=version)
            try:
                writes = await decide()
            except TrialError:
                if len(await self._recorder.select(stream)) == version:
                    raise
                continue  # it was decided on more than the caller has seen: look again
            if not writes:
                return Receipt(stream, version)
            try:
                if writes[-1].expected == version:  # else it was decided on more than the caller has seen: look again
                    return await self.append(*writes)
            except StaleVersion:
                if attempt == MAX_ATTEMPTS:
                    raise
        raise StaleVersion(f"others kept writing to {stream}")

    async def append(self, *writes: Write) -> Receipt:
        """Append to one or several streams, all or none. The receipt is the last write's.

        Raises:
            StaleVersion: one of the streams is past the version its write expects; nothing was written.
        """
        await self._recorder.insert([row for write in writes for row in _rows(write)])
        self._ring()
        return Receipt(writes[-1].stream, writes[-1].expected + len(writes[-1].events))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """For rows that change together with events: what is written in it, and appended within it, or nothing."""
        async with self._db.begin() as connection:
            yield connection
        self._ring()

    async def append_within(self, connection: AsyncConnection, *writes: Write) -> None:
        """Append in a transaction of this store's. `append` alone costs half as much.

        Raises:
            StaleVersion: as `append`; let it end the transaction.
        """
        rows = [row._asdict() for write in writes for row in _rows(write)]
        if not rows:
            return
        try:
            appended = await connection.execute(insert(events).values(rows).returning(events.c.position))
        except IntegrityError as error:
            raise StaleVersion(f"{writes[0].stream} or one beside it is past the version expected") from error
        if self._db.dialect == "postgresql":  # on SQLite a trigger does this
            positions = [{"position": position} for position in appended.scalars()]
            await connection.execute(insert(outbox), positions)

    def _ring(self) -> None:
        if self._hint is not None:
            self._hint.ring()

    async def read(self, stream: str) -> list[Any]:
        """The events of a stream in order, in their newest version; empty if there is no such stream."""
        return _decoded(await self._recorder.select(stream))

    async def load(self, decider: Decider[C, S, F, E], id: object) -> tuple[S, int]:  # noqa: A002
        """The state of an aggregate and the version of its stream (0: nothing has happened)."""
        known = await self.known(decider, id)
        return known.state, known.version

    async def known(self, decider: Decider[C, S, F, E], id: object) -> Known[S]:  # noqa: A002
        """An aggregate as it is now: for `execute`, where facts depend on what is on record."""
        rows = await self._recorder.select(decider.stream(id))
        return Known(decider.fold(_decoded(rows)), rows)

    async def history(self, stream: str) -> list[Envelope]:
        """A stream with all that stands around its events: who, when, why."""
        return [envelope_of(row) for row in await self._recorder.history(stream)]

    async def earlier_run(
        self, stream: str, recording: Recording, fingerprint: str, *, expected: int | None = None
    ) -> Receipt | None:
        """The receipt of this very command if it was carried out before; for writes over several streams."""
        rows = await self._recorder.select(stream)
        return _earlier_run(rows, stream, recording, fingerprint, expected)


def envelope_of(row: Row) -> Envelope:
    fields = row._asdict()
    del fields["fingerprint"]
    return Envelope.trusted(fields)


def _decoded(rows: Sequence[Stored]) -> list[Any]:
    return [decode(row.type, row.schema_version, row.data) for row in rows]


def _rows(write: Write) -> list[Row]:
    recording = write.recording
    return [
        Row(
            stream=write.stream,
            version=write.expected + number,
            event_id=uuid4(),
            type=event.event_type,
            schema_version=event.schema_version,
            subject=recording.subject,
            recorded_at=recording.at,
            actor=recording.by.id,
            role=recording.by.role.value,
            reason=recording.reason,
            correlation_id=recording.correlation_id,
            causation_id=recording.command_id,
            traceparent=recording.traceparent,
            fingerprint=write.fingerprint,
            data=event.to_json(),
        )
        for number, event in enumerate(write.events, start=1)
    ]


def _earlier_run(
    rows: Sequence[Stored], stream: str, recording: Recording, fingerprint: str, expected: int | None
) -> Receipt | None:
    """Find the events that this command made before, by its id, or by who sent it and the version it was aimed at."""
    command_id = recording.command_id
    for row in rows:
        if row.causation_id == command_id:
            if row.fingerprint != fingerprint:
                raise OtherContentOnRecord(
                    f"{command_id} is on record with another content; send the same content, or take a new id"
                )
            return _receipt(rows, stream, command_id)
    made = rows[expected] if expected is not None and 0 < expected < len(rows) else None
    if made is not None and (made.fingerprint, made.actor) == (fingerprint, recording.by.id):
        return _receipt(rows, stream, made.causation_id)
    return None


def _receipt(rows: Sequence[Stored], stream: str, command_id: UUID) -> Receipt:
    last = max(version for version, row in enumerate(rows, start=1) if row.causation_id == command_id)
    return Receipt(stream, last, replayed=True)
