"""The tumour burden of one participant: all lesions, assessments and responses, and how they came about."""

from fastapi import APIRouter, Response

from services.efficacy.api.permissions import EfficacyDep, MayRead, ParticipantPath
from services.efficacy.api.views import TumourBurden
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry
from shared.http.service_app import router as make_router
from shared.kernel.errors import NoSuchParticipant

router: APIRouter = make_router("/v1/participants/{participant_id}/tumour-burden", "Tumour burden")


@router.get("", responses={**problems.of(NoSuchParticipant), **answers.VERSIONED})
async def get_tumour_burden(
    participant_id: ParticipantPath, efficacy: EfficacyDep, actor: MayRead, response: Response
) -> TumourBurden:
    """Lesions, assessments in order of time, and the response to each. Its ETag is what every change names."""
    participant, state, version = await efficacy.tumour_burden(participant_id, by=actor)
    response.headers["ETag"] = etags.of(version)
    return TumourBurden.of(state, participant_id=participant_id, site_id=participant.site_id)


@router.get("/history", responses=problems.of(NoSuchParticipant))
async def get_tumour_burden_history(
    participant_id: ParticipantPath, efficacy: EfficacyDep, actor: MayRead
) -> list[HistoryEntry]:
    """Who recorded what about this participant's tumour, when, and why. Empty: nothing yet."""
    envelopes = await efficacy.history(participant_id, by=actor)
    return answers.history(envelopes, missing=NoSuchParticipant()) if envelopes else []
