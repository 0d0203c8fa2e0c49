"""The reports that recur: commands and questions about them, and the watch that lets their clocks take their steps."""

from datetime import datetime
from functools import reduce
from uuid import UUID

from prometheus_client import Gauge

from services.safety.domain.cases.periodic_record import Periods, evolve
from services.safety.domain.cases.periodic_reports import (
    DECIDER,
    Facts,
    PeriodicReportCommand,
    ReviewPeriodicReports,
    decide,
)
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor, system
from shared.kernel.clock import Clock
from shared.kernel.events import Envelope
from shared.process.watching import Watch
from shared.protocol import Protocol
from shared.telemetry import tracing

WAITING = Gauge("trial_periodic_reports_looks_due", "Whether a clock of a report that recurs is to take a step now")

_SELF = system("periodic-reports")


class PeriodicReports:
    """What the routes of reports that recur call, and the watch. They concern no participant, and every site."""

    def __init__(self, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._store = store
        self._protocol = protocol
        self._clock = clock

    async def carry_out(
        self, clock: str | None, command: PeriodicReportCommand, *, by: Actor, command_id: UUID | None = None
    ) -> Receipt:
        """`clock`: the duty that a person speaks of."""
        facts = self._facts(clock)
        frame = tracing.recording(
            by, at=facts.now, subject=DECIDER.category, command_id=command_id, reason=command.stated_reason
        )
        return await self._store.execute(DECIDER, self._protocol.protocol_id, command, facts, frame)

    async def periods(self) -> Periods:
        """As they follow from the record and the hour, whether or not the watch has recorded it yet."""
        state, _ = await self._store.load(DECIDER, self._protocol.protocol_id)
        return reduce(evolve, decide(ReviewPeriodicReports(), state, self._facts()), state)

    async def step_waits(self) -> bool:
        """Whether time has brought about something that is not on record."""
        state, _ = await self._store.load(DECIDER, self._protocol.protocol_id)
        return bool(decide(ReviewPeriodicReports(), state, self._facts()))

    async def history(self) -> list[Envelope]:
        return await self._store.history(DECIDER.stream(self._protocol.protocol_id))

    @property
    def facts(self) -> Facts:
        """The duties that recur, and the hour."""
        return self._facts()

    def _facts(self, clock: str | None = None) -> Facts:
        return Facts(self._clock(), self._protocol.zone, self._protocol, clock)


class PeriodicReportClocks(Watch[datetime]):
    """Looks at the one stream of the trial, and records the steps that time has brought about."""

    name = "periodic-reports"
    waiting = WAITING

    def __init__(self, store: EventStore, clock: Clock, protocol: Protocol) -> None:
        self._clock = clock
        self._reports = PeriodicReports(store, protocol, clock)

    async def _due(self) -> list[datetime]:
        return [self._clock()] if await self._reports.step_waits() else []

    async def _look(self, _due: datetime) -> None:
        await self._reports.carry_out(None, ReviewPeriodicReports(), by=_SELF)
