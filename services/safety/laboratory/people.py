"""Whose results a laboratory sends: participants of its site, by id or subject number, as far as they have arrived."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from services.safety.domain.lab_results.rows import Person, SentRow
from services.safety.tables import participants, subjects
from shared.contracts.enrollment_terms import Sex
from shared.db import Database

_AT_ONCE = 400
_KNOWN = select(participants, subjects.c.subject_number).select_from(
    participants.outerjoin(subjects, subjects.c.participant_id == participants.c.participant_id)
)


@dataclass(frozen=True, slots=True)
class People:
    """Participants of one site by what a row may call them."""

    by_id: dict[UUID, Person]
    by_number: dict[str, Person]

    def of(self, row: SentRow) -> Person | None:
        """The participant of a row; None: unknown here, or its two names mean two people."""
        named = [
            *([self._by_id(row.participant_id)] if row.participant_id is not None else []),
            *([self.by_number.get(row.subject_number.strip())] if row.subject_number is not None else []),
        ]
        return named[0] if named and all(each == named[0] for each in named) else None

    def _by_id(self, text: str) -> Person | None:
        found = _uuid(text)
        return None if found is None else self.by_id.get(found)


async def people(db: Database, site_id: str, rows: Iterable[SentRow]) -> People:
    """The participants that rows name, of one site alone."""
    ids = {str(found) for row in rows if row.participant_id and (found := _uuid(row.participant_id)) is not None}
    numbers = {row.subject_number.strip() for row in rows if row.subject_number}
    arrived: list[Any] = []
    names = [*((participants.c.participant_id, each) for each in sorted(ids))]
    names += [(subjects.c.subject_number, each) for each in sorted(numbers)]
    async with db.connect() as connection:
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            named = or_(*(column.in_([text for of, text in part if of is column]) for column in dict(part)))
            arrived += (await connection.execute(_KNOWN.where(participants.c.site_id == site_id, named))).all()
    read = [(_person(row), row.subject_number) for row in arrived]
    return People(
        {person.participant_id: person for person, _ in read},
        {number: person for person, number in read if number is not None},
    )


def _person(row: Any) -> Person:
    sex = None if row.sex is None else Sex(row.sex)
    return Person(UUID(row.participant_id), ZoneInfo(row.time_zone), sex, row.birth_month, row.infused_at)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
