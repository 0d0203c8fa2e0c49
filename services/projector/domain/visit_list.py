"""What is due, done, late or missed: each participant's visits, by kind of assessment."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import Figure
from shared.protocol import Assessment, Protocol
from shared.protocol.schedule import Status

# Adverse events are collected all the time: no visit of theirs can be missed.
KINDS = (Assessment.RESPONSE, Assessment.CAR_T_FLOW, Assessment.CYTOKINES)


class VisitOfParticipant(Figure):
    """One visit of one participant, for one kind of assessment. Dates are in the trial's time zone."""

    participant_id: UUID
    subject_number: str
    site_id: str
    assessment: Assessment
    visit: str
    label: str
    nominal_on: date
    opens_on: date
    closes_on: date
    status: Status
    sequence: int = Field(description="The order of a participant's visits")
    performed_on_day: int | None = Field(description="The study day on which it was done, infusion = day 0")


Performed = Mapping[tuple[UUID, Assessment], Sequence[datetime | date]]


def visits(
    protocol: Protocol, cohort: Sequence[Infused], performed: Performed, *, today: date
) -> list[VisitOfParticipant]:
    """Every visit of every participant: by participant, then in order of time, then by kind."""
    return [
        visit for who in sorted(cohort, key=lambda each: each.order) for visit in _of(protocol, who, performed, today)
    ]


def _of(protocol: Protocol, who: Infused, performed: Performed, today: date) -> Iterator[VisitOfParticipant]:
    states = [
        state
        for kind in KINDS
        for state in who.visits(protocol, kind, performed.get((who.participant_id, kind), ()), today)
    ]
    order = {visit.code: place for place, visit in enumerate(protocol.visits)}
    in_order = sorted(states, key=lambda each: (order[each.visit.code], KINDS.index(each.assessment)))
    for sequence, state in enumerate(in_order, start=1):
        yield VisitOfParticipant(
            participant_id=who.participant_id,
            subject_number=who.subject_number,
            site_id=who.site_id,
            assessment=state.assessment,
            visit=state.visit.code,
            label=state.visit.label,
            nominal_on=state.nominal,
            opens_on=state.opens,
            closes_on=state.closes,
            status=state.status,
            sequence=sequence,
            performed_on_day=None if state.performed is None else state.performed.day,
        )
