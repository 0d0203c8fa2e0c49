"""What waits to be published, on both databases."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text

from shared.db import Database
from shared.eventstore.outbox import outbox_of
from shared.eventstore.recorders import Row, recorder_for
from shared.kernel.events import Envelope

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_row(stream: str, version: int) -> Row:
    return Row(
        stream=stream,
        version=version,
        event_id=uuid4(),
        type="safety.adverse-event-reported",
        schema_version=1,
        subject="CU-001",
        recorded_at=NOON,
        actor="dr-somchai",
        role="investigator",
        reason="แก้ไข",
        correlation_id=uuid4(),
        causation_id=uuid4(),
        traceparent=None,
        fingerprint="f",
        data='{"n":  1}',
    )


async def test_what_waits_is_read_oldest_first_as_it_was_stored(db: Database) -> None:
    rows = [a_row("adverse-event:1", version) for version in range(1, 6)]
    await recorder_for(db).insert(rows)
    waiting = await outbox_of(db).oldest(3)
    assert [each.position for each in waiting] == [1, 2, 3]
    for each, row in zip(waiting, rows, strict=False):
        stored = {name: value for name, value in row._asdict().items() if name != "fingerprint"}
        assert each.envelope == Envelope.model_validate(stored)
        assert each.envelope.recorded_at.tzinfo is UTC


async def test_what_is_struck_off_waits_no_longer_and_the_rest_does(db: Database) -> None:
    outbox = outbox_of(db)
    await recorder_for(db).insert([a_row("adverse-event:1", version) for version in range(1, 6)])
    await outbox.strike_off([1, 3])
    assert [each.position for each in await outbox.oldest(10)] == [2, 4, 5]
    await outbox.strike_off([])
    assert (await outbox.backlog()).depth == 3


async def test_what_is_on_its_way_is_left_out_and_a_lower_position_that_came_later_is_not(db: Database) -> None:
    """Position 2 becomes visible when 1 and 3 are on their way; 4 is its stream's next version."""
    outbox = outbox_of(db)
    await recorder_for(db).insert([a_row("adverse-event:1", 1), a_row("slow:1", 1), a_row("adverse-event:1", 2)])
    await outbox.strike_off([2])
    assert [each.position for each in await outbox.oldest(10)] == [1, 3]
    async with db.begin() as connection:
        await connection.execute(text("insert into outbox values (2)"))
    await recorder_for(db).insert([a_row("slow:1", 2)])
    following = await outbox.oldest(10, but=[1, 3])
    assert [(each.position, each.envelope.stream, each.envelope.version) for each in following] == [
        (2, "slow:1", 1),
        (4, "slow:1", 2),
    ]


async def test_the_backlog_says_how_many_wait_and_since_when(db: Database) -> None:
    outbox = outbox_of(db)
    empty = await outbox.backlog()
    assert (empty.depth, empty.oldest) == (0, None)
    await recorder_for(db).insert([a_row("adverse-event:1", 1), a_row("adverse-event:1", 2)])
    backlog = await outbox.backlog()
    assert (backlog.depth, backlog.oldest) == (2, NOON)
