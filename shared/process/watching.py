"""How a service works on by itself: in rounds, and by watches that look again at whatever is due and note each look.

What a look finds becomes events by deciders to whom the same finding twice is nothing, and it is noted after its events
are on record. So a watch that dies looks again, two that look at once say everything once, and nothing is lost.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from prometheus_client import Gauge
from sqlalchemy import Table

from shared.db import Database
from shared.kernel.errors import TrialError, Unavailable
from shared.messaging.lease import set_within
from shared.telemetry import tracing
from shared.upserts import upsert

POLL_SECONDS = 1.0
BATCH = 50  # looks of one round

Due = TypeVar("Due")

log = logging.getLogger("trial.watch")


async def rounds(task: str, act: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Act again and again, with a pause after each time, until told to stop. A database that is away is waited out."""
    while not stop.is_set():
        try:
            await act()
        except Unavailable as away:
            log.warning("a task waits", extra={"lease": task, "reason_code": away.code})
        await set_within(stop, POLL_SECONDS)


class Watch(ABC, Generic[Due]):
    """One round after another, until told to stop. Runs in one worker at a time, under a lease."""

    name: str
    waiting: Gauge

    async def run(self, stop: asyncio.Event) -> None:
        await rounds(self.name, partial(self.round, stop), stop)

    async def round(self, stop: asyncio.Event) -> None:
        """Look at everything that is due, each look in a trace of its own.

        Raises:
            TrialError: a look failed, the first of them; the others had theirs.
        """
        due = await self._due()
        self.waiting.set(len(due))
        failures: list[TrialError] = []
        for each in due:
            if stop.is_set():
                break
            tracing.begin(None)
            try:
                await self._look(each)
            except Unavailable:
                raise
            except TrialError as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    @abstractmethod
    async def _due(self) -> Sequence[Due]:
        """At most BATCH things to look at now."""

    @abstractmethod
    async def _look(self, due: Due) -> None:
        """Look at one of them, and note it."""


async def note(db: Database, looks: Table, key: dict[str, str], columns: dict[str, Any]) -> None:
    """Remember a look, in place of the one before."""
    async with db.begin() as connection:
        await connection.execute(upsert(db, looks, key, columns))
