"""Who may call what in enrollment."""

from typing import Annotated

from fastapi import Depends, Request

from services.enrollment.application import Enrollment
from shared.auth.permissions import ReadsCourses, ReadsTrialData, allow
from shared.kernel.actor import Actor, Role

# The hospital's integration engine (system) may enter what a coordinator may.
MayOpenSites = Annotated[Actor, Depends(allow(Role.SPONSOR, Role.SYSTEM))]
MayEnterData = Annotated[Actor, Depends(allow(Role.COORDINATOR, Role.INVESTIGATOR, Role.SYSTEM))]
MayReadSites = ReadsTrialData
MayReadParticipants = ReadsCourses


async def _enrollment(request: Request) -> Enrollment:
    enrollment: Enrollment = request.app.state.enrollment
    return enrollment


EnrollmentDep = Annotated[Enrollment, Depends(_enrollment)]
