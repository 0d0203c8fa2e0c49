"""What every question has in common: it waits for the asker's own write if told so, then reads at one moment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope
from shared.db import Database
from shared.kernel.clock import Clock
from shared.kernel.errors import NotFound
from shared.projection import AsOf, Projection, UnknownPosition, as_of, wait_for
from shared.protocol import MeasureId, Protocol
from shared.protocol.schedule import local_date

T = TypeVar("T")


class NoSuchOutcome(NotFound):
    """The protocol has no such outcome measure."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whose data are asked for, and the position of a write that the answer must show."""

    scope: Scope
    wait_for: str | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """An answer, up to which event it was built, and on which day it was given."""

    result: T
    as_of: AsOf
    today: date
    protocol: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment at which read models are read."""

    connection: AsyncConnection
    scope: Scope
    as_of: AsOf
    now: datetime
    today: date
    protocol: str

    def found(self, result: T) -> Found[T]:
        return Found(result, self.as_of, self.today, self.protocol)


class Readings:
    """Where questions are put. Each names the read models it is built from."""

    def __init__(self, db: Database, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.protocol = protocol

    def _require(self, measure: MeasureId) -> None:
        if measure not in {each.id for each in self.protocol.outcome_measures}:
            raise NoSuchOutcome(f"the protocol {self.protocol.ref} has no outcome measure {measure}")

    @asynccontextmanager
    async def _reading(self, question: Question, *projections: Projection) -> AsyncIterator[Reading]:
        if question.wait_for is not None:
            _refuse_unseen(question.wait_for, question.scope)
            await wait_for(self._db, projections, question.wait_for)
        now = self._clock()
        async with self._db.snapshot() as connection:
            up_to = await as_of(connection, projections)
            today = local_date(self.protocol, now)
            yield Reading(connection, question.scope, up_to, now, today, self.protocol.ref)


def _refuse_unseen(position: str, scope: Scope) -> None:
    """Another site's stream tells how many were screened there. The ids of other streams cannot be guessed."""
    category, _, rest = position.partition(":")
    if category == "site" and scope.sites is not None and rest.partition("@")[0] not in scope.sites:
        raise UnknownPosition("no such position at your sites")
