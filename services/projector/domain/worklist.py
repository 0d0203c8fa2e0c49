"""The worklist of serious adverse events: which duties to tell are running, which are overdue, who has them in hand.

An alert's `duties` say whether a safety officer took it in hand before each was due; its `clocks`, whether a report
did each. A clock that no alert started (of a suspected unexpected reaction, of a report) stands at the event's last
alert. As long as a clock runs its event stays listed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Figure
from shared.contracts.safety import ENDS, AlertCause, Grade, Notice, Outcome, Seriousness
from shared.contracts.safety_cases import CaseUrgency, ClockCause, ReportKind, StopCause
from shared.contracts.terms import PartialDate, SiteId


class DutyState(StrEnum):
    """How one duty to tell stands."""

    RUNNING = "running"
    OVERDUE = "overdue"  # nobody has the alert in hand, and the instant has passed
    IN_HAND = "in-hand"  # acknowledged in time
    IN_HAND_LATE = "in-hand-late"


class Show(StrEnum):
    """Which alerts to list."""

    UNRESOLVED = "unresolved"  # nobody has it in hand, or the event goes on
    OPEN = "open"  # nobody has it in hand
    ALL = "all"


class Duty(Notice):
    """One of the protocol's clocks, and how it stands now."""

    state: DutyState


class ClockState(StrEnum):
    """How a clock stands now."""

    RUNNING = "running"
    DUE_SOON = "due-soon"
    MISSED = "missed"  # its instant has passed, and no report did the duty
    MET = "met"
    MET_LATE = "met-late"
    STOPPED = "stopped"


class WorklistClock(Figure):
    """A duty to report, and whether it was done."""

    clock_id: str
    clock: str = Field(description="Its id in the protocol")
    to: str
    cause: ClockCause
    since: datetime
    due_at: datetime
    state: ClockState
    escalation_level: int = Field(description="0: not escalated")
    met_at: datetime | None
    report_number: int | None = Field(description="The report that did the duty")
    stopped_because: StopCause | None

    @property
    def runs(self) -> bool:
        return self.state in {ClockState.RUNNING, ClockState.DUE_SOON, ClockState.MISSED}


class SentReport(Figure):
    """A version of the report that was sent. `answered` None: not yet."""

    number: int
    kind: ReportKind
    recipient: str
    sent_at: datetime
    answered: str | None


class WorklistItem(Figure):
    """An alert of a serious adverse event. An event that was retracted keeps its alerts: what was told was told."""

    alert_id: str
    adverse_event_id: UUID
    participant_id: UUID
    subject_number: str | None = Field(description="None: the participant has not arrived here yet")
    site_id: SiteId
    number: int = Field(description="1 for the event's first alert")
    because: AlertCause
    seriousness: tuple[Seriousness, ...] = Field(description="As it was when the alert was raised")
    grade: Grade = Field(description="As it was when the alert was raised")
    term: str | None
    onset: PartialDate | None
    outcome: Outcome | None
    ended_on: PartialDate | None
    retracted: bool
    became_aware_at: datetime
    raised_at: datetime
    duties: tuple[Duty, ...]
    clocks: tuple[WorklistClock, ...] = Field(description="By due instant. Empty: none has been started yet")
    reports: tuple[SentReport, ...] = Field(description="Of the event, in the order of their numbers")
    susar: CaseUrgency | None = Field(description="None: no suspected unexpected serious adverse reaction")
    assessed_at: datetime | None = Field(description="When the sponsor last assessed it; None: not yet")
    next_due_at: datetime | None = Field(
        description="The first instant due of what is still to be done; None: nothing is"
    )
    overdue: bool = Field(description="A report is late; before its clocks have started: nobody has it in hand in time")
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None

    @property
    def is_open(self) -> bool:
        return self.acknowledged_at is None

    @property
    def has_duties(self) -> bool:
        return any(clock.runs for clock in self.clocks)

    @property
    def goes_on(self) -> bool:
        return not self.retracted and not (self.outcome in ENDS and self.ended_on is not None)


class SiteTotals(Figure):
    """What waits at one site."""

    site_id: SiteId
    listed: int
    open: int
    overdue: int


class Worklist(Figure):
    """The alerts, the most urgent first, and how many wait at each site."""

    sites: tuple[SiteTotals, ...]
    items: tuple[WorklistItem, ...]


