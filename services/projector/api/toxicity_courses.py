"""The course of CRS, ICANS and IEC-HS of one participant."""

from uuid import UUID

from fastapi import Response

from services.projector.api.answering import Answer, table, tabular
from services.projector.api.asking import ProjectorDep, WaitFor, about
from services.projector.api.permissions import MayReadCourses
from services.projector.exports import sheets
from services.projector.readmodels.participants import NoSuchParticipant
from services.projector.readmodels.toxicity_episodes import ToxicityEpisode
from shared.http.negotiation import WantsCsv
from shared.http.service_app import router as _router

router = _router("/v1/participants", "Participants")


@router.get(
    "/{participant_id}/crs-icans-course",
    response_model=Answer[list[ToxicityEpisode]],
    responses=tabular(NoSuchParticipant),
)
async def crs_icans_course(
    participant_id: UUID,
    actor: MayReadCourses,
    csv: WantsCsv,
    projector: ProjectorDep,
    wait_for: WaitFor = None,
) -> Answer[list[ToxicityEpisode]] | Response:
    """Every episode with both grades at each instant, its maxima, and what was given; as CSV a line per observation."""
    question = about(participant_id, actor, wait_for)
    return table(question, await projector.crs_icans_course(question), sheets.crs_icans_course, as_csv=csv)
