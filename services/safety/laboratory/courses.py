"""Whose laboratory results there are, and how far their streams have come: from safety's own events, for the watch.

A result is graded by what is known of treatment when it arrives, and what becomes known in that same instant may be
missed. So each result that comes makes the watch look once more.
"""

from typing import Any

from services.safety.tables import laboratory_courses
from shared.contracts.safety_laboratory import (
    LaboratoryResultCancelled,
    LaboratoryResultCorrected,
    LaboratoryResultsRecorded,
)
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("laboratory-courses", tables=[laboratory_courses], topics=["trial.safety"])


@PROJECTION.on(LaboratoryResultsRecorded, LaboratoryResultCorrected, LaboratoryResultCancelled)
def _(rows: Rows, event: Any, envelope: Envelope) -> None:
    rows.upsert(laboratory_courses, {"participant_id": str(event.participant_id)}, version=envelope.version)
