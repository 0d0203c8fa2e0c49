"""Who may read what, within their sites."""

from shared.auth.permissions import ReadsCourses, ReadsTrialData

# The protocol, and which visits are due: everybody who works for the trial plans by them.
MayPlan = ReadsTrialData

MayReadCourses = ReadsCourses
