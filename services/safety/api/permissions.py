"""Who may do what to adverse events and alerts, within their sites."""

from typing import Annotated

from fastapi import Depends, Request

from services.safety.application import Safety
from services.safety.toxicity.dose_limiting import DoseLimitingToxicities
from services.safety.toxicity.halts import DosingHalts
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

# Whether a toxicity limits the dose, and what becomes of a halt: the safety committee's, by its officer.
MayDecide = MayAcknowledge

# The history of halts names participants of every site.
MayReadHalts = Annotated[Actor, Depends(allow(Role.SAFETY_OFFICER, Role.SPONSOR))]


async def _safety(request: Request) -> Safety:
    safety: Safety = request.app.state.safety
    return safety


SafetyDep = Annotated[Safety, Depends(_safety)]


async def _dose_limiting(request: Request) -> DoseLimitingToxicities:
    toxicities: DoseLimitingToxicities = request.app.state.dose_limiting
    return toxicities


DoseLimitingDep = Annotated[DoseLimitingToxicities, Depends(_dose_limiting)]


async def _halts(request: Request) -> DosingHalts:
    halts: DosingHalts = request.app.state.halts
    return halts


HaltsDep = Annotated[DosingHalts, Depends(_halts)]
