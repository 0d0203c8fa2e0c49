"""Who may do what to laboratory results, within their sites."""

from typing import Annotated

from fastapi import Depends, Request

from services.biomarkers.application import Biomarkers
from shared.auth.permissions import COURSE_READERS, allow
from shared.kernel.actor import Actor, Role

# Those who measure samples read what they measured; those who read images do not.
MayRead = Annotated[Actor, Depends(allow(*COURSE_READERS, Role.LABORATORY))]

# Data entry, by people or by the hospital's integration engine.
MayRecord = Annotated[Actor, Depends(allow(Role.LABORATORY, Role.COORDINATOR, Role.SYSTEM))]

# To change what a laboratory reported is for the laboratory, or for the physician who answers for the site.
MayCorrect = Annotated[Actor, Depends(allow(Role.LABORATORY, Role.INVESTIGATOR))]


# Who handed a specimen on tells best what was wrong in its record.
MayCorrectCustody = Annotated[Actor, Depends(allow(Role.LABORATORY, Role.COORDINATOR, Role.INVESTIGATOR))]


async def _biomarkers(request: Request) -> Biomarkers:
    biomarkers: Biomarkers = request.app.state.biomarkers
    return biomarkers


BiomarkersDep = Annotated[Biomarkers, Depends(_biomarkers)]
