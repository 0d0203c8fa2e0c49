"""What reports of a case tell of its participant: number, infusions, weight; copied from enrollment's events."""

from typing import Any

from sqlalchemy import select

from services.safety.domain.cases.facts import Subject
from services.safety.references import Participant
from services.safety.tables import infusions, participants, subjects
from shared.contracts.enrollment import CellsInfused, InfusionCorrected, InfusionRetracted, ParticipantScreened
from shared.contracts.enrollment_terms import Sex
from shared.contracts.safety_cases import ReportedInfusion
from shared.db import Database
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("case-subjects", tables=[subjects, infusions], topics=["trial.enrollment"])


async def subject(db: Database, participant: Participant) -> Subject:
    """The participant as a report may tell of them, as far as it has arrived."""
    key = str(participant.participant_id)
    known = participants.outerjoin(subjects, subjects.c.participant_id == participants.c.participant_id)
    who = select(participants.c.sex, participants.c.birth_month, subjects.c.subject_number).select_from(known)
    given = select(infusions).where(infusions.c.participant_id == key).order_by(infusions.c.number)
    async with db.connect() as connection:
        row = (await connection.execute(who.where(participants.c.participant_id == key))).one()
        rows = (await connection.execute(given)).all()
    return Subject(
        participant_id=participant.participant_id,
        site_id=participant.site_id,
        subject_number=row.subject_number,
        sex=Sex(row.sex) if row.sex else None,
        birth_month=row.birth_month,
        weight_kg=next((each.weight_kg for each in reversed(rows) if each.weight_kg is not None), None),
        infusions=tuple(ReportedInfusion.model_validate(each.infusion) for each in rows),
    )


@PROJECTION.on(ParticipantScreened)
def _(rows: Rows, event: ParticipantScreened, _envelope: Envelope) -> None:
    rows.upsert(subjects, {"participant_id": str(event.participant_id)}, subject_number=event.subject_number)


@PROJECTION.on(CellsInfused, InfusionCorrected)
def _(rows: Rows, event: CellsInfused | InfusionCorrected, _envelope: Envelope) -> None:
    told = event.model_dump(include=set(ReportedInfusion.model_fields))
    infusion = ReportedInfusion(number=event.infusion_number, **told)
    rows.upsert(infusions, _key(event), infusion=infusion.model_dump(mode="json"), weight_kg=event.weight_kg)


@PROJECTION.on(InfusionRetracted)
def _(rows: Rows, event: InfusionRetracted, _envelope: Envelope) -> None:
    rows.delete(infusions, _key(event))


def _key(event: CellsInfused | InfusionCorrected | InfusionRetracted) -> dict[str, Any]:
    return {"participant_id": str(event.participant_id), "number": event.infusion_number}
