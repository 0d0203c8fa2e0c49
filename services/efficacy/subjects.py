"""Participants by subject number, copied from enrollment's events: a file may say whose it is."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from services.efficacy.tables import subjects
from shared.contracts.enrollment import ParticipantScreened
from shared.db import Database
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("subjects", tables=[subjects], topics=["trial.enrollment"])


@PROJECTION.on(ParticipantScreened)
def _(rows: Rows, event: ParticipantScreened, _envelope: Envelope) -> None:
    rows.upsert(subjects, {"participant_id": str(event.participant_id)}, subject_number=event.subject_number)


async def anothers(db: Database, numbers: Collection[str], participant_id: UUID) -> bool:
    """Whether one of the numbers is the subject number of another participant."""
    query = select(subjects.c.participant_id).where(
        subjects.c.subject_number.in_(numbers), subjects.c.participant_id != str(participant_id)
    )
    async with db.connect() as connection:
        return (await connection.execute(query.limit(1))).first() is not None
