"""The protocol of the trial, as data."""

from services.projector.api.asking import ProjectorDep
from services.projector.api.permissions import MayPlan
from shared.http import problems
from shared.http.service_app import router as _router
from shared.protocol import Protocol

router = _router("/v1/protocol", "Protocol")


@router.get("", responses=problems.of())
async def protocol(_actor: MayPlan, projector: ProjectorDep) -> Protocol:
    """What the trial has decided beforehand: outcomes, schedule, criteria. `ref` and `sha256` name this very text."""
    return projector.protocol
