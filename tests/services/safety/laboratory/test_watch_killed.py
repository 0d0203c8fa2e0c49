"""The real worker, killed with -9 as soon as it has graded anew; the next one goes on from what is on record."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import select

from services.safety.tables import laboratory_looks
from tests.services.safety.house import House
from tests.services.safety.laboratory.treated import a_course, happened, lymphodepletion
from tests.services.safety.notices.test_delivery_killed import PATIENCE_SECONDS, worker

AFTER = ["laboratory-results-regraded", "adverse-event-candidate-followed"]


async def test_a_worker_that_is_killed_grades_anew_once(house: House, tmp_path: Path) -> None:
    await a_course(house, d08="30", d12="60", d15="250")
    await house.hears(lymphodepletion())
    recorded = await happened(house)

    async def graded_anew() -> bool:
        return await happened(house) != recorded

    async def noted() -> bool:
        async with house.db.connect() as connection:
            return (await connection.execute(select(laboratory_looks))).first() is not None

    with worker(tmp_path) as first:
        await until(graded_anew, first)
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE_SECONDS)
    assert first.returncode == -signal.SIGKILL
    with worker(tmp_path) as second:
        await until(noted, second)
        second.send_signal(signal.SIGTERM)
        second.wait(PATIENCE_SECONDS)
    assert await happened(house) == [*recorded, *AFTER]


async def until(there: Callable[[], Awaitable[bool]], process: "subprocess.Popen[bytes]") -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while not await there():
        assert process.poll() is None, "the worker ended by itself"
        assert time.monotonic() < patience, "it did not happen"
        await asyncio.sleep(0.01)
