"""Candidates for adverse events that laboratory values opened, and what an investigator decided about each."""

from typing import Any

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, about
from services.projector.tables import METADATA, SAFETY
from shared.contracts.safety_laboratory import (
    AdverseEventCandidateAccepted,
    AdverseEventCandidateDismissed,
    AdverseEventCandidateFollowed,
    AdverseEventCandidateMerged,
    AdverseEventCandidateOpened,
    AdverseEventCandidateWithdrawn,
    CandidateCourse,
)
from shared.db import Instant
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

candidates = Table(
    "adverse_event_candidates",
    METADATA,
    Column("candidate_id", Uuid, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("term", Text),
    Column("onset", Text),
    Column("worst_grade", Integer),
    Column("ended_on", Text),
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
    Column("opened_at", Instant),
    Column("decision", Text),
    Column("decided_grade", Integer, comment="the worst grade at the decision"),
    Column("decided_at", Instant),
    Column("adverse_event_id", Uuid),
)

PROJECTION = Projection("adverse-event-candidates", tables=[candidates], topics=[SAFETY])

ACCEPTED, MERGED, DISMISSED = "accepted", "merged", "dismissed"


def _told(rows: Rows, event: Any, **columns: Any) -> None:
    rows.upsert(candidates, {"candidate_id": event.candidate_id}, participant_id=event.participant_id, **columns)


def _course(course: CandidateCourse) -> dict[str, Any]:
    return {"onset": course.onset, "worst_grade": course.worst_grade, "ended_on": course.ended_on}


@PROJECTION.on(AdverseEventCandidateOpened)
def _(rows: Rows, event: AdverseEventCandidateOpened, envelope: Envelope) -> None:
    _told(rows, event, term=event.term.name, opened_at=envelope.recorded_at, **_course(event.course))


@PROJECTION.on(AdverseEventCandidateFollowed)
def _(rows: Rows, event: AdverseEventCandidateFollowed, _envelope: Envelope) -> None:
    _told(rows, event, withdrawn=False, **_course(event.now))


@PROJECTION.on(AdverseEventCandidateWithdrawn)
def _(rows: Rows, event: AdverseEventCandidateWithdrawn, _envelope: Envelope) -> None:
    _told(rows, event, withdrawn=True)


@PROJECTION.on(AdverseEventCandidateAccepted)
def _(rows: Rows, event: AdverseEventCandidateAccepted, envelope: Envelope) -> None:
    _decided(rows, event, envelope, ACCEPTED, adverse_event_id=event.adverse_event_id)


@PROJECTION.on(AdverseEventCandidateMerged)
def _(rows: Rows, event: AdverseEventCandidateMerged, envelope: Envelope) -> None:
    _decided(rows, event, envelope, MERGED, adverse_event_id=event.adverse_event_id)


@PROJECTION.on(AdverseEventCandidateDismissed)
def _(rows: Rows, event: AdverseEventCandidateDismissed, envelope: Envelope) -> None:
    _decided(rows, event, envelope, DISMISSED, adverse_event_id=None)


def _decided(rows: Rows, event: Any, envelope: Envelope, decision: str, **columns: Any) -> None:
    grade = event.course.worst_grade
    _told(rows, event, decision=decision, decided_grade=grade, decided_at=envelope.recorded_at, **columns)


async def to_reconcile(connection: AsyncConnection, scope: Scope) -> list[dict[str, Any]]:
    """Every candidate as it stands now, withdrawn ones too."""
    query = select(candidates).where(candidates.c.opened_at.is_not(None), about(candidates.c.participant_id, scope))
    rows = (await connection.execute(query.order_by(candidates.c.candidate_id))).mappings().all()
    return [dict(row) for row in rows]
