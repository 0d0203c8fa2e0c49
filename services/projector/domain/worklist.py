"""The worklist of serious adverse events: which duties to tell are running, which are overdue, who has them in hand.

What is known here is whether the alert was delivered and whether a safety officer took it in hand, not whether a
regulator or a committee was told. So a duty is overdue when its instant passes before somebody has the alert in hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Figure
from shared.contracts.safety import ENDS, AlertCause, Grade, Notice, Outcome, Seriousness
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
    next_due_at: datetime | None = Field(description="The first instant due; None: the protocol asks to tell nobody")
    overdue: bool
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None

    @property
    def is_open(self) -> bool:
        return self.acknowledged_at is None

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


def worklist(raised: Iterable[Mapping[str, Any]], show: Show, *, now: datetime) -> Worklist:
    """Open alerts first, by the first instant due, then those in hand."""
    items = [item for each in raised if _is_shown(item := _item(each, now), show)]
    items.sort(key=lambda item: (not item.is_open, item.next_due_at is None, item.next_due_at or now, item.alert_id))
    sites = sorted({item.site_id for item in items})
    return Worklist(sites=tuple(_totals(site, items) for site in sites), items=tuple(items))


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
            return item.is_open or item.goes_on


def _item(raised: Mapping[str, Any], now: datetime) -> WorklistItem:
    notices = [Notice.model_validate(each) for each in raised["notices"]]
    duties = [
        Duty(**dict(notice), state=duty_state(notice.due_at, raised["acknowledged_at"], now))
        for notice in sorted(notices, key=lambda each: (each.due_at, each.clock))
    ]
    return WorklistItem(
        **{name: value for name, value in raised.items() if name in WorklistItem.model_fields and name != "retracted"},
        retracted=bool(raised["retracted"]),
        duties=tuple(duties),
        next_due_at=duties[0].due_at if duties else None,
        overdue=any(duty.state is DutyState.OVERDUE for duty in duties),
    )


def _totals(site: str, items: Sequence[WorklistItem]) -> SiteTotals:
    here = [item for item in items if item.site_id == site]
    return SiteTotals(
        site_id=site,
        listed=len(here),
        open=sum(item.is_open for item in here),
        overdue=sum(item.overdue for item in here),
    )
