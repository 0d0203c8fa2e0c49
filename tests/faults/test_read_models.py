"""Messages twice, messages from the beginning, read models anew: byte for byte the same rows on the real tables."""

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from deploy.native.stack import Stack
from services.projector.app import SERVICE
from shared.kernel.actor import Role
from tests.faults.aftermath import OnPostgres, until_settled
from tests.faults.conftest import THOROUGH, restore
from tests.flows import course, records
from tests.flows.commands import on_the_stack
from tests.flows.records import Message
from tests.flows.trial import Trial, trial_of
from tests.flows.waiting import until

LOOK_BACK = 40  # messages that a relay or a reader may repeat at once


@pytest.fixture(scope="module")
def carried_out(stack: Stack) -> None:
    """A whole course at a site of its own, shown in every read model."""
    restore(stack)
    with trial_of(stack) as running:
        for position in course.carry_out(running, "READ").values():
            until("it is shown", partial(shown, running, position))


@pytest.fixture
def messages(carried_out: None, place: OnPostgres) -> list[Message]:
    """Everything on the topics."""
    until_settled(place)
    return place.messages()


def shown(trial: Trial, position: str) -> bool:
    return trial.get(f"/trial/v1/participants?wait_for={position}", role=Role.SPONSOR).status_code == 200


def by_topic(messages: Iterable[Message]) -> list[Message]:
    """Topic after topic: what is about a participant comes before the participant."""
    return sorted(messages, key=lambda message: (message.topic, message.partition, message.offset))


def shuffled(messages: list[Message], chance: random.Random) -> list[Message]:
    """As partitions may be read: each in its order, mixed with the others."""
    queues: dict[tuple[str, int], list[Message]] = {}
    for message in messages:
        queues.setdefault((message.topic, message.partition), []).append(message)
    mixed: list[Message] = []
    while queues:
        place = chance.choice(sorted(queues))
        mixed.append(queues[place].pop(0))
        if not queues[place]:
            del queues[place]
    return mixed


def with_repetitions(messages: list[Message], chance: random.Random) -> list[Message]:
    """As relays and readers that die leave them: again and again from a place a little back."""
    told: list[Message] = []
    for number, message in enumerate(messages):
        told.append(message)
        if chance.random() < 0.02:
            told += messages[max(0, number - chance.randrange(LOOK_BACK)) : number + 1]
    return told


def test_however_messages_come_the_rows_are_the_same(
    messages: list[Message], place: OnPostgres, seed: str, say: Callable[[str], None]
) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    live = place.rows()
    assert [name for name, rows in live.items() if not rows] == [], "nothing would be compared"
    in_another_order = shuffled(messages, chance)
    repeated = with_repetitions(in_another_order, chance)
    assert place.folded(by_topic(messages)) == live, "told topic after topic"
    assert place.folded(repeated) == live, f"{len(repeated)} messages for {len(messages)}"
    assert place.folded(messages, in_another_order) == live, "told twice"
    say(f"  {len(messages)} messages: topic after topic, {len(repeated)} with repetitions, all twice: the same rows")


def test_a_worker_that_reads_from_the_beginning_changes_nothing(
    messages: list[Message], whole: Stack, place: OnPostgres
) -> None:
    before = place.rows()
    worker = whole.processes["projector-worker"]
    worker.stop()
    whole.postgres.execute("delete from projector.projection_offsets", "trial")
    worker.start()
    until("it has read everything again", lambda: read_to(whole) == ends_of(messages))
    assert place.rows() == before


def read_to(stack: Stack) -> dict[tuple[str, int], int]:
    """How far the slowest projection has read each partition."""
    query = "select topic, partition, min(next_offset), count(*) from projector.projection_offsets group by 1, 2"
    rows = [row.split("|") for row in stack.postgres.execute(query, "trial").splitlines()]
    return {(topic, int(partition)): int(offset) for topic, partition, offset, _ in rows}


def ends_of(messages: Iterable[Message]) -> dict[tuple[str, int], int]:
    ends: dict[tuple[str, int], int] = {}
    for message in messages:
        ends[message.topic, message.partition] = max(
            message.offset + 1, ends.get((message.topic, message.partition), 0)
        )
    return ends


def test_read_models_built_anew_beside_a_working_projector_are_the_same(
    messages: list[Message], whole: Stack, place: OnPostgres, seed: str
) -> None:
    before = place.rows()
    names = [projection.name for projection in SERVICE.projections]
    if not THOROUGH:
        names = random.Random(seed).sample(names, 6)  # noqa: S311 - to be repeated, not to be secret
    with ThreadPoolExecutor(2) as together:
        done = list(together.map(lambda name: on_the_stack(whole, "projector", "rebuild", name), names))
    for name, each in zip(names, done, strict=True):
        assert f"{name} was rebuilt from" in each.stdout
    assert place.rows() == before


def test_events_published_again_change_nothing(messages: list[Message], whole: Stack, place: OnPostgres) -> None:
    before, events = place.rows(), place.events()
    for service in records.WRITERS:
        on_the_stack(whole, service, "republish")
    until_settled(place)
    published = place.messages()
    assert records.assert_published(events, published) >= len(events)
    until("the projector has read them", lambda: read_to(whole) == ends_of(published))
    assert place.rows() == before
