"""Whose results a laboratory sends: participants of its site, by id or subject number, as far as they have arrived.

Of those who were handed to another site it sends what was collected until then.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, null, or_, select

from services.safety.domain.lab_results.rows import Lymphodepletion, Person, SentRow, said
from services.safety.tables import former_sites, lymphodepletions, participants, subjects
from shared.contracts.enrollment_terms import Sex
from shared.db import Database
from shared.kernel.errors import NoSuchParticipant

_AT_ONCE = 400
_WHO = participants.c.participant_id
_PREPARED = and_(lymphodepletions.c.participant_id == _WHO, lymphodepletions.c.prepares_infusion == 1)
_JOINED = participants.outerjoin(subjects, subjects.c.participant_id == _WHO).outerjoin(lymphodepletions, _PREPARED)
_KNOWN = select(participants, subjects.c.subject_number, lymphodepletions.c.began_on, lymphodepletions.c.first_dose_at)

_ANYWHERE = _KNOWN.add_columns(null().label("until")).select_from(_JOINED)


def _at(site_id: str) -> Select[Any]:
    """Who is at a site, and who was, with the last day there."""
    here = and_(former_sites.c.participant_id == _WHO, former_sites.c.site_id == site_id)
    known = _KNOWN.add_columns(former_sites.c.until).select_from(_JOINED.outerjoin(former_sites, here))
    return known.where(or_(participants.c.site_id == site_id, former_sites.c.until.is_not(None)))


@dataclass(frozen=True, slots=True)
class People:
    """Participants of one site by what a row may call them."""

    by_id: dict[UUID, Person]
    by_number: dict[str, Person]

    def of(self, row: SentRow) -> Person | None:
        """The participant of a row; None: unknown here, or its two names mean two people."""
        named = [
            *([self._by_id(own)] if (own := said(row.participant_id)) else []),
            *([self.by_number.get(number)] if (number := said(row.subject_number)) else []),
        ]
        return named[0] if named and all(each == named[0] for each in named) else None

    def _by_id(self, text: str) -> Person | None:
        found = _uuid(text)
        return None if found is None else self.by_id.get(found)


async def people(db: Database, site_id: str, rows: Iterable[SentRow]) -> People:
    """The participants that rows name, of those who are at one site or were."""
    ids = {str(found) for row in rows if row.participant_id and (found := _uuid(row.participant_id)) is not None}
    numbers = {number for row in rows if (number := said(row.subject_number))}
    arrived: list[Any] = []
    names = [*((participants.c.participant_id, each) for each in sorted(ids))]
    names += [(subjects.c.subject_number, each) for each in sorted(numbers)]
    async with db.connect() as connection:
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            named = or_(*(column.in_([text for of, text in part if of is column]) for column in dict(part)))
            arrived += (await connection.execute(_at(site_id).where(named))).all()
    read = [_person(rows) for rows in _by_participant(arrived)]
    return People(
        {each.participant_id: each for each, _ in read},
        {number: each for each, number in read if number is not None},
    )


async def person(db: Database, participant_id: UUID) -> Person:
    """The participant of this id.

    Raises:
        NoSuchParticipant: none is known here yet.
    """
    async with db.connect() as connection:
        rows = (await connection.execute(_ANYWHERE.where(participants.c.participant_id == str(participant_id)))).all()
    if not rows or rows[0].site_id is None:
        raise NoSuchParticipant
    found, _ = _person(rows)
    return found


def _by_participant(rows: Sequence[Any]) -> Iterator[list[Any]]:
    """Rows of the same participant, one for each lymphodepletion; of who was named twice they stand here twice."""
    of: dict[str, list[Any]] = {}
    for row in rows:
        of.setdefault(row.participant_id, []).append(row)
    yield from of.values()


def _person(rows: Sequence[Any]) -> tuple[Person, str | None]:
    """A participant, and the subject number as far as it has arrived."""
    row = rows[0]
    known = Person(
        UUID(row.participant_id),
        ZoneInfo(row.time_zone),
        None if row.sex is None else Sex(row.sex),
        row.birth_month,
        row.infused_at,
        tuple(dict.fromkeys(Lymphodepletion(e.began_on, e.first_dose_at) for e in rows if e.began_on is not None)),
        None if row.until is None else date.fromisoformat(row.until),
    )
    return known, row.subject_number


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
