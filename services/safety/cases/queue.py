"""Which cases there are and how far their streams have come: from safety's own events, for the clocks alone."""

from typing import Any

from services.safety.tables import cases, expectations
from shared.contracts.safety import (
    AdverseEventCorrected,
    AdverseEventRegraded,
    AdverseEventReported,
    AdverseEventResolved,
    AdverseEventRetracted,
    CausalityAssessed,
    SeriousAdverseEventIdentified,
    SeriousnessReassessed,
)
from shared.contracts.safety_cases import (
    ClockDueSoon,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockStarted,
    ClockStopped,
    ReferenceSafetyInformationRecorded,
    ReferenceSafetyInformationWithdrawn,
    ReportAcknowledged,
    ReportSubmitted,
    SponsorAssessed,
    SusarIdentified,
    SusarNoLongerHeld,
)
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("cases", tables=[cases, expectations], topics=["trial.safety"])


@PROJECTION.on(
    AdverseEventReported,
    AdverseEventRegraded,
    AdverseEventResolved,
    SeriousnessReassessed,
    CausalityAssessed,
    AdverseEventCorrected,
    AdverseEventRetracted,
)
def _(rows: Rows, event: Any, envelope: Envelope) -> None:
    rows.upsert(cases, _key(event), adverse_event_version=envelope.version, traceparent=envelope.traceparent)


@PROJECTION.on(SeriousAdverseEventIdentified)
def _(rows: Rows, event: SeriousAdverseEventIdentified, envelope: Envelope) -> None:
    told = {"adverse_event_version": envelope.version, "traceparent": envelope.traceparent}
    rows.upsert(cases, _key(event), serious=True, **told)


@PROJECTION.on(
    SponsorAssessed,
    SusarIdentified,
    SusarNoLongerHeld,
    ClockStarted,
    ClockDueSoon,
    ClockEscalated,
    ClockMissed,
    ClockMet,
    ClockStopped,
    ReportSubmitted,
    ReportAcknowledged,
)
def _(rows: Rows, event: Any, envelope: Envelope) -> None:
    rows.upsert(cases, _key(event), case_version=envelope.version)


@PROJECTION.on(ReferenceSafetyInformationRecorded, ReferenceSafetyInformationWithdrawn)
def _(rows: Rows, _event: Any, envelope: Envelope) -> None:
    rows.upsert(expectations, {"stream": envelope.stream}, version=envelope.version)


def _key(event: Any) -> dict[str, str]:
    return {"adverse_event_id": str(event.adverse_event_id)}
