"""Everything that is on record about a participant, across services, in the order in which it happened.

Clinical time is when it happened to the participant; recorded time is when we were told. What has no time of its own,
such as taking an alert in hand, happened when it was recorded.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from sqlalchemy import Column, Integer, RowMapping, Table, Text, Uuid, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.tables import BIOMARKERS, EFFICACY, ENROLLMENT, METADATA, SAFETY
from shared.contracts import (
    biomarkers,
    biomarkers_specimens,
    biomarkers_transgene,
    efficacy,
    efficacy_review,
    enrollment,
    enrollment_anticancer_therapy,
    enrollment_consent,
    enrollment_escalation,
    enrollment_exceptions,
    enrollment_follow_up,
    enrollment_lymphodepletion,
    enrollment_product,
    safety,
    safety_cases,
    safety_clock_notices,
    safety_dose_limiting,
    safety_episodes,
    safety_laboratory,
)
from shared.contracts.terms import earliest
from shared.db import Instant
from shared.kernel.events import Envelope, Event, registered
from shared.projection import Projection, Rows

timeline = Table(
    "timeline",
    METADATA,
    Column("stream", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("participant_id", Uuid, index=True),
    Column("event_id", Uuid),
    Column("type", Text),
    Column("occurred", Text, comment="a date as far as it is known, or an instant; NULL: when it was recorded"),
    Column("recorded_at", Instant),
    Column("actor", Text),
    Column("role", Text),
    Column("reason", Text),
    Column("data", Text, comment="the event as JSON, as it was stored"),
)

PROJECTION = Projection("timeline", tables=[timeline], topics=[ENROLLMENT, SAFETY, EFFICACY, BIOMARKERS])

Occurred = str | date | datetime | None


def _when_recorded(_event: Event) -> Occurred:
    return None


def _at(path: str) -> Callable[[Any], Occurred]:
    """What stands at a dotted path of the event."""

    def read(event: Any) -> Occurred:
        found: Any = event
        for name in path.split("."):
            found = getattr(found, name)
        occurred: Occurred = found
        return occurred

    return read


def _began(event: enrollment_lymphodepletion.LymphodepletionRecorded) -> Occurred:
    return event.first_dose_at or event.began_on


# A correction happened when it was recorded: the time it corrects stands in the entry, not in the timeline.
CLINICAL_TIME: Mapping[type[Event], Callable[[Any], Occurred]] = {
    enrollment.ParticipantScreened: _at("screened_on"),
    enrollment.ParticipantRescreened: _at("screened_on"),
    enrollment.ScreeningDataCorrected: _when_recorded,
    enrollment.ParticipantTransferred: _at("transferred_on"),
    enrollment.ConsentObtained: _at("obtained_on"),
    enrollment.ConsentCorrected: _when_recorded,
    enrollment.ConsentWithdrawn: _at("withdrawn_on"),
    enrollment_consent.ConsentLimited: _at("withdrawn_on"),
    enrollment_consent.ConsentRestored: _at("restored_on"),
    enrollment.EligibilityAssessed: _at("assessed_on"),
    enrollment_exceptions.EligibilityExceptionRequested: _when_recorded,
    enrollment_exceptions.EligibilityExceptionDecided: _when_recorded,
    enrollment.ScreeningFailed: _at("failed_on"),
    enrollment.ParticipantEnrolled: _at("enrolled_on"),
    enrollment.DoseLevelReassigned: _when_recorded,
    enrollment.CellsInfused: _at("started_at"),
    enrollment.InfusionCorrected: _when_recorded,
    enrollment.InfusionRetracted: _when_recorded,
    enrollment_lymphodepletion.LymphodepletionRecorded: _began,
    enrollment_lymphodepletion.LymphodepletionCorrected: _when_recorded,
    enrollment_lymphodepletion.LymphodepletionRetracted: _when_recorded,
    enrollment_anticancer_therapy.AnticancerTherapyRecorded: _at("started_on"),
    enrollment_anticancer_therapy.AnticancerTherapyCorrected: _when_recorded,
    enrollment_anticancer_therapy.AnticancerTherapyRetracted: _when_recorded,
    enrollment_follow_up.FollowUpContactRecorded: _at("contacted_on"),
    enrollment_follow_up.FollowUpContactRetracted: _when_recorded,
    enrollment_product.LeukapheresisCollected: _at("collection.collected_at"),
    enrollment_product.ProductReceivedByManufacturer: _at("receipt.received_at"),
    enrollment_product.ManufactureStarted: _at("start.started_at"),
    enrollment_product.ManufactureEnded: _at("end.ended_at"),
    enrollment_product.ReleaseTestsRecorded: _at("testing.reported_at"),
    enrollment_product.ExceptionalReleaseApproved: _when_recorded,
    enrollment_product.ProductReleased: _at("release.decided_at"),
    enrollment_product.ProductRejected: _at("rejection.decided_at"),
    enrollment_product.ProductShipped: _at("shipment.shipped_at"),
    enrollment_product.ProductReceivedAtSite: _at("receipt.received_at"),
    enrollment_product.ProductThawed: _at("thaw.thawed_at"),
    enrollment_product.ProductIdentityVerified: _at("verification.scanned_at"),
    enrollment_product.ProductInfused: _at("infused.infused_at"),
    enrollment_product.ProductDiverted: _at("diverted.diverted_at"),
    enrollment_product.ProductStepCorrected: _when_recorded,
    enrollment_product.ProductStepRetracted: _when_recorded,
    enrollment_product.LotAssigned: _when_recorded,
    enrollment_product.LotFreed: _when_recorded,
    enrollment_product.ApheresisIdAssigned: _when_recorded,
    enrollment_product.ApheresisIdFreed: _when_recorded,
    enrollment_product.ProductAlertRaised: _at("at"),
    enrollment_product.ProductAlertAcknowledged: _when_recorded,
    enrollment_product.InfusionAppraised: _when_recorded,
    enrollment_escalation.SlotReserved: _when_recorded,
    enrollment_escalation.SlotReleased: _when_recorded,
    enrollment_escalation.InfusionOverrideRequested: _when_recorded,
    enrollment_escalation.InfusionOverrideConfirmed: _when_recorded,
    enrollment_escalation.InfusionJudged: _at("started_at"),
    enrollment_escalation.InfusionJudgementRetracted: _when_recorded,
    enrollment.TreatmentDiscontinued: _at("discontinued_on"),
    enrollment.ParticipantLostToFollowUp: _at("last_contact_on"),
    enrollment.FollowUpCompleted: _at("completed_on"),
    enrollment.ParticipantDied: _at("died_on"),
    enrollment.DiscontinuationRetracted: _when_recorded,
    safety.AdverseEventReported: _at("onset"),
    safety.AdverseEventRegraded: _at("since"),
    safety.AdverseEventResolved: _at("ended_on"),
    safety.SeriousnessReassessed: _at("became_aware_at"),
    safety.CausalityAssessed: _when_recorded,
    safety.AdverseEventCorrected: _when_recorded,
    safety.AdverseEventRetracted: _when_recorded,
    safety.SeriousAdverseEventIdentified: _at("became_aware_at"),
    safety.AlertDelivered: _at("delivered_at"),
    safety.AlertResendRequested: _when_recorded,
    safety.AlertAcknowledged: _when_recorded,
    safety_cases.SponsorAssessed: _at("became_aware_at"),
    safety_cases.SusarIdentified: _at("sponsor_aware_at"),
    safety_cases.SusarNoLongerHeld: _when_recorded,
    safety_cases.ClockStarted: _at("since"),
    safety_cases.ClockDueSoon: _at("at"),
    safety_cases.ClockEscalated: _at("at"),
    safety_cases.ClockMissed: _at("due_at"),
    safety_cases.ClockMet: _at("met_at"),
    safety_cases.ClockStopped: _when_recorded,
    safety_cases.ReportSubmitted: _at("sent_at"),
    safety_cases.ReportAcknowledged: _at("acknowledged_at"),
    safety_clock_notices.ClockNoticeDelivered: _at("delivered_at"),
    safety_dose_limiting.DoseLimitingToxicityProposed: _when_recorded,
    safety_dose_limiting.DoseLimitingToxicityDecided: _when_recorded,
    safety_dose_limiting.DoseLimitingToxicityWithdrawn: _when_recorded,
    safety_dose_limiting.DltBasisChanged: _when_recorded,
    safety_laboratory.LaboratoryResultsRecorded: _at("received_at"),
    safety_laboratory.LaboratoryResultCorrected: _when_recorded,
    safety_laboratory.LaboratoryResultCancelled: _when_recorded,
    safety_laboratory.LaboratoryResultsRegraded: _when_recorded,
    safety_laboratory.AdverseEventCandidateOpened: _at("course.onset"),
    safety_laboratory.AdverseEventCandidateFollowed: _when_recorded,
    safety_laboratory.AdverseEventCandidateWithdrawn: _when_recorded,
    safety_laboratory.AdverseEventCandidateAccepted: _when_recorded,
    safety_laboratory.AdverseEventCandidateMerged: _when_recorded,
    safety_laboratory.AdverseEventCandidateDismissed: _when_recorded,
    safety_episodes.ToxicityEpisodeOpened: _at("onset"),
    safety_episodes.ToxicityObserved: _at("observed_at"),
    safety_episodes.ToxicityObservationCorrected: _when_recorded,
    safety_episodes.ToxicityObservationRetracted: _when_recorded,
    safety_episodes.ToxicityObservationRegraded: _when_recorded,
    safety_episodes.ToxicityTreated: _at("given_at"),
    safety_episodes.ToxicityTreatmentRetracted: _when_recorded,
    safety_episodes.ToxicityEpisodeEnded: _at("ended_at"),
    safety_episodes.ToxicityEpisodeReopened: _when_recorded,
    safety_episodes.ToxicityEpisodeRetracted: _when_recorded,
    safety_episodes.AdverseEventNotFollowed: _when_recorded,
    efficacy.LesionIdentified: _when_recorded,
    efficacy.LesionCorrected: _when_recorded,
    efficacy.LesionRetracted: _when_recorded,
    efficacy.TumourAssessed: _at("findings.assessed_on"),
    efficacy.AssessmentCorrected: _when_recorded,
    efficacy.AssessmentRetracted: _when_recorded,
    efficacy.ResponseAssigned: _at("assessed_on"),
    efficacy.ResponseOverridden: _when_recorded,
    efficacy.ResponseReported: _when_recorded,
    efficacy.OverrideBasisChanged: _when_recorded,
    efficacy.OverrideWithdrawn: _when_recorded,
    efficacy.SupportiveResponsesAssigned: _at("assessed_on"),
    efficacy_review.IndependentReadReceived: _at("read.assessed_on"),
    efficacy_review.IndependentReadWithdrawn: _when_recorded,
    efficacy_review.DiscordanceFound: _when_recorded,
    efficacy_review.DiscordanceResolved: _when_recorded,
    efficacy_review.ResponseAdjudicated: _when_recorded,
    efficacy_review.IndependentResponseSettled: _at("assessed_on"),
    efficacy_review.IndependentResponseUnsettled: _when_recorded,
    biomarkers.FlowResultRecorded: _at("report.specimen.collected_at"),
    biomarkers.FlowResultCorrected: _when_recorded,
    biomarkers.FlowResultCancelled: _when_recorded,
    biomarkers.CytokinePanelRecorded: _at("report.specimen.collected_at"),
    biomarkers.CytokinePanelCorrected: _when_recorded,
    biomarkers.CytokinePanelCancelled: _when_recorded,
    biomarkers_transgene.TransgeneResultRecorded: _at("report.specimen.collected_at"),
    biomarkers_transgene.TransgeneResultCorrected: _when_recorded,
    biomarkers_transgene.TransgeneResultCancelled: _when_recorded,
    biomarkers_specimens.SpecimenCollected: _at("collection.collected_at"),
    biomarkers_specimens.SpecimenNotCollected: _at("absence.noted_at"),
    biomarkers_specimens.AliquotMade: _at("aliquoted_at"),
    biomarkers_specimens.SpecimenShipped: _at("shipment.shipped_at"),
    biomarkers_specimens.SpecimenReceived: _at("receipt.received_at"),
    biomarkers_specimens.SpecimenAliquoted: _at("aliquoting.aliquoted_at"),
    biomarkers_specimens.SpecimenAnalysed: _when_recorded,
    biomarkers_specimens.SpecimenAnalysisWithdrawn: _when_recorded,
    biomarkers_specimens.SpecimenRejected: _at("rejection.rejected_at"),
    biomarkers_specimens.SpecimenLost: _at("loss.noted_at"),
    biomarkers_specimens.SpecimenStepCorrected: _when_recorded,
    biomarkers_specimens.SpecimenStepRetracted: _when_recorded,
}


@PROJECTION.on(*CLINICAL_TIME)
def _(rows: Rows, event: Any, envelope: Envelope) -> None:
    occurred = CLINICAL_TIME[type(event)](event)
    rows.insert_once(
        timeline,
        {"stream": envelope.stream, "version": envelope.version},
        participant_id=event.participant_id,
        occurred=occurred.isoformat() if isinstance(occurred, date) else occurred,
        **envelope.model_dump(include={"event_id", "type", "recorded_at", "actor", "role", "reason", "data"}),
    )


class TimelineEntry(BaseModel):
    """One event: when it happened, when it was recorded, by whom, and what it says."""

    occurred: str = Field(
        description="Clinical time: an instant, or a date as far as it is known", examples=["2026-03-14"]
    )
    began_at: datetime = Field(description="The first instant that clinical time can mean: timelines are in its order")
    recorded_at: datetime
    service: str = Field(examples=["safety"])
    type: str = Field(examples=["safety.adverse-event-reported"])
    what: str = Field(description="What this kind of event means")
    actor: str
    role: str
    reason: str | None
    stream: str
    version: int
    event_id: UUID
    data: dict[str, Any] = Field(description="The event as it was recorded")


class Key(NamedTuple):
    """The order of a timeline: clinical time, then recorded time, then the event's place in its stream."""

    began_at: datetime
    recorded_at: datetime
    stream: str
    version: int


