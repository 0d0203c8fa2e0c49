"""Each participant's treatment, ending and toxicities, as the watch over dose-limiting toxicity looks at them.

`courses.changed_by` changes in the same transaction as everything the watch reads from here, so that it never takes
a participant for looked at whose newest facts it has not seen.
"""

from typing import Any

from services.safety.tables import courses, endings, toxicities
from shared.contracts.enrollment import (
    CellsInfused,
    ConsentWithdrawn,
    DiscontinuationRetracted,
    DoseLevelReassigned,
    FollowUpCompleted,
    InfusionCorrected,
    InfusionRetracted,
    ParticipantDied,
    ParticipantEnrolled,
    ParticipantLostToFollowUp,
    ParticipantRescreened,
    ParticipantScreened,
    ParticipantTransferred,
)
from shared.contracts.safety import (
    AdverseEventCorrected,
    AdverseEventRegraded,
    AdverseEventReported,
    AdverseEventResolved,
    AdverseEventRetracted,
    CausalityAssessed,
)
from shared.contracts.safety_dose_limiting import DoseLimitingToxicityDecided
from shared.contracts.safety_episodes import (
    ToxicityEpisodeEnded,
    ToxicityEpisodeOpened,
    ToxicityEpisodeReopened,
    ToxicityEpisodeRetracted,
    ToxicityObservationCorrected,
    ToxicityObservationRegraded,
    ToxicityObservationRetracted,
    ToxicityObserved,
)
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection(
    "toxicity-courses", tables=[courses, endings, toxicities], topics=["trial.enrollment", "trial.safety"]
)


def _changed(rows: Rows, event: Any, envelope: Envelope, **columns: Any) -> None:
    key = {"participant_id": str(event.participant_id)}
    rows.upsert(courses, key, changed_by=str(envelope.event_id), **columns)


@PROJECTION.on(ParticipantScreened, ParticipantTransferred)
def _(rows: Rows, event: ParticipantScreened | ParticipantTransferred, envelope: Envelope) -> None:
    _changed(rows, event, envelope, site_id=event.site_id, time_zone=event.time_zone)


@PROJECTION.on(ParticipantRescreened)
def _(rows: Rows, event: ParticipantRescreened, envelope: Envelope) -> None:
    """Who left before enrolment and came again has not left."""
    rows.delete(endings, {"participant_id": str(event.participant_id)})
    _changed(rows, event, envelope)


@PROJECTION.on(ParticipantEnrolled, DoseLevelReassigned)
def _(rows: Rows, event: ParticipantEnrolled | DoseLevelReassigned, envelope: Envelope) -> None:
    _changed(rows, event, envelope, dose_level=event.dose_level)


@PROJECTION.on(CellsInfused, InfusionCorrected)
def _(rows: Rows, event: CellsInfused | InfusionCorrected, envelope: Envelope) -> None:
    if event.infusion_number == 1:
        infusion = {"infused_from": event.started_at, "infused_to": event.ended_at, "cells_per_kg": event.cells_per_kg}
        _changed(rows, event, envelope, **infusion)


@PROJECTION.on(InfusionRetracted)
def _(rows: Rows, event: InfusionRetracted, envelope: Envelope) -> None:
    if event.infusion_number == 1:
        _changed(rows, event, envelope, infused_from=None, infused_to=None, cells_per_kg=None)


@PROJECTION.on(ConsentWithdrawn)
def _(rows: Rows, event: ConsentWithdrawn, envelope: Envelope) -> None:
    _left(rows, event, event.withdrawn_on.isoformat(), envelope)


@PROJECTION.on(ParticipantLostToFollowUp)
def _(rows: Rows, event: ParticipantLostToFollowUp, envelope: Envelope) -> None:
    _left(rows, event, event.last_contact_on, envelope)


@PROJECTION.on(FollowUpCompleted)
def _(rows: Rows, event: FollowUpCompleted, envelope: Envelope) -> None:
    _left(rows, event, event.completed_on, envelope)


@PROJECTION.on(ParticipantDied)
def _(rows: Rows, event: ParticipantDied, envelope: Envelope) -> None:
    _left(rows, event, event.died_on, envelope)


def _left(rows: Rows, event: Any, left_on: str, envelope: Envelope) -> None:
    rows.upsert(endings, {"participant_id": str(event.participant_id), "status": event.status.value}, left_on=left_on)
    _changed(rows, event, envelope)


@PROJECTION.on(DiscontinuationRetracted)
def _(rows: Rows, event: DiscontinuationRetracted, envelope: Envelope) -> None:
    rows.delete(endings, {"participant_id": str(event.participant_id), "status": event.retracted.value})
    _changed(rows, event, envelope)


@PROJECTION.on(AdverseEventReported, ToxicityEpisodeOpened)
def _(rows: Rows, event: AdverseEventReported | ToxicityEpisodeOpened, envelope: Envelope) -> None:
    rows.upsert(toxicities, {"stream": envelope.stream}, participant_id=str(event.participant_id))
    _changed(rows, event, envelope)


@PROJECTION.on(
    AdverseEventRegraded,
    AdverseEventResolved,
    AdverseEventCorrected,
    AdverseEventRetracted,
    CausalityAssessed,
    DoseLimitingToxicityDecided,
    ToxicityObserved,
    ToxicityObservationCorrected,
    ToxicityObservationRetracted,
    ToxicityObservationRegraded,
    ToxicityEpisodeEnded,
    ToxicityEpisodeReopened,
    ToxicityEpisodeRetracted,
)
def _(rows: Rows, event: Any, envelope: Envelope) -> None:
    _changed(rows, event, envelope)
