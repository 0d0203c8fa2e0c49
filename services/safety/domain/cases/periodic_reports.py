"""Reports that recur, whatever happens: a clock for each period, and what a person recorded as sent.

Which they are is the protocol's table of duties: those that start from the previous report (line listings) or from a
data lock point (the yearly safety report). Periods count from a day that a person states: for the yearly report the
international birth date, of which each anniversary is a data lock point. A report ends the oldest period that waits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from functools import reduce
from typing import Any, assert_never

from pydantic import ConfigDict, Field

from services.safety.domain.cases import clock_steps
from services.safety.domain.cases.case import CaseDatesContradict, ReasonMissing
from services.safety.domain.cases.clock_steps import Step, StepKind
from services.safety.domain.cases.periodic_record import PeriodicClock, Periods, evolve
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
from shared.contracts.terms import Day, Instant, Reason, ReferenceNumber
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import Conflict, NotFound
from shared.protocol import Protocol, ReportingClock, StartsFrom
from shared.protocol.schedule import deadline, months_after

PERIODIC = frozenset({StartsFrom.PREVIOUS_REPORT, StartsFrom.DATA_LOCK_POINT})
MONTHS_BETWEEN_LOCK_POINTS = 12  # ICH E2F, as the protocol's table of duties says: yearly


class ReviewPeriodicReports(Command):
    """What has time brought about? Said by the clocks themselves, never by people."""


class BeginPeriodicReporting(Command):
    """Say from which day on the periods of a duty count."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"counts_from": "2025-01-14"}]})

    counts_from: Day = Field(description="Of the yearly safety report: the international birth date")
    reason: Reason | None = Field(None, description="Needed where another day was stated before")


class RecordPeriodicReport(Command):
    """The report of the oldest period that waits was sent."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"sent_at": "2025-07-10T15:00:00+07:00", "reference_number": "IRB-0456/25"}]}
    )

    sent_at: Instant
    reference_number: ReferenceNumber | None = None


PeriodicReportCommand = ReviewPeriodicReports | BeginPeriodicReporting | RecordPeriodicReport


class NoSuchPeriodicReport(NotFound):
    """The protocol has no such duty that recurs."""


class NoPeriodicReportDue(Conflict):
    """No period of this duty waits for its report: none has begun, or each has its report."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`zone` is the trial's. `clock` is the duty that a person speaks of; None: the clocks themselves look."""

    now: datetime
    zone: tzinfo
    protocol: Protocol
    clock: str | None = None

    @property
    def duties(self) -> list[ReportingClock]:
        """What recurs, by the protocol."""
        return [each for each in self.protocol.clocks if each.enabled and each.starts_from in PERIODIC]

    @property
    def duty(self) -> ReportingClock:
        """Raises: NoSuchPeriodicReport."""
        for each in self.duties:
            if each.id == self.clock:
                return each
        raise NoSuchPeriodicReport("the protocol has no duty of this name that recurs")


def decide(command: PeriodicReportCommand, state: Periods, facts: Facts) -> list[PeriodicReportEvent]:
    """What a command leads to, and what time has brought about before it and after it."""
    before = _due(state, facts)
    periods = reduce(evolve, before, state)
    own = _carried_out(command, periods, facts)
    periods = reduce(evolve, own, periods)
    after = _due(periods, facts)
    return [*before, *own, *after, *_steps(reduce(evolve, after, periods), facts.now)]


def _carried_out(command: PeriodicReportCommand, state: Periods, facts: Facts) -> Sequence[PeriodicReportEvent]:
    match command:
        case ReviewPeriodicReports():
            return ()
        case BeginPeriodicReporting():
            return _begun(command, state, facts)
        case RecordPeriodicReport():
            return _recorded(command, state, facts)
        case _:
            assert_never(command)


def _begun(command: BeginPeriodicReporting, state: Periods, facts: Facts) -> Sequence[PeriodicReportEvent]:
    duty = facts.duty
    before = state.begun.get(duty.id)
    if command.counts_from > facts.now.astimezone(facts.zone).date():
        raise CaseDatesContradict("counts_from lies in the future")
    if before is not None and before.counts_from == command.counts_from:
        return ()
    if before is not None and command.reason is None:
        raise ReasonMissing(f"{duty.id} counts from {before.counts_from}; say why it is another day")
    begun = PeriodicReportingBegun(clock=duty.id, **dict(command), protocol=facts.protocol.ref)
    counted_anew = {"because": PeriodicStopCause.COUNTED_ANEW}
    return [begun, *(PeriodicClockStopped(**_about(each), **counted_anew) for each in state.of(duty.id) if each.runs)]


