"""Reports that recur: line listings to the ethics committee, the yearly safety report; what was sent, what waits."""

from datetime import date, datetime
from typing import Annotated, Self

from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel, Field

from services.safety.api.cases.permissions import MayActAsSponsor
from services.safety.api.cases.views import ClockState, state_of
from services.safety.api.permissions import MayRead
from services.safety.cases.periodic_reports import PeriodicReports
from services.safety.domain.cases.case import CaseDatesContradict, ReasonMissing
from services.safety.domain.cases.periodic_record import PeriodicClock, Periods
from services.safety.domain.cases.periodic_reports import (
    BeginPeriodicReporting,
    NoPeriodicReportDue,
    NoSuchPeriodicReport,
    RecordPeriodicReport,
)
from shared.contracts.safety_periodic_reports import PeriodicClockId, PeriodicStopCause
from shared.contracts.terms import Code, Instant, ReferenceNumber
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.protocol import Limit, Mark, ReportingClock

router = make_router("/v1/periodic-reports", "Periodic reports")

DutyId = Annotated[Code, Path(description="The clock's id in the protocol", examples=["ethics-ordinary"])]


async def _reports(request: Request) -> PeriodicReports:
    reports: PeriodicReports = request.app.state.periodic_reports
    return reports


ReportsDep = Annotated[PeriodicReports, Depends(_reports)]


class Period(BaseModel):
    """A period's report: when it is due, and whether it was sent."""

    clock_id: PeriodicClockId
    state: ClockState
    since: Instant = Field(description="The report before, or the data lock point")
    due_soon_at: Instant
    due_at: Instant
    escalation_level: int
    escalate_at: tuple[Instant, ...]
    sent_at: datetime | None
    reference_number: ReferenceNumber | None
    stopped_because: PeriodicStopCause | None

    @classmethod
    def of(cls, clock: PeriodicClock) -> Self:
        begun, met = clock.started, clock.met
        return cls(
            clock_id=begun.clock_id,
            state=state_of(clock),
            since=begun.since,
            due_soon_at=begun.due_soon_at,
            due_at=begun.due_at,
            escalation_level=clock.level,
            escalate_at=begun.escalate_at,
            sent_at=met.sent_at if met else None,
            reference_number=met.reference_number if met else None,
            stopped_because=clock.stopped,
        )


class PeriodicReport(BaseModel):
    """A report that recurs, by the protocol's table of duties."""

    clock: Code
    duty: str
    to: Code
    limit: Limit
    mark: Mark = Field(description="How well the duty is known")
    source: str
    counts_from: date | None = Field(description="Null: nobody has said from when, so no clock runs")
    periods: tuple[Period, ...]

    @classmethod
    def of(cls, duty: ReportingClock, periods: Periods) -> Self:
        begun = periods.begun.get(duty.id)
        stated = {name: getattr(duty, name) for name in ("duty", "to", "limit", "mark", "source")}
        return cls(
            clock=duty.id,
            **stated,
            counts_from=begun.counts_from if begun else None,
            periods=tuple(Period.of(each) for each in periods.of(duty.id)),
        )


@router.get("", responses=problems.of())
async def list_periodic_reports(_: MayRead, reports: ReportsDep) -> list[PeriodicReport]:
    """Every duty that recurs, with the clock of each of its periods as it stands now."""
    periods = await reports.periods()
    return [PeriodicReport.of(duty, periods) for duty in reports.facts.duties]


@router.get("/history", responses=problems.of())
async def get_periodic_reports_history(_: MayRead, reports: ReportsDep) -> list[HistoryEntry]:
    """What was recorded, by whom and when. Empty: nothing yet."""
    life = await reports.history()
    return answers.history(life, missing=NoSuchPeriodicReport()) if life else []


_ERRORS = (NoSuchPeriodicReport, CaseDatesContradict, OtherContentOnRecord)


@router.post("/{clock}/begin", responses={**problems.of(ReasonMissing, *_ERRORS), **answers.CHANGED})
async def begin_periodic_reporting(
    clock: DutyId,
    command: BeginPeriodicReporting,
    reports: ReportsDep,
    actor: MayActAsSponsor,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Say from which day on the periods of a duty count. Another day than before comes with a reason."""
    receipt = await reports.carry_out(clock, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, clock)


@router.post("/{clock}/record-sent", responses={**problems.of(NoPeriodicReportDue, *_ERRORS), **answers.CHANGED})
async def record_periodic_report(
    clock: DutyId,
    command: RecordPeriodicReport,
    reports: ReportsDep,
    actor: MayActAsSponsor,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Record that the report of the oldest period that waits was sent."""
    receipt = await reports.carry_out(clock, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, clock)
