"""Who may read what, within their sites."""

from typing import Annotated

from fastapi import Depends

from shared.auth.permissions import ReadsTrialData, allow
from shared.kernel.actor import Actor, Role

# The protocol, who takes part, and which visits are due: everybody who works for the trial plans by them.
MayPlan = ReadsTrialData

# What happened to participants and how the trial goes. Not those who read images or samples: what they know of a
# child's course, or of the others', must not colour what they see.
MayReadCourses = Annotated[
    Actor,
    Depends(allow(Role.COORDINATOR, Role.INVESTIGATOR, Role.SAFETY_OFFICER, Role.MONITOR, Role.SPONSOR, Role.SYSTEM)),
]
