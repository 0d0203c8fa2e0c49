"""What any event store must do, on PostgreSQL and on SQLite."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, insert, select, text
from sqlalchemy.exc import DBAPIError

from shared.db import Database, DatabaseAway, open_database
from shared.eventstore.store import EventStore, OtherContentOnRecord, Write
from shared.eventstore.tables import events, leases, outbox
from shared.kernel.actor import Actor, Role
from shared.kernel.decider import Command, Decider, Recording
from shared.kernel.errors import Conflict, StaleVersion
from shared.kernel.events import Event

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SOMEBODY = Actor("dr-1", frozenset({Role.INVESTIGATOR}), None, Role.INVESTIGATOR)


class Counted(Event, type="test.counted", version=1):
    """Something was counted."""

    by: int


class Count(Command):
    by: int
    unless_above: int = 1000


class TooMany(Conflict):
    pass


def decide(command: Count, total: int, _facts: None) -> list[Counted]:
    if total > command.unless_above:
        raise TooMany("enough")
    return [Counted(by=1) for _ in range(command.by)]


COUNTER: Decider[Count, int, None, Counted] = Decider("counter", 0, lambda total, event: total + event.by, decide)


def recorded(command_id: UUID | None = None, reason: str | None = None) -> Recording:
    return Recording(by=SOMEBODY, at=NOON, subject="p1", command_id=command_id or uuid4(), reason=reason)


def write(stream: str, expected: int, count: int = 1) -> Write:
    return Write(stream, expected, [Counted(by=1)] * count, recorded(), "f" * 64)


@pytest.fixture
def store(db: Database) -> EventStore:
    return EventStore(db)


async def test_what_was_appended_is_read_in_order_with_all_around_it(store: EventStore) -> None:
    recording = recorded(reason="because")
    await store.append(Write("s:1", 0, [Counted(by=1), Counted(by=2)], recording, "a" * 64))
    await store.append(Write("s:1", 2, [Counted(by=3)], recorded(), "b" * 64))
    first, second, third = await store.history("s:1")
    assert [envelope.version for envelope in (first, second, third)] == [1, 2, 3]
    assert [envelope.event() for envelope in (first, second, third)] == [Counted(by=1), Counted(by=2), Counted(by=3)]
    assert (first.actor, first.role, first.reason) == ("dr-1", "investigator", "because")
    assert (first.recorded_at, first.subject, first.causation_id) == (NOON, "p1", recording.command_id)
    assert first.correlation_id == second.correlation_id != third.correlation_id
    assert await store.read("s:2") == []


async def test_every_event_is_in_the_outbox_and_in_order(store: EventStore, db: Database) -> None:
    await store.append(write("s:1", 0, 3), write("s:2", 0, 2))
    async with db.connect() as connection:
        waiting = list((await connection.scalars(select(outbox.c.position).order_by(outbox.c.position))).all())
        rows = (await connection.execute(select(events.c.position, events.c.stream).order_by(events.c.position))).all()
    assert waiting == [row.position for row in rows]
    assert [row.stream for row in rows] == ["s:1"] * 3 + ["s:2"] * 2


async def test_a_version_is_won_once(store: EventStore) -> None:
    await store.append(write("s:1", 0))
    with pytest.raises(StaleVersion):
        await store.append(write("s:1", 0))
    assert len(await store.read("s:1")) == 1


async def test_writes_to_several_streams_are_all_there_or_none(store: EventStore, db: Database) -> None:
    await store.append(write("s:2", 0))
    with pytest.raises(StaleVersion):
        await store.append(write("s:1", 0), write("s:2", 0))
    assert await store.read("s:1") == []
    async with db.connect() as connection:
        assert await connection.scalar(text("select count(*) from outbox")) == 1


async def test_of_many_writers_at_once_exactly_one_wins_each_version(store: EventStore) -> None:
    async def writer() -> list[int]:
        won = []
        for version in range(10):
            try:
                await store.append(write("s:1", version))
            except StaleVersion:
                continue
            won.append(version)
        return won

    wins = [version for won in await asyncio.gather(*(writer() for _ in range(8))) for version in won]
    assert sorted(wins) == list(range(10))
    assert [envelope.version for envelope in await store.history("s:1")] == list(range(1, 11))


async def test_commands_that_race_are_decided_again_and_none_is_lost(store: EventStore) -> None:
    receipts = await asyncio.gather(*(store.execute(COUNTER, "c", Count(by=1), None, recorded()) for _ in range(6)))
    assert sorted(receipt.version for receipt in receipts) == [1, 2, 3, 4, 5, 6]
    assert await store.load(COUNTER, "c") == (6, 6)


async def test_of_appends_at_once_to_many_streams_each_has_its_own_outcome(store: EventStore, db: Database) -> None:
    await store.append(write("s:taken", 0))
    streams = [f"s:{number}" for number in range(20)]
    writes = [*(write(stream, 0, 2) for stream in streams[:10]), write("s:taken", 0)]
    writes += [write(stream, 0, 2) for stream in streams[10:]]
    outcomes = await asyncio.gather(*(store.append(each) for each in writes), return_exceptions=True)
    assert [
        each.stream for each, outcome in zip(writes, outcomes, strict=True) if isinstance(outcome, StaleVersion)
    ] == ["s:taken"]
    assert [len(await store.read(stream)) for stream in [*streams, "s:taken"]] == [2] * 20 + [1]
    async with db.connect() as connection:
        assert await connection.scalar(text("select count(*) from outbox")) == 41


async def test_a_writer_who_does_not_wait_for_the_answer_writes_once_or_not_at_all(store: EventStore) -> None:
    async def impatient(number: int) -> None:
        async with asyncio.timeout(number / 2000):
            await store.append(write(f"impatient:{number}", 0))

    outcomes = await asyncio.gather(
        *(impatient(number) for number in range(20)),
        *(store.append(write(f"patient:{number}", 0)) for number in range(20)),
        return_exceptions=True,
    )
    assert not [outcome for outcome in outcomes[20:] if isinstance(outcome, BaseException)]
    for number, outcome in enumerate(outcomes[:20]):
        there = len(await store.read(f"impatient:{number}"))
        assert there in ({0, 1} if isinstance(outcome, TimeoutError) else {1})
    assert [len(await store.read(f"patient:{number}")) for number in range(20)] == [1] * 20


@pytest.mark.parametrize("statement", ["update events set actor = 'x'", "delete from events", "truncate events"])
async def test_nobody_changes_what_is_on_record(store: EventStore, db: Database, statement: str) -> None:
    if db.dialect == "sqlite" and statement.startswith("truncate"):
        statement = "delete from events where position > 0"
    await store.append(write("s:1", 0))
    with pytest.raises(DBAPIError, match="append-only"):
        async with db.begin() as connection:
            await connection.execute(text(statement))
    assert len(await store.read("s:1")) == 1


@pytest.mark.parametrize("db", ["postgresql"], indirect=True)  # SQLite has one writer at a time: none can be slow
async def test_a_reader_of_the_outbox_never_misses_a_slow_writer(store: EventStore, db: Database) -> None:
    """A transaction that took its position first and commits last: a cursor over positions would have passed it."""
    taken: list[int] = []

    async def drain() -> None:
        async with db.begin() as connection:
            rows = (await connection.scalars(select(outbox.c.position))).all()
            taken.extend(rows)
            await connection.execute(outbox.delete().where(outbox.c.position.in_(rows)))

    async with db.begin() as slow:
        await slow.execute(
            text(
                "with e as (insert into events (stream, version, event_id, type, schema_version, subject, recorded_at,"
                " actor, role, correlation_id, causation_id, fingerprint, data) values ('slow', 1, gen_random_uuid(),"
                " 'test.counted', 1, 'p', now(), 'a', 'r', gen_random_uuid(), gen_random_uuid(), 'f', '{}')"
                " returning position) insert into outbox select position from e"
            )
        )
        await store.append(write("fast", 0))
        await drain()
        assert len(taken) == 1
    await drain()
    async with db.connect() as connection:
        assert sorted(taken) == list(
            (await connection.scalars(select(events.c.position).order_by(events.c.position))).all()
        )


async def test_the_same_command_twice_answers_as_the_first_time(store: EventStore) -> None:
    command_id = uuid4()
    first = await store.execute(COUNTER, "c", Count(by=2), None, recorded(command_id), fresh=True)
    await store.execute(COUNTER, "c", Count(by=1), None, recorded())
    again = await store.execute(COUNTER, "c", Count(by=2), None, recorded(command_id), fresh=True)
    assert (again.version, again.replayed) == (first.version, True) == (2, True)
    assert (await store.load(COUNTER, "c"))[1] == 3


async def test_another_content_under_the_same_id_is_refused(store: EventStore) -> None:
    command_id = uuid4()
    await store.execute(COUNTER, "c", Count(by=2), None, recorded(command_id), fresh=True)
    with pytest.raises(OtherContentOnRecord):
        await store.execute(COUNTER, "c", Count(by=3), None, recorded(command_id), fresh=True)


async def test_a_repeated_command_answers_as_the_first_time_even_where_it_would_be_refused_by_now(
    store: EventStore,
) -> None:
    command_id = uuid4()
    command = Count(by=2, unless_above=1)
    await store.execute(COUNTER, "c", command, None, recorded(command_id))
    assert (await store.execute(COUNTER, "c", command, None, recorded(command_id))).replayed
    with pytest.raises(TooMany):
        await store.execute(COUNTER, "c", command, None, recorded())


async def test_a_change_repeated_with_the_same_expected_version_answers_as_the_first_time(store: EventStore) -> None:
    await store.execute(COUNTER, "c", Count(by=1), None, recorded())
    first = await store.execute(COUNTER, "c", Count(by=2), None, recorded(), expected=1)
    again = await store.execute(COUNTER, "c", Count(by=2), None, recorded(), expected=1)
    assert (again.version, again.replayed) == (first.version, True)
    with pytest.raises(StaleVersion) as raised:
        await store.execute(COUNTER, "c", Count(by=3), None, recorded(), expected=1)
    assert raised.value.current == 3


async def test_the_same_change_by_another_person_is_another_change(store: EventStore) -> None:
    await store.execute(COUNTER, "c", Count(by=1), None, recorded())
    await store.execute(COUNTER, "c", Count(by=2), None, recorded(), expected=1)
    another = replace(recorded(), by=replace(SOMEBODY, id="somebody-else"))
    with pytest.raises(StaleVersion):
        await store.execute(COUNTER, "c", Count(by=2), None, another, expected=1)


async def test_a_change_sent_twice_at_once_answers_both_times_as_the_first_time(store: EventStore) -> None:
    await store.execute(COUNTER, "c", Count(by=1), None, recorded())
    command, recording, known = Count(by=2), recorded(), await store.known(COUNTER, "c")  # read by both beforehand
    sent = [store.execute(COUNTER, "c", command, None, recording, expected=1, known=known) for _ in range(4)]
    receipts = await asyncio.gather(*sent)
    assert sorted((receipt.version, receipt.replayed) for receipt in receipts) == [(3, False), *[(3, True)] * 3]
    with pytest.raises(StaleVersion) as raised:
        await store.execute(COUNTER, "c", Count(by=3), None, recorded(), expected=1, known=known)
    assert raised.value.current == 3


async def test_a_command_that_decides_nothing_writes_nothing(store: EventStore) -> None:
    receipt = await store.execute(COUNTER, "c", Count(by=0), None, recorded())
    assert (receipt.version, receipt.position) == (0, "counter:c@0")
    assert await store.history("counter:c") == []


async def test_facts_may_depend_on_the_state(store: EventStore) -> None:
    seen: list[int] = []
    facts: Callable[[int], None] = seen.append
    await store.execute(COUNTER, "c", Count(by=2), None, recorded())
    await store.execute(COUNTER, "c", Count(by=1), facts, recorded())
    assert seen == [2]


async def test_what_the_caller_has_read_is_not_read_again(store: EventStore) -> None:
    await store.append(write("counter:1", 0, 3))
    known = await store.known(COUNTER, 1)
    assert (known.state, known.version) == (3, 3)
    receipt = await store.execute(COUNTER, 1, Count(by=1), None, recorded(), expected=3, known=known)
    assert receipt.version == 4


async def test_what_the_caller_has_read_may_be_stale_by_now(store: EventStore) -> None:
    known = await store.known(COUNTER, 1)
    await store.append(write("counter:1", 0, 3))
    with pytest.raises(StaleVersion):
        await store.execute(COUNTER, 1, Count(by=1), None, recorded(), expected=0, known=known)
    with pytest.raises(TooMany):
        await store.execute(COUNTER, 1, Count(by=1, unless_above=2), None, recorded(), known=known)
    assert (await store.execute(COUNTER, 1, Count(by=1), None, recorded(), known=known)).version == 4


async def test_after_each_commit_the_relay_is_told(db: Database) -> None:
    class Bell:
        rung = 0

        def ring(self) -> None:
            self.rung += 1

    bell = Bell()
    store = EventStore(db, hint=bell)
    await store.execute(COUNTER, "c", Count(by=3), None, recorded())
    await store.execute(COUNTER, "c", Count(by=0), None, recorded())
    assert bell.rung == 1


async def test_a_database_that_is_away_says_so_and_nothing_is_written() -> None:
    store = EventStore(open_database("postgresql+asyncpg://nobody@127.0.0.1:9/none", "store"))
    with pytest.raises(DatabaseAway):
        await store.append(write("s:1", 0))


async def test_rows_beside_events_are_written_with_them_or_not_at_all(store: EventStore, db: Database) -> None:
    rung: list[int] = []
    store = EventStore(db, hint=type("Bell", (), {"ring": lambda _self: rung.append(1)})())
    lease = {"name": "beside", "holder": "somebody", "expires_at": NOON}
    async with store.transaction() as connection:
        await connection.execute(insert(leases).values(lease))
        await store.append_within(connection, write("a", 0, 2), write("b", 0))
    assert (len(await store.read("a")), len(await store.read("b")), rung) == (2, 1, [1])
    assert await positions_in(db, outbox) == await positions_in(db, events)

    async def too_late() -> None:
        async with store.transaction() as connection:
            await connection.execute(insert(leases).values({**lease, "name": "stale"}))
            await store.append_within(connection, write("c", 0), write("a", 1))

    with pytest.raises(StaleVersion):
        await too_late()
    async with store.transaction() as connection:
        await store.append_within(connection)
    async with db.connect() as connection:
        names = (await connection.execute(select(leases.c.name))).scalars().all()
    assert (names, await store.read("c"), len(rung)) == (["beside"], [], 2)
    assert (await store.history("a"))[1].version == 2


async def positions_in(db: Database, table: Table) -> list[int]:
    async with db.connect() as connection:
        return sorted((await connection.execute(select(table.c.position))).scalars())


class Together:
    """A command over two streams, which somebody else writes to as often as told while it decides."""

    def __init__(self, store: EventStore, *, interrupted: str | None = None, times: int = 0) -> None:
        self.store, self.interrupted, self.left, self.asked = store, interrupted, times, 0
        self.recording = recorded()

    async def decide(self) -> list[Write]:
        self.asked += 1
        if self.left and self.interrupted == "s:1":  # before it is loaded: decided on more than was seen
            await self._interrupt()
        (other, at), (own, version) = [(name, len(await self.store.read(name))) for name in ("s:2", "s:1")]
        if self.left:
            await self._interrupt()
        each = [Counted(by=1)]
        return [Write(name, now, each, self.recording, "a" * 64) for name, now in ((other, at), (own, version))]

    async def _interrupt(self) -> None:
        self.left -= 1
        assert self.interrupted is not None
        await self.store.append(write(self.interrupted, len(await self.store.read(self.interrupted))))

    async def carried_out(self, *, expected: int | None = None) -> tuple[int, bool]:
        receipt = await self.store.execute_together("s:1", self.recording, "a" * 64, self.decide, expected=expected)
        assert receipt.stream == "s:1"
        return receipt.version, receipt.replayed


async def test_a_command_over_two_streams_is_carried_out_once(store: EventStore) -> None:
    command = Together(store)
    assert [await command.carried_out(), await command.carried_out()] == [(1, False), (1, True)]
    assert (command.asked, len(await store.read("s:2"))) == (1, 1)
    assert await Together(store).carried_out(expected=1) == (2, False)
    with pytest.raises(StaleVersion, match="not 7"):
        await Together(store).carried_out(expected=7)


@pytest.mark.parametrize("stream", ["s:1", "s:2"])
async def test_it_is_decided_again_where_somebody_wrote_meanwhile(store: EventStore, stream: str) -> None:
    command = Together(store, interrupted=stream, times=1)
    await command.carried_out()
    assert command.asked == 2
    assert sorted([len(await store.read("s:1")), len(await store.read("s:2"))]) == [1, 2]


async def test_a_version_that_was_named_is_the_one_decided_on(store: EventStore) -> None:
    await store.append(write("s:1", 0))
    with pytest.raises(StaleVersion):
        await Together(store, interrupted="s:1", times=1).carried_out(expected=1)
    assert (len(await store.read("s:1")), len(await store.read("s:2"))) == (2, 0)


class Refused(Conflict):
    """What the stream holds forbids it."""


@pytest.mark.parametrize("expected", [0, None])
async def test_what_is_refused_by_more_than_the_caller_has_seen_is_stale(
    store: EventStore, expected: int | None
) -> None:
    async def decide() -> list[Write]:
        if not await store.read("s:1"):
            await store.append(write("s:1", 0))
        raise Refused("there is something")

    with pytest.raises(Refused if expected is None else StaleVersion):
        await store.execute_together("s:1", recorded(), "a" * 64, decide, expected=expected)


@pytest.mark.parametrize("stream", ["s:1", "s:2"])
async def test_against_somebody_who_never_stops_writing_it_gives_up(store: EventStore, stream: str) -> None:
    with pytest.raises(StaleVersion):
        await Together(store, interrupted=stream, times=1000).carried_out()


async def test_where_there_is_nothing_to_do_nothing_is_written(store: EventStore) -> None:
    async def nothing() -> list[Write]:
        return []

    receipt = await store.execute_together("s:1", recorded(), "a" * 64, nothing)
    assert (receipt.version, await store.read("s:1")) == (0, [])
