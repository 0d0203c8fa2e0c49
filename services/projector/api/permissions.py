"""Who may read what, within their sites."""

from typing import Annotated

from fastapi import Depends

from shared.auth.permissions import COURSE_READERS, ReadsCourses, ReadsTrialData, allow
from shared.kernel.actor import Actor, Role

# The protocol, and which visits are due: everybody who works for the trial plans by them.
MayPlan = ReadsTrialData

MayReadCourses = ReadsCourses

# Who handles specimens knows them; they tell nothing else of a child.
MayReadSpecimens = Annotated[Actor, Depends(allow(*COURSE_READERS, Role.LABORATORY))]
