"""HL7 v2 ORU^R01 over HTTP: the message in, its acknowledgement out."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.biomarkers.api.intake_permissions import FeedsDep, MaySend
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.kernel.errors import StaleVersion

router: APIRouter = make_router("/v1/hl7v2", "Feeds")

MEDIA_TYPE = "application/hl7-v2"
_ACK: dict[str, Any] = {MEDIA_TYPE: {"schema": {"type": "string"}}}
_PROBLEMS = problems.of(StaleVersion)


@router.post(
    "",
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
    responses={
        **_PROBLEMS,
        200: {"description": "AA: on record. AE: some of it waits in quarantine, ERR says why", "content": _ACK},
        422: {"description": "AR: refused and kept nowhere, ERR says why", "content": _ACK | _PROBLEMS[422]["content"]},
    },
)
async def take_hl7_message(feeds: FeedsDep, actor: MaySend, request: Request) -> Response:
    """Take an ORU^R01 in. The same message (MSH-10 of the same sender) again is answered as the first time.

    The sender (MSH-3, MSH-4) is a registered source, which tells the zone of times without one and what its codes mean.
    """
    acknowledgement, kept = await feeds.take_hl7(await request.body(), by=actor)
    return Response(acknowledgement, 200 if kept else 422, media_type=MEDIA_TYPE)
