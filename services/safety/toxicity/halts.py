"""Halts of dosing: counts who the stopping rules look at, executes the decider, answers. One stream for the trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.safety.domain.dose_limiting import stopping
from services.safety.domain.dose_limiting.stopping import (
    Count,
    Facts,
    Halt,
    Halts,
    NoSuchHalt,
    ReviewHalt,
    ReviewStopping,
)
from services.safety.tables import courses, toxicity_looks
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.events import Envelope
from shared.protocol import Counted, Protocol, StoppingRule
from shared.protocol.dose_limiting_status import DltStatus
from shared.telemetry import tracing

_LOOKED_AT = select(toxicity_looks, courses.c.site_id).join_from(
    toxicity_looks, courses, courses.c.participant_id == toxicity_looks.c.participant_id
)
_NOT_INFUSED = (DltStatus.NOT_INFUSED, DltStatus.NOT_WATCHED)
_EVALUABLE = (DltStatus.EVALUABLE, DltStatus.DLT)


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """A rule, who counts for it now, and its latest halt. `visible`: those of them whom the actor may see."""

    rule: StoppingRule
    count: Count
    visible: tuple[UUID, ...]
    halt: Halt | None


class DosingHalts:
    """What the routes and the watch call."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._protocol = protocol
        self._clock = clock

    async def standing(self, *, by: Actor) -> tuple[list[RuleStanding], int]:
        """Every rule of the protocol, and the version of the stream."""
        counts, sites = await self._counts()
        state, version = await self._store.load(stopping.DECIDER, self._protocol.protocol_id)
        return [self._standing(rule, counts[rule.id], sites, state, by) for rule in self._rules], version

    async def one(self, rule: str, *, by: Actor) -> tuple[RuleStanding, int]:
        standing, version = await self.standing(by=by)
        for each in standing:
            if each.rule.id == rule:
                return each, version
        raise NoSuchHalt("the protocol has no such stopping rule, or it has never fired")

    async def history(self, *, by: Actor) -> tuple[list[Envelope], frozenset[UUID]]:
        """What happened, and which of the participants it names are not at the actor's sites."""
        _, sites = await self._counts()
        hidden = frozenset(each for each, site in sites.items() if not by.may_see(site))
        return await self._store.history(stopping.DECIDER.stream(self._protocol.protocol_id)), hidden

    async def look(self, *, by: Actor) -> Halts:
        """Look at every rule again; one that fires, or whose basis has changed, becomes an event."""
        counts, _ = await self._counts()
        facts = Facts(self._protocol.stopping, self._protocol.ref, counts)
        await self._execute(ReviewStopping(), facts, by, None, None)
        state, _ = await self._store.load(stopping.DECIDER, self._protocol.protocol_id)
        return state

    async def review(self, rule: str, command: ReviewHalt, *, by: Actor, expected: int, command_id: UUID) -> Receipt:
        facts = Facts(self._protocol.stopping, self._protocol.ref, rule=rule)
        return await self._execute(command, facts, by, expected, command_id)

    async def _execute(
        self,
        command: ReviewStopping | ReviewHalt,
        facts: Facts,
        by: Actor,
        expected: int | None,
        command_id: UUID | None,
    ) -> Receipt:
        trial = self._protocol.protocol_id
        frame = tracing.recording(
            by, at=self._clock(), subject=trial, command_id=command_id, reason=command.stated_reason
        )
        return await self._store.execute(stopping.DECIDER, trial, command, facts, frame, expected=expected)

    @property
    def _rules(self) -> Sequence[StoppingRule]:
        return self._protocol.stopping.rules

    def _standing(
        self, rule: StoppingRule, count: Count, sites: Mapping[UUID, str], state: Halts, by: Actor
    ) -> RuleStanding:
        halt = state.latest.get(rule.id)
        shown = dict.fromkeys((*count.participants, *(halt.counted if halt else ())))
        return RuleStanding(rule, count, tuple(each for each in shown if by.may_see(sites.get(each, ""))), halt)

    async def _counts(self) -> tuple[dict[str, Count], dict[UUID, str]]:
        """By the watch's last look at each participant, who counts for each rule; and everybody's site."""
        async with self._db.connect() as connection:
            rows = (await connection.execute(_LOOKED_AT.order_by(toxicity_looks.c.participant_id))).all()
        counts = {rule.id: _count(rule, rows) for rule in self._rules}
        sites = {UUID(row.participant_id): row.site_id for row in rows}
        return counts, sites


def _count(rule: StoppingRule, rows: Sequence[Any]) -> Count:
    if rule.counts is Counted.DOSE_LIMITING_TOXICITY:
        among = [row for row in rows if row.status in _EVALUABLE]
        having = [row for row in among if row.status == DltStatus.DLT]
    else:
        among = [row for row in rows if row.status not in _NOT_INFUSED]
        having = [row for row in among if rule.id in row.counts_for.split()]
    return Count(tuple(UUID(row.participant_id) for row in having), len(among))
