"""Which readings have responses, and how far their streams have come: from efficacy's own events, for the watch.

A response is assigned by the diagnosis that is known when the assessment arrives, and one that is corrected in that
same instant may be missed. So each response that is assigned makes the watch look once more.
"""

from services.efficacy.tables import assigned_burdens
from shared.contracts.efficacy import ResponseAssigned, SupportiveResponsesAssigned
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("assigned-burdens", tables=[assigned_burdens], topics=["trial.efficacy"])


@PROJECTION.on(ResponseAssigned, SupportiveResponsesAssigned)
def _(rows: Rows, event: ResponseAssigned | SupportiveResponsesAssigned, envelope: Envelope) -> None:
    key = {"participant_id": str(event.participant_id), "evaluator": event.evaluator.value}
    rows.upsert(assigned_burdens, key, version=envelope.version)
