"""Who may call what in enrollment."""

from typing import Annotated

from fastapi import Depends, Request

from services.enrollment.application import Enrollment
from services.enrollment.consent_documents import ConsentDocuments
from shared.auth.permissions import ReadsCourses, ReadsTrialData, allow
from shared.kernel.actor import Actor, Role

# The hospital's integration engine (system) may enter what a coordinator may.
MayOpenSites = Annotated[Actor, Depends(allow(Role.SPONSOR, Role.SYSTEM))]
MayEnterData = Annotated[Actor, Depends(allow(Role.COORDINATOR, Role.INVESTIGATOR, Role.SYSTEM))]
MayKeepDocuments = Annotated[Actor, Depends(allow(Role.COORDINATOR, Role.INVESTIGATOR, Role.SPONSOR, Role.SYSTEM))]
MayReadSites = ReadsTrialData
MayReadParticipants = ReadsCourses


async def _enrollment(request: Request) -> Enrollment:
    enrollment: Enrollment = request.app.state.enrollment
    return enrollment


async def _consent_documents(request: Request) -> ConsentDocuments:
    documents: ConsentDocuments = request.app.state.consent_documents
    return documents


EnrollmentDep = Annotated[Enrollment, Depends(_enrollment)]
ConsentDocumentsDep = Annotated[ConsentDocuments, Depends(_consent_documents)]
