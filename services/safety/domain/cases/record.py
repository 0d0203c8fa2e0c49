"""One case as it stands on record: what its events, folded, amount to."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from services.safety.domain.cases import clock_steps
from shared.contracts.safety_cases import (
    CaseEvent,
    ClockDueSoon,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockStarted,
    ClockStopped,
    ReportAcknowledged,
    ReportSubmitted,
    SponsorAssessed,
    StopCause,
    SusarIdentified,
    SusarNoLongerHeld,
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A duty to report, and how far it has come. `level` 0: not escalated."""

    started: ClockStarted
    due_soon: bool = False
    level: int = 0
    missed: bool = False
    met: ClockMet | None = None
    stopped: StopCause | None = None

    @property
    def runs(self) -> bool:
        """Whether the duty is still to be done, in time or not."""
        return self.met is None and self.stopped is None

    @property
    def next_at(self) -> datetime | None:
        """The instant of the next step that time alone brings about; None: there is none."""
        return clock_steps.next_at(self.started, self) if self.runs else None


@dataclass(frozen=True, slots=True)
class Report:
    """A version of the report that was sent, and what the recipient answered last."""

    sent: ReportSubmitted
    answer: ReportAcknowledged | None = None

    @property
    def rejected(self) -> bool:
        return self.answer is not None and self.answer.verdict == "rejected"


@dataclass(frozen=True, slots=True)
class Case:
    """A case. `susar` None: it is held for no suspected unexpected serious adverse reaction now."""

    assessments: tuple[SponsorAssessed, ...] = ()
    susar: SusarIdentified | None = None
    identifications: int = 0
    clocks: tuple[Clock, ...] = ()
    reports: tuple[Report, ...] = ()

    @property
    def assessment(self) -> SponsorAssessed | None:
        return self.assessments[-1] if self.assessments else None

    @property
    def next_at(self) -> datetime | None:
        """When time alone will bring about something; None: never, unless somebody does something."""
        return min((at for clock in self.clocks if (at := clock.next_at) is not None), default=None)


def evolve(state: Case, event: CaseEvent) -> Case:
    after: Case
    match event:
        case SponsorAssessed():
            after = replace(state, assessments=(*state.assessments, event))
        case SusarIdentified():
            after = replace(state, susar=event, identifications=event.number)
        case SusarNoLongerHeld():
            after = replace(state, susar=None)
        case ReportSubmitted():
            after = replace(state, reports=(*state.reports, Report(event)))
        case ReportAcknowledged():
            after = replace(state, reports=_answered(state.reports, event))
        case ClockStarted():
            after = replace(state, clocks=(*state.clocks, Clock(event)))
        case _:
            after = replace(state, clocks=tuple(_stepped(clock, event) for clock in state.clocks))
    return after


def _answered(reports: tuple[Report, ...], answer: ReportAcknowledged) -> tuple[Report, ...]:
    return tuple(
        replace(report, answer=answer) if report.sent.number == answer.report_number else report for report in reports
    )


_Step = ClockDueSoon | ClockEscalated | ClockMissed | ClockMet | ClockStopped


def _stepped(clock: Clock, event: _Step) -> Clock:
    if event.clock_id != clock.started.clock_id:
        return clock
    match event:
        case ClockDueSoon():
            return replace(clock, due_soon=True)
        case ClockEscalated(level=level):
            return replace(clock, level=level)
        case ClockMissed():
            return replace(clock, missed=True)
        case ClockMet():
            return replace(clock, met=event)
        case ClockStopped(because=because):
            return replace(clock, stopped=because)
        case _:
            assert_never(event)