def key_of(entry: TimelineEntry) -> Key:
    return Key(entry.began_at, entry.recorded_at, entry.stream, entry.version)


async def of(connection: AsyncConnection, participant_id: UUID, zone: ZoneInfo) -> list[TimelineEntry]:
    """Everything about one participant. A date counts from its first moment in `zone`, the trial's."""
    query = select(timeline).where(timeline.c.participant_id == participant_id)
    rows = (await connection.execute(query)).mappings().all()
    return sorted((_entry(row, zone) for row in rows), key=key_of)


class Recorded(NamedTuple):
    """An event, who recorded it, and when."""

    event: Event
    actor: str
    role: str
    recorded_at: datetime


async def recorded(connection: AsyncConnection, types: Sequence[type[Event]]) -> dict[UUID, list[Recorded]]:
    """What was told of each participant by events of these types, in order of each stream.

    Each type is of its first version still.
    """
    named = {each.event_type: each for each in types}
    names = ("participant_id", "type", "data", "actor", "role", "recorded_at")
    query = select(*(timeline.c[name] for name in names)).where(timeline.c.type.in_(named))
    found: dict[UUID, list[Recorded]] = {}
    for row in (await connection.execute(query.order_by(timeline.c.stream, timeline.c.version))).all():
        event = named[row.type].model_validate_json(row.data)
        found.setdefault(row.participant_id, []).append(Recorded(event, row.actor, row.role, row.recorded_at))
    return found