def _recorded(command: RecordPeriodicReport, state: Periods, facts: Facts) -> Sequence[PeriodicReportEvent]:
    duty = facts.duty.id
    told = [(each.sent_at, each.reference_number) for each in state.sent(duty)]
    if (command.sent_at, command.reference_number) in told:
        return ()
    waiting = min((each for each in state.of(duty) if each.runs), key=lambda each: each.started.since, default=None)
    if waiting is None:
        raise NoPeriodicReportDue("no period of this duty waits for its report")
    if command.sent_at > facts.now + CLOCK_SKEW:
        raise CaseDatesContradict("sent_at lies in the future")
    if command.sent_at <= waiting.started.since:
        raise CaseDatesContradict(f"sent_at lies before the end of the period that waits: {waiting.started.since}")
    late = command.sent_at > waiting.started.due_at
    return [PeriodicClockMet(**_about(waiting), **dict(command), late=late)]


def _due(state: Periods, facts: Facts) -> list[PeriodicReportEvent]:
    """The clocks of the periods that have begun, and were never started."""
    found: list[PeriodicReportEvent] = []
    for duty in facts.duties:
        known = state.of(duty.id)
        stand = {each.started.since for each in known if each.stopped is None}
        new = [since for since in _since(duty, state, facts) if since.astimezone(UTC) not in stand]
        found += [_start(duty, since, number, facts) for number, since in enumerate(new, start=len(known) + 1)]
    return found


def _since(duty: ReportingClock, state: Periods, facts: Facts) -> Iterator[datetime]:
    """The instants from which the duty's periods run, up to now."""
    begun = state.begun.get(duty.id)
    if begun is None:
        return
    if duty.starts_from is StartsFrom.PREVIOUS_REPORT:
        yield max((each.sent_at for each in state.sent(duty.id)), default=_first(begun.counts_from, facts.zone))
        return
    today, months = facts.now.astimezone(facts.zone).date(), MONTHS_BETWEEN_LOCK_POINTS
    while (lock_point := months_after(begun.counts_from, months)) <= today:
        yield _first(lock_point, facts.zone)
        months += MONTHS_BETWEEN_LOCK_POINTS


def _first(day: date, zone: tzinfo) -> datetime:
    """The first instant of a day."""
    return datetime.combine(day, time.min, zone)


def _start(duty: ReportingClock, since: datetime, number: int, facts: Facts) -> PeriodicClockStarted:
    due_at = deadline(duty, since, facts.zone)
    return PeriodicClockStarted(
        clock_id=f"{facts.protocol.protocol_id}-{duty.id}-{number}",
        clock=duty.id,
        to=duty.to,
        due_at=due_at,
        number=number,
        since=since.astimezone(UTC),
        **clock_steps.fixed(since, due_at, facts.protocol.clock_steps)._asdict(),
        protocol=facts.protocol.ref,
    )


def _steps(state: Periods, now: datetime) -> list[PeriodicReportEvent]:
    running = [clock for clock in state.clocks if clock.runs]
    found = [(step, clock) for clock in running for step in clock_steps.taken(clock.started, clock, now)]
    return [_event(clock, step) for step, clock in sorted(found, key=lambda each: each[0])]


def _event(clock: PeriodicClock, step: Step) -> PeriodicStep:
    match step.kind:
        case StepKind.DUE_SOON:
            return PeriodicClockDueSoon(**_about(clock), at=step.at)
        case StepKind.MISSED:
            return PeriodicClockMissed(**_about(clock))
        case StepKind.ESCALATED:
            return PeriodicClockEscalated(**_about(clock), level=step.level, at=step.at)
        case _:
            assert_never(step.kind)


def _about(clock: PeriodicClock) -> dict[str, Any]:
    return clock.started.model_dump(include={"clock_id", "clock", "to", "due_at"})


DECIDER: Decider[PeriodicReportCommand, Periods, Facts, PeriodicReportEvent] = Decider(
    category="periodic-reports", initial=Periods(), evolve=evolve, decide=decide
)
