"""What the safety service publishes of the reports that recur, whatever happens: line listings, yearly safety reports.

They are duties of the trial, so they are one stream of the trial and name nobody. Each period has a clock, which takes
the steps that the clock of a case takes.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from shared.contracts.terms import Code, Instant, ProtocolRef, Reason, ReferenceNumber
from shared.kernel.events import Event

PeriodicClockId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,19}-[a-z0-9]+(-[a-z0-9]+)*-[1-9]\d{0,3}$"),
    Field(description="The trial, the clock of its protocol, and the clock's number", examples=["CMD03-dsur-1"]),
]


class PeriodicStopCause(StrEnum):
    """Why a clock stopped before its report was sent."""

    COUNTED_ANEW = "counted-anew"  # the day from which periods count was corrected


class PeriodicReportingBegun(Event, type="safety.periodic-reporting-begun", version=1):
    """A duty that recurs counts from a day on; said again with a reason, the day was wrong before."""

    clock: Code = Field(description="The clock's id in the protocol", examples=["dsur"])
    counts_from: date
    reason: Reason | None
    protocol: ProtocolRef


class _OfClock(BaseModel):
    """What every event of a clock says: which one, whom to tell, and until when."""

    clock_id: PeriodicClockId
    clock: Code
    to: Code = Field(description="Who is to be told", examples=["ethics-committee"])
    due_at: Instant


class PeriodicClockStarted(_OfClock, Event, type="safety.periodic-clock-started", version=1):
    """A period's report is to be sent. The steps are fixed here, whatever a later protocol says."""

    number: int = Field(ge=1, description="1 for the duty's first clock")
    since: Instant = Field(description="The report before, or the data lock point")
    due_soon_at: Instant
    escalate_at: tuple[Instant, ...]
    protocol: ProtocolRef


class PeriodicClockDueSoon(_OfClock, Event, type="safety.periodic-clock-due-soon", version=1):
    """The report is due soon, and not on record."""

    at: Instant = Field(description="The instant of this step; it may lie long before it was recorded")


class PeriodicClockEscalated(_OfClock, Event, type="safety.periodic-clock-escalated", version=1):
    """The report is not on record: the next one up is to be told."""

    level: int = Field(ge=1)
    at: Instant


class PeriodicClockMissed(_OfClock, Event, type="safety.periodic-clock-missed", version=1):
    """The instant passed, and no report was on record."""


class PeriodicClockMet(_OfClock, Event, type="safety.periodic-clock-met", version=1):
    """Somebody recorded that the report was sent: in time, or late."""

    sent_at: Instant
    reference_number: ReferenceNumber | None
    late: bool


class PeriodicClockStopped(_OfClock, Event, type="safety.periodic-clock-stopped", version=1):
    """The period is none."""

    because: PeriodicStopCause


PeriodicStep = PeriodicClockDueSoon | PeriodicClockEscalated | PeriodicClockMissed
PeriodicReportEvent = (
    PeriodicReportingBegun | PeriodicClockStarted | PeriodicStep | PeriodicClockMet | PeriodicClockStopped
)
