"""From the topics to the answers: the projector's own runtime, a bus, and a rebuild from the beginning."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.projector.readmodels.all import PROJECTIONS
from shared.messaging import LocalBus
from shared.projection import Runner, rebuild
from tests.services.projector.house import House
from tests.services.projector.small_trial import small_trial


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[LocalBus]:
    """Each topic holds the small trial's events of its service."""
    made = LocalBus(tmp_path / "bus.sqlite3")
    for topic, envelope in small_trial().told:
        await made.publish(topic, [envelope])
    yield made
    await made.close()


async def follow(house: House, bus: LocalBus) -> None:
    """Run until the newest event of every stream can be read."""
    stop = asyncio.Event()
    running = asyncio.create_task(Runner(house.db, bus, PROJECTIONS).run(stop))
    newest = {envelope.stream: envelope.version for _, envelope in small_trial().told}
    async with house.client() as client:
        for stream, version in newest.items():
            answer = await client.get("/v1/sae-worklist", params={"wait_for": f"{stream}@{version}"})
            assert answer.status_code == 200, answer.text
            answer = await client.get("/v1/visits", params={"wait_for": f"{stream}@{version}"})
            assert answer.status_code == 200, answer.text
    stop.set()
    await running


async def test_what_the_topics_tell_can_be_read_and_a_rebuild_gives_the_same_rows(
    any_house: House, trial: House, bus: LocalBus
) -> None:
    await follow(any_house, bus)
    followed = await any_house.rows()
    assert followed == await trial.rows()
    for projection in PROJECTIONS:
        await rebuild(any_house.db, bus, projection)
    assert await any_house.rows() == followed
    await follow(any_house, bus)
    assert await any_house.rows() == followed