def worklist(
    raised: Iterable[Mapping[str, Any]], cases: Mapping[UUID, Mapping[str, Any]], show: Show, *, now: datetime
) -> Worklist:
    """Open alerts and those with duties left first, by the first instant due, then those in hand."""
    alerts = list(raised)
    last = {each["adverse_event_id"]: each["number"] for each in sorted(alerts, key=lambda each: int(each["number"]))}
    items = []
    for alert in alerts:
        case = cases.get(alert["adverse_event_id"], _NO_CASE)
        item = _item(alert, case, is_last=alert["number"] == last[alert["adverse_event_id"]], now=now)
        if _is_shown(item, show):
            items.append(item)
    items.sort(key=lambda item: _urgency(item, now))
    sites = sorted({item.site_id for item in items})
    return Worklist(sites=tuple(_totals(site, items) for site in sites), items=tuple(items))


_NO_CASE: Mapping[str, Any] = {"susar": None, "assessed_at": None, "clocks": (), "reports": ()}


def _urgency(item: WorklistItem, now: datetime) -> tuple[bool, bool, datetime, str]:
    waits = item.is_open or item.has_duties
    return not waits, item.next_due_at is None, item.next_due_at or now, item.alert_id


def clock_state(clock: Mapping[str, Any], now: datetime) -> ClockState:
    """The instant itself is still in time."""
    if clock["met_at"] is not None:
        return ClockState.MET_LATE if clock["late"] else ClockState.MET
    if clock["stopped_because"] is not None:
        return ClockState.STOPPED
    if clock["missed"] or clock["due_at"] < now:
        return ClockState.MISSED
    return ClockState.DUE_SOON if clock["due_soon"] else ClockState.RUNNING


def duty_state(due_at: datetime, acknowledged_at: datetime | None, now: datetime) -> DutyState:
    """The instant itself is still in time."""
    if acknowledged_at is not None:
        return DutyState.IN_HAND if acknowledged_at <= due_at else DutyState.IN_HAND_LATE
    return DutyState.RUNNING if now <= due_at else DutyState.OVERDUE


def _is_shown(item: WorklistItem, show: Show) -> bool:
    match show:
        case Show.ALL:
            return True
        case Show.OPEN:
            return item.is_open
        case _:
            return item.is_open or item.goes_on or item.has_duties


def _item(raised: Mapping[str, Any], case: Mapping[str, Any], *, is_last: bool, now: datetime) -> WorklistItem:
    notices = [Notice.model_validate(each) for each in raised["notices"]]
    duties = [
        Duty(**dict(notice), state=duty_state(notice.due_at, raised["acknowledged_at"], now))
        for notice in sorted(notices, key=lambda each: (each.due_at, each.clock))
    ]
    clocks = _clocks(raised["alert_id"], case["clocks"], is_last=is_last, now=now)
    told = {name: value for name, value in raised.items() if name in WorklistItem.model_fields and name != "retracted"}
    return WorklistItem(
        **told,
        retracted=bool(raised["retracted"]),
        duties=tuple(duties),
        clocks=tuple(clocks),
        reports=tuple(_of_fields(SentReport, each) for each in case["reports"]),
        susar=case["susar"],
        assessed_at=case["assessed_at"],
        next_due_at=_next_due(duties, clocks),
        overdue=_is_overdue(duties, clocks),
    )


def _clocks(alert_id: str, clocks: Iterable[Mapping[str, Any]], *, is_last: bool, now: datetime) -> list[WorklistClock]:
    """Those that the alert started, and at the last alert those that no alert did."""
    here = [
        _of_fields(WorklistClock, {**each, "state": clock_state(each, now)})
        for each in clocks
        if each["reference"] == alert_id or (is_last and each["cause"] != ClockCause.ALERT)
    ]
    return sorted(here, key=lambda clock: (clock.due_at, clock.clock_id))


F = TypeVar("F", bound=Figure)


def _of_fields(kind: type[F], row: Mapping[str, Any]) -> F:
    return kind.model_validate({name: row[name] for name in kind.model_fields})


def _next_due(duties: Sequence[Duty], clocks: Sequence[WorklistClock]) -> datetime | None:
    instants = [clock.due_at for clock in clocks if clock.runs] if clocks else [duty.due_at for duty in duties]
    return min(instants, default=None)


def _is_overdue(duties: Sequence[Duty], clocks: Sequence[WorklistClock]) -> bool:
    if clocks:
        return any(clock.state is ClockState.MISSED for clock in clocks)
    return any(duty.state is DutyState.OVERDUE for duty in duties)


def _totals(site: str, items: Sequence[WorklistItem]) -> SiteTotals:
    here = [item for item in items if item.site_id == site]
    return SiteTotals(
        site_id=site,
        listed=len(here),
        open=sum(item.is_open for item in here),
        overdue=sum(item.overdue for item in here),
    )
