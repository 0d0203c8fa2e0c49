"""Specimens across participants: what the protocol plans, where each one is, what is missing and what is overdue.

A line for each planned specimen, with the one that serves it, then one for each that serves no visit: tubes that were
made of others, and draws between visits. Nothing planned is stored: it follows from visits, infusion and draws.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import Figure
from shared.contracts.biomarkers_specimens import Purpose, SpecimenCondition, SpecimenType
from shared.contracts.specimen_flags import SpecimenFlag, flags_of, suits
from shared.protocol import Assessment, Protocol
from shared.protocol.schedule import Status, VisitState
from shared.protocol.specimen_plan import SAMPLED, Drawn, specimens_by_visit


class SpecimenStatus(StrEnum):
    """Where a specimen stands. The first five are of planned ones without a specimen."""

    PLANNED = "planned"
    OVERDUE = "overdue"  # its visit's window closed, and nothing is on record
    MISSING = "missing"  # somebody recorded that it was not taken
    NOT_APPLICABLE = "not-applicable"  # follow-up ended before the window closed
    RESULT_WITHOUT_SPECIMEN = "result-without-specimen"
    COLLECTED = "collected"
    IN_TRANSIT = "in-transit"
    RECEIVED = "received"
    ALIQUOTED = "aliquoted"
    ANALYSED = "analysed"
    REJECTED = "rejected"
    LOST = "lost"


UNUSABLE = frozenset({SpecimenStatus.REJECTED, SpecimenStatus.LOST})


@dataclass(frozen=True, slots=True)
class Held:
    """A specimen as its custody has it. `because` is of the last step; `results` counts those that stand."""

    specimen_id: UUID
    participant_id: UUID
    status: SpecimenStatus
    since: datetime | None
    parent_id: UUID | None = None
    type: SpecimenType | None = None
    purposes: tuple[Purpose, ...] = ()
    collected_at: datetime | None = None
    condition: str | None = None
    because: str | None = None
    results: int = 0
    absent_from: tuple[str, Purpose] | None = None


class SpecimenLine(Figure):
    """One planned specimen, or one on record that serves no visit. Dates are in the trial's time zone."""

    participant_id: UUID
    subject_number: str
    site_id: str
    purpose: Purpose | None = Field(description="Null for a specimen that serves no visit")
    visit: str | None
    label: str | None
    opens_on: date | None
    closes_on: date | None
    status: SpecimenStatus
    specimen_id: UUID | None
    parent_id: UUID | None = Field(description="What this tube was made of")
    type: SpecimenType | None
    collected_at: datetime | None
    since: datetime | None = Field(description="When its last step took place; null for an analysis")
    condition: str | None = Field(description="As a laboratory last received it")
    because: str | None = Field(description="Why it was rejected, lost, or not taken")
    results: int = Field(description="Results that name it and stand; of a rejected one they are flagged")
    sequence: int = Field(description="The order of a participant's lines")


def flags_of_result(held: Held | None, *, type_: str, collected_at: datetime) -> tuple[SpecimenFlag, ...]:
    """What a reader of a result should know of its specimen; None: it names none that there is."""
    if held is None:
        return (SpecimenFlag.NO_SPECIMEN,)
    is_suited = held.type is not None and suits(held.type, type_)
    return flags_of(
        rejected=held.status is SpecimenStatus.REJECTED,
        lost=held.status is SpecimenStatus.LOST,
        condition=None if held.condition is None else SpecimenCondition(held.condition),
        differs=not is_suited or held.collected_at != collected_at,
    )


def without_specimen(told: Iterable[tuple[SpecimenFlag, ...]]) -> int:
    """How many results name no specimen, or none that there is."""
    return sum(SpecimenFlag.NO_SPECIMEN in flags for flags in told)


def of_flagged_specimen(told: Iterable[tuple[SpecimenFlag, ...]]) -> int:
    """How many results name a specimen of which something is to be known."""
    return sum(bool(flags) and SpecimenFlag.NO_SPECIMEN not in flags for flags in told)


Performed = Mapping[tuple[UUID, Assessment], Sequence[datetime]]


def specimen_lines(
    protocol: Protocol,
    people: Mapping[UUID, tuple[str, str]],
    cohort: Sequence[Infused],
    held: Sequence[Held],
    performed: Performed,
    *,
    today: date,
) -> list[SpecimenLine]:
    """Every line of every participant. `people` have their subject number and site; `performed` are results' draws."""
    infused = {each.participant_id: each for each in cohort}
    own: dict[UUID, list[Held]] = {who: [] for who in people}
    for each in held:
        if each.participant_id in own:
            own[each.participant_id].append(each)
    lines: list[SpecimenLine] = []
    for who, named in sorted(people.items(), key=lambda each: (each[1][0], each[0])):
        told = list(_planned(protocol, infused[who], own[who], performed, today)) if who in infused else []
        served = {specimen for _, _, specimen in told if specimen is not None}
        rest: list[Place] = [(None, each.status, each) for each in _in_time(own[who]) if each not in served]
        places = [*told, *rest]
        lines += [_line(who, named, place, number) for number, place in enumerate(places, start=1)]
    return lines


Place = tuple[VisitState | None, SpecimenStatus, Held | None]


def _in_time(held: Sequence[Held]) -> list[Held]:
    return sorted(held, key=lambda each: (each.collected_at is None, str(each.collected_at), str(each.specimen_id)))


def _planned(
    protocol: Protocol, who: Infused, held: Sequence[Held], performed: Performed, today: date
) -> Iterator[Place]:
    for assessment in SAMPLED:
        purpose = Purpose(assessment.value)
        drawn = [
            Drawn(each.specimen_id, each.collected_at, each.status not in UNUSABLE)
            for each in held
            if each.collected_at is not None and each.parent_id is None and purpose in each.purposes
        ]
        by_id = {each.specimen_id: each for each in held}
        absent = {each.absent_from: each for each in held if each.absent_from is not None}
        by_visit = specimens_by_visit(protocol, assessment, who.day_zero, drawn)
        served = {visit.code: specimen for visit, specimen in by_visit}
        for state in who.visits(protocol, assessment, performed.get((who.participant_id, assessment), ()), today):
            specimen_id = served[state.visit.code]
            found = absent.get((state.visit.code, purpose)) if specimen_id is None else by_id[specimen_id]
            yield state, _awaited(state) if found is None else found.status, found


def _awaited(state: VisitState) -> SpecimenStatus:
    match state.status:
        case Status.DONE | Status.LATE:
            return SpecimenStatus.RESULT_WITHOUT_SPECIMEN
        case Status.MISSED:
            return SpecimenStatus.OVERDUE
        case Status.NOT_APPLICABLE:
            return SpecimenStatus.NOT_APPLICABLE
        case _:
            return SpecimenStatus.PLANNED


_OF_HELD = ("specimen_id", "parent_id", "type", "collected_at", "since", "condition", "because")


def _line(who: UUID, named: tuple[str, str], place: Place, sequence: int) -> SpecimenLine:
    state, status, held = place
    told = dict.fromkeys(_OF_HELD) if held is None else {name: getattr(held, name) for name in _OF_HELD}
    visit = {
        "purpose": None if state is None else Purpose(state.assessment.value),
        "visit": None if state is None else state.visit.code,
        "label": None if state is None else state.visit.label,
        "opens_on": None if state is None else state.opens,
        "closes_on": None if state is None else state.closes,
    }
    named_by = {"participant_id": who, "subject_number": named[0], "site_id": named[1], "sequence": sequence}
    return SpecimenLine.model_validate(
        {**named_by, **visit, **told, "status": status, "results": 0 if held is None else held.results}
    )
