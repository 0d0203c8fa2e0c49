"""Cells, or copies, of each participant over time, as a figure shows them: counted, or below a limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.projector.domain.persistence import Persistence
from shared.response.readings import Best


@dataclass(frozen=True, slots=True)
class CountAt:
    """One sample on its study day: a number, or (`below`) the limit it lies below, which may be unknown (None)."""

    day: int
    number: Decimal | None
    below: bool


@dataclass(frozen=True, slots=True)
class CountCourse:
    """One participant's samples after the infusion that give a number or a limit, in order of time."""

    subject_number: str
    best: str
    counts: tuple[CountAt, ...]


def count_courses(table: Persistence, best: Mapping[UUID, Best]) -> list[CountCourse]:
    """Of everybody infused, by subject number."""
    return [
        CountCourse(
            who.subject_number,
            best[who.participant_id],
            tuple(
                CountAt(each.day, each.value.number, each.value.qualifier is not None)
                for each in who.samples
                if each.value is not None
            ),
        )
        for who in table.participants
    ]
