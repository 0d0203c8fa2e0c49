"""A lease: of several processes that could do a job, one does, by the clock of the database.

It lasts 5 seconds and is renewed every 1.5, so another process takes over within 7 seconds of a holder's death.
A holder that was only asleep (stopped, swapped out, cut off) wakes up and finds by its own clock that its time
is over. Two may so be at work for a moment, and each job is made for that: readers skip what the relay publishes
twice, a projection's transaction sees whether another has moved its cursors, a task's events meet their version.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from sqlalchemy import text

from shared.db import Database, DatabaseAway

log = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.5
COMPETE_SECONDS = 1.0

_NOW = {
    "postgresql": "clock_timestamp()",
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')",  # as shared.db.Instant writes
}
_LATER = {
    "postgresql": "clock_timestamp() + make_interval(secs => :seconds)",
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now', '+' || :seconds || ' seconds')",
}


class LeaseLost(Exception):
    """Somebody else may hold the lease by now: stop, and do not finish what was begun."""


class Lease:
    """The right to do the job `name` of one service, for this object alone."""

    def __init__(
        self, db: Database, name: str, *, ttl: float = LEASE_SECONDS, renew_every: float = RENEW_SECONDS
    ) -> None:
        self.name = name
        self._db = db
        self._holder = uuid4().hex
        self._ttl, self._renew_every = ttl, renew_every
        self._until = 0.0
        now, later = _NOW[db.dialect], _LATER[db.dialect]
        self._take = text(
            f"insert into leases (name, holder, expires_at) values (:name, :holder, {later}) "
            f"on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at "
            f"where leases.holder = excluded.holder or leases.expires_at < {now} returning holder"
        )
        self._release = text("delete from leases where name = :name and holder = :holder")

    @property
    def held(self) -> bool:
        """By the local clock, which counts from before the database was asked: it ends early, never late."""
        return time.monotonic() < self._until

    def ensure(self) -> None:
        """Raise `LeaseLost` unless the lease is held. Asks nobody."""
        if not self.held:
            raise LeaseLost(self.name)

    async def keep(self, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """Do the work whenever, and only while, the lease is held.

        Returns when the work returns, or when `stop` is set and the lease is not held. A work that does not
        watch `stop` by itself is cancelled one lease later. What the work raises is raised here.
        """
        while not stop.is_set():
            if await self._taken():
                log.info("this process holds the lease", extra={"lease": self.name})
                try:
                    if await self._work_while_held(work, stop):
                        return
                finally:
                    await self._given_back()
                log.warning("the lease was lost", extra={"lease": self.name})
            await set_within(stop, COMPETE_SECONDS)

    async def _work_while_held(self, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> bool:
        """True when the work returned, False when the lease was lost."""
        task = asyncio.ensure_future(work())
        cancel_at = float("inf")
        try:
            while self.held and time.monotonic() < cancel_at:
                await asyncio.wait([task], timeout=self._renew_every)
                if task.done():
                    return _ended(task)
                if stop.is_set():
                    cancel_at = min(cancel_at, time.monotonic() + self._ttl)
                if self.held:  # else we were asleep: others may have worked and gone, and what the work knows is old
                    await self._taken()
        finally:
            task.cancel()
            await asyncio.wait([task])
        returned = not task.cancelled() and _ended(task)
        return returned or stop.is_set()

    async def _taken(self) -> bool:
        """Take or renew. When the database is away the lease runs out by itself."""
        asked = time.monotonic()
        patience = self._until - asked if self.held else self._ttl
        try:
            async with asyncio.timeout(patience), self._db.begin() as connection:
                parameters = {"name": self.name, "holder": self._holder, "seconds": self._ttl}
                mine = (await connection.execute(self._take, parameters)).first() is not None
        except (DatabaseAway, TimeoutError) as error:
            told = {"lease": self.name, "error_type": type(error).__name__}
            log.warning("the lease could not be asked for", extra=told)
            return self.held
        self._until = asked + self._ttl if mine else 0.0
        return self.held

    async def _given_back(self) -> None:
        """So that a successor need not wait for the end of the lease."""
        self._until = 0.0
        try:
            async with asyncio.timeout(self._ttl), self._db.begin() as connection:
                await connection.execute(self._release, {"name": self.name, "holder": self._holder})
        except (DatabaseAway, TimeoutError):
            return


def _ended(task: "asyncio.Future[None]") -> bool:
    error = task.exception()
    if error is not None and not isinstance(error, LeaseLost):
        raise error
    return error is None


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, or for so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
