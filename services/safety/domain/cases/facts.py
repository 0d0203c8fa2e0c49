"""What a decision about a case needs beside the case: the adverse event as it became known, and what was expected."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import reduce
from typing import Any, Self
from uuid import UUID

from services.safety.domain import adverse_event, record
from services.safety.domain.cases import reference_safety_information as rsi
from services.safety.domain.cases.reference_safety_information import Listings
from services.safety.domain.record import OnRecord, Retracted
from shared.contracts.enrollment_terms import Sex
from shared.contracts.safety import AdverseEventEvent
from shared.contracts.safety_cases import ReferenceSafetyInformationEvent, ReportedInfusion
from shared.contracts.terms import ParticipantId
from shared.kernel.events import Envelope
from shared.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the adverse event's stream, and when the trial's database had it."""

    version: int
    recorded_at: datetime
    event: AdverseEventEvent

    @classmethod
    def of(cls, envelope: Envelope) -> Self:
        event: Any = envelope.event()
        return cls(envelope.version, envelope.recorded_at, event)


@dataclass(frozen=True, slots=True)
class Listed:
    """One event of the reference safety information's stream, and when it was recorded."""

    recorded_at: datetime
    event: ReferenceSafetyInformationEvent

    @classmethod
    def of(cls, envelope: Envelope) -> Self:
        event: Any = envelope.event()
        return cls(envelope.recorded_at, event)


@dataclass(frozen=True, slots=True)
class Subject:
    """The participant, as a report may tell of them. None: not known here."""

    participant_id: ParticipantId
    site_id: str
    subject_number: str | None
    sex: Sex | None
    birth_month: str | None
    weight_kg: Decimal | None
    infusions: tuple[ReportedInfusion, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """`zone` is the site's; `entries` are never empty, `listed` may be."""

    now: datetime
    zone: tzinfo
    protocol: Protocol
    subject: Subject
    entries: tuple[Entry, ...]
    listed: tuple[Listed, ...]

    @property
    def product(self) -> str:
        """The agent that is the study product: the first that the protocol lists."""
        return self.protocol.causality.agents.value[0]

    @property
    def event(self) -> OnRecord | Retracted:
        """The adverse event as it stands."""
        return event_after(self.entries)

    @property
    def event_id(self) -> UUID:
        return on_record(self.event).adverse_event_id

    @property
    def version(self) -> int:
        return self.entries[-1].version


def event_after(entries: tuple[Entry, ...]) -> OnRecord | Retracted:
    """The adverse event as it stood after these entries.

    Raises:
        NoSuchAdverseEvent: they do not begin with its report.
    """
    start: record.State = record.Unreported()
    state = reduce(record.evolve, (entry.event for entry in entries), start)
    if isinstance(state, record.Unreported):
        raise adverse_event.NoSuchAdverseEvent("no adverse event has this id")
    return state


def listings_after(listed: tuple[Listed, ...]) -> Listings:
    return rsi.DECIDER.fold(each.event for each in listed)


def on_record(event: OnRecord | Retracted) -> OnRecord:
    """The facts of an event, which a retraction leaves as they were."""
    return event.was if isinstance(event, Retracted) else event
