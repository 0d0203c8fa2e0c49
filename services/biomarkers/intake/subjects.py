"""Participants by subject number, copied from enrollment's events: feeds name people by it, never by name.

Of who was handed to another site, a source of the former one still sends what was collected until then.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select

from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.tables import former_sites, subjects
from shared.contracts.enrollment import ParticipantScreened, ParticipantTransferred
from shared.db import Database
from shared.former_sites import note
from shared.kernel.actor import Actor
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("subjects", tables=[subjects, former_sites], topics=["trial.enrollment"])
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
    note(rows, former_sites, event)


async def gone_from(db: Database, source: ResultSource | None) -> dict[UUID, date]:
    """Who was handed from the source's site to another one, and the last day there."""
    if source is None:
        return {}
    async with db.connect() as connection:
        gone = await connection.execute(select(former_sites).where(former_sites.c.site_id == source.site_id))
        return {UUID(row.participant_id): date.fromisoformat(row.until) for row in gone.all()}


async def numbered(
    db: Database, numbers: Collection[str], by: Actor, source: ResultSource | None, gone: Collection[UUID]
) -> dict[str, UUID]:
    """Participants by subject number, of the source's site alone, and of the caller's sites; and those gone from it."""
    wanted, found = sorted(numbers), dict[str, UUID]()
    async with db.connect() as connection:
        for start in range(0, len(wanted), _AT_ONCE):
            query = select(subjects).where(subjects.c.subject_number.in_(wanted[start : start + _AT_ONCE]))
            found |= {
                row.subject_number: who
                for row in (await connection.execute(query)).all()
                if (who := UUID(row.participant_id)) in gone
                or (by.may_see(row.site_id) and (source is None or source.site_id == row.site_id))
            }
    return found