async def told(connection: AsyncConnection, types: Sequence[type[Event]]) -> dict[UUID, list[Event]]:
    """What was told of each participant by events of these types, in order."""
    return {who: [each.event for each in events] for who, events in (await recorded(connection, types)).items()}


async def revisions(connection: AsyncConnection) -> dict[UUID, tuple[int, datetime]]:
    """The version of each participant's own stream, and when it was recorded."""
    latest = (func.max(timeline.c.version), func.max(timeline.c.recorded_at))
    own = timeline.c.stream.like("participant:%")
    query = select(timeline.c.participant_id, *latest).where(own).group_by(timeline.c.participant_id)
    return {who: (version, at) for who, version, at in (await connection.execute(query)).all()}


def _entry(row: RowMapping, zone: ZoneInfo) -> TimelineEntry:
    recorded_at: datetime = row["recorded_at"]
    told = ("recorded_at", "type", "actor", "role", "reason", "stream", "version", "event_id")
    return TimelineEntry(
        occurred=row["occurred"] or recorded_at.isoformat(),
        began_at=began_at(row["occurred"], zone) or recorded_at,
        service=row["type"].partition(".")[0],
        what=(registered()[row["type"]].__doc__ or "").strip().splitlines()[0],
        data=json.loads(row["data"]),
        **{name: row[name] for name in told},
    )


def began_at(occurred: str | None, zone: ZoneInfo) -> datetime | None:
    """The first instant that a clinical time can mean."""
    if occurred is None:
        return None
    if "T" in occurred:
        return datetime.fromisoformat(occurred)
    return datetime.combine(earliest(occurred), time.min, zone)
