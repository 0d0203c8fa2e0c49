"""Participants by subject number, copied from enrollment's events: feeds name people by it, never by name."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.tables import subjects
from shared.contracts.enrollment import ParticipantScreened, ParticipantTransferred
from shared.db import Database
from shared.kernel.actor import Actor
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("subjects", tables=[subjects], topics=["trial.enrollment"])
_AT_ONCE = 400


@PROJECTION.on(ParticipantScreened)
def _(rows: Rows, event: ParticipantScreened, _envelope: Envelope) -> None:
    rows.upsert(
        subjects,
        {"participant_id": str(event.participant_id)},
        subject_number=event.subject_number,
        site_id=event.site_id,
    )


@PROJECTION.on(ParticipantTransferred)
def _(rows: Rows, event: ParticipantTransferred, _envelope: Envelope) -> None:
    rows.upsert(subjects, {"participant_id": str(event.participant_id)}, site_id=event.site_id)


async def numbered(db: Database, numbers: Collection[str], by: Actor, source: ResultSource | None) -> dict[str, UUID]:
    """Participants by subject number, of the source's site alone, and of the caller's sites."""
    wanted, found = sorted(numbers), dict[str, UUID]()
    async with db.connect() as connection:
        for start in range(0, len(wanted), _AT_ONCE):
            query = select(subjects).where(subjects.c.subject_number.in_(wanted[start : start + _AT_ONCE]))
            found |= {
                row.subject_number: UUID(row.participant_id)
                for row in (await connection.execute(query)).all()
                if by.may_see(row.site_id) and (source is None or source.site_id == row.site_id)
            }
    return found
