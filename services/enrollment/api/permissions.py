"""Who may call what in enrollment."""

from typing import Annotated

from fastapi import Depends, Request

from services.enrollment.application import Enrollment
from services.enrollment.consent_documents import ConsentDocuments
from services.enrollment.dose_escalation import DoseEscalations
from shared.auth.permissions import ReadsCourses, ReadsTrialData, allow
from shared.kernel.actor import Actor, Role

# The hospital's integration engine (system) may enter what a coordinator may.
MayOpenSites = Annotated[Actor, Depends(allow(Role.SPONSOR, Role.SYSTEM))]
MayEnterData = Annotated[Actor, Depends(allow(Role.COORDINATOR, Role.INVESTIGATOR, Role.SYSTEM))]
MayKeepDocuments = Annotated[Actor, Depends(allow(Role.COORDINATOR, Role.INVESTIGATOR, Role.SPONSOR, Role.SYSTEM))]
MayAskForException = Annotated[Actor, Depends(allow(Role.INVESTIGATOR))]
MayDecideException = Annotated[Actor, Depends(allow(Role.SPONSOR))]
MayTransfer = Annotated[Actor, Depends(allow(Role.SPONSOR))]  # who acts for both sites
MayPauseDosing = Annotated[Actor, Depends(allow(Role.INVESTIGATOR, Role.SAFETY_OFFICER, Role.SPONSOR))]
MayResumeDosing = Annotated[Actor, Depends(allow(Role.SAFETY_OFFICER, Role.SPONSOR))]
MayDecideEscalation = Annotated[Actor, Depends(allow(Role.SAFETY_OFFICER))]  # the safety committee's, by its officer
MayOverride = Annotated[Actor, Depends(allow(Role.INVESTIGATOR, Role.SAFETY_OFFICER, Role.SPONSOR))]  # two of these
MayReadSites = ReadsTrialData
MayReadParticipants = ReadsCourses


async def _enrollment(request: Request) -> Enrollment:
    enrollment: Enrollment = request.app.state.enrollment
    return enrollment


async def _consent_documents(request: Request) -> ConsentDocuments:
    documents: ConsentDocuments = request.app.state.consent_documents
    return documents


async def _dose_escalations(request: Request) -> DoseEscalations:
    escalations: DoseEscalations = request.app.state.dose_escalations
    return escalations


EnrollmentDep = Annotated[Enrollment, Depends(_enrollment)]
ConsentDocumentsDep = Annotated[ConsentDocuments, Depends(_consent_documents)]
DoseEscalationsDep = Annotated[DoseEscalations, Depends(_dose_escalations)]
