"""The shape of a watch: it looks again at whatever is due, one after the other, and notes each look.

What a look finds becomes events by deciders to whom the same finding twice is nothing, and it is noted after its events
are on record. So a watch that dies looks again, two that look at once say everything once, and nothing is lost.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from prometheus_client import Gauge
from sqlalchemy import Table

from shared.db import Database
from shared.kernel.errors import Unavailable
from shared.telemetry import tracing
from shared.upserts import upsert

POLL_SECONDS = 1.0
BATCH = 50  # looks of one round

Due = TypeVar("Due")

log = logging.getLogger("trial.safety")


class Watch(ABC, Generic[Due]):
    """One round after another, until told to stop. Runs in one worker at a time, under a lease."""

    name: str
    waiting: Gauge

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.round(stop)
            except Unavailable:
                log.warning("the database is away; %s waits", self.name)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)

    async def round(self, stop: asyncio.Event) -> None:
        """Look at everything that is due, each look in a trace of its own."""
        due = await self._due()
        self.waiting.set(len(due))
        for each in due:
            if stop.is_set():
                return
            tracing.begin(None)
            await self._look(each)

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
