"""Reports that recur, as they stand on record: from which day each counts, and the clock of each period."""

from dataclasses import dataclass, field, replace
from typing import assert_never

from shared.contracts.safety_periodic_reports import (
    PeriodicClockDueSoon,
    PeriodicClockEscalated,
    PeriodicClockMet,
    PeriodicClockMissed,
    PeriodicClockStarted,
    PeriodicClockStopped,
    PeriodicReportEvent,
    PeriodicReportingBegun,
    PeriodicStep,
    PeriodicStopCause,
)


@dataclass(frozen=True, slots=True)
class PeriodicClock:
    """A period's clock, and how far it has come. `level` 0: not escalated."""

    started: PeriodicClockStarted
    due_soon: bool = False
    level: int = 0
    missed: bool = False
    met: PeriodicClockMet | None = None
    stopped: PeriodicStopCause | None = None

    @property
    def runs(self) -> bool:
        return self.met is None and self.stopped is None


@dataclass(frozen=True, slots=True)
class Periods:
    """The clocks in the order in which they started, and from which day each duty counts."""

    begun: dict[str, PeriodicReportingBegun] = field(default_factory=dict)
    clocks: tuple[PeriodicClock, ...] = ()

    def of(self, duty: str) -> list[PeriodicClock]:
        return [each for each in self.clocks if each.started.clock == duty]

    def sent(self, duty: str) -> list[PeriodicClockMet]:
        return [each.met for each in self.of(duty) if each.met is not None]


def evolve(state: Periods, event: PeriodicReportEvent) -> Periods:
    match event:
        case PeriodicReportingBegun():
            return replace(state, begun=state.begun | {event.clock: event})
        case PeriodicClockStarted():
            return replace(state, clocks=(*state.clocks, PeriodicClock(event)))
        case _:
            return replace(state, clocks=tuple(_stepped(clock, event) for clock in state.clocks))


def _stepped(clock: PeriodicClock, event: PeriodicStep | PeriodicClockMet | PeriodicClockStopped) -> PeriodicClock:
    if event.clock_id != clock.started.clock_id:
        return clock
    match event:
        case PeriodicClockDueSoon():
            return replace(clock, due_soon=True)
        case PeriodicClockEscalated(level=level):
            return replace(clock, level=level)
        case PeriodicClockMissed():
            return replace(clock, missed=True)
        case PeriodicClockMet():
            return replace(clock, met=event)
        case PeriodicClockStopped(because=because):
            return replace(clock, stopped=because)
        case _:
            assert_never(event)
