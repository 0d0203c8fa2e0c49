"""Adverse events of special interest."""

from fastapi import Response

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import AskedDep, ProjectorDep
from services.projector.api.permissions import MayReadCourses
from services.projector.exports import sheets
from services.projector.readmodels.special_interest import SpecialInterests
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/special-interest", "Adverse events")


@router.get("", response_model=Answer[SpecialInterests], responses=tabular())
async def adverse_events_of_special_interest(
    actor: MayReadCourses, asked: AskedDep, csv: WantsCsv, projector: ProjectorDep
) -> Answer[SpecialInterests] | Response:
    """The protocol's kinds of special interest, each with its events: by term, grade and time since the infusion."""
    question = asked.by(actor)
    return table(question, await projector.special_interests(question), sheets.special_interests, as_csv=csv)
