"""Who may do what to adverse events and alerts, within their sites."""

from typing import Annotated

from fastapi import Depends, Request

from services.safety.application import Safety
from services.safety.consent_flags import ConsentFlags
from services.safety.notices.alerts import Alerts
from shared.auth.permissions import ReadsCourses, ReadsTrialData, allow
from shared.kernel.actor import Actor, Role

# The dictionary and the grading rules: nothing of a participant.
MayLookUp = ReadsTrialData

MayRead = ReadsCourses

# Data entry: what the site saw, and when.
MayReport = Annotated[Actor, Depends(allow(Role.INVESTIGATOR, Role.COORDINATOR, Role.SYSTEM))]

# Medical judgement, and changing what is on record: a physician's, never delegated to data entry.
MayJudge = Annotated[Actor, Depends(allow(Role.INVESTIGATOR))]

MayAcknowledge = Annotated[Actor, Depends(allow(Role.SAFETY_OFFICER))]


async def _safety(request: Request) -> Safety:
    safety: Safety = request.app.state.safety
    return safety


async def _alerts(request: Request) -> Alerts:
    alerts: Alerts = request.app.state.alerts
    return alerts


async def _flags(request: Request) -> ConsentFlags:
    flags: ConsentFlags = request.app.state.consent_flags
    return flags


SafetyDep = Annotated[Safety, Depends(_safety)]
AlertsDep = Annotated[Alerts, Depends(_alerts)]
FlagsDep = Annotated[ConsentFlags, Depends(_flags)]
