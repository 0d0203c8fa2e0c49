"""Tumour assessments with their responses: assigned by the criteria, and overridden by a reader, side by side."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, RowMapping, Table, Text, Uuid, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, participants, within
from services.projector.tables import EFFICACY, METADATA
from shared.contracts.efficacy import (
    AssessmentCorrected,
    AssessmentRetracted,
    OverrideBasisChanged,
    OverrideWithdrawn,
    ResponseAssigned,
    ResponseOverridden,
    TumourAssessed,
)
from shared.contracts.efficacy_terms import Evaluator
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

assessments = Table(
    "tumour_assessments",
    METADATA,
    Column("assessment_id", Uuid, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("evaluator", Text),
    Column("baseline", Boolean),
    Column("assessed_on", Text),
    Column("criteria", Text),
    Column("assigned", Text),
    Column("overridden", Text, comment="what counts instead of the assigned response"),
    Column("override_to_review", Boolean, nullable=False, server_default=false()),
    Column("retracted", Boolean, nullable=False, server_default=false()),
)

PROJECTION = Projection("tumour-assessments", tables=[assessments], topics=[EFFICACY])


def _key(event: Any) -> dict[str, Any]:
    return {"assessment_id": event.assessment_id}


@PROJECTION.on(TumourAssessed, AssessmentCorrected)
def _(rows: Rows, event: TumourAssessed | AssessmentCorrected, _envelope: Envelope) -> None:
    rows.upsert(
        assessments,
        _key(event),
        participant_id=event.participant_id,
        evaluator=event.evaluator.value,
        baseline=event.baseline,
        assessed_on=event.findings.assessed_on,
    )


@PROJECTION.on(AssessmentRetracted)
def _(rows: Rows, event: AssessmentRetracted, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), retracted=True)


@PROJECTION.on(ResponseAssigned)
def _(rows: Rows, event: ResponseAssigned, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), criteria=event.criteria, assigned=event.response.value)


@PROJECTION.on(ResponseOverridden)
def _(rows: Rows, event: ResponseOverridden, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), overridden=event.response.value, override_to_review=False)


@PROJECTION.on(OverrideBasisChanged)
def _(rows: Rows, event: OverrideBasisChanged, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), override_to_review=True)


@PROJECTION.on(OverrideWithdrawn)
def _(rows: Rows, event: OverrideWithdrawn, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), overridden=None, override_to_review=False)


async def that_count(connection: AsyncConnection, scope: Scope, evaluator: Evaluator) -> Sequence[RowMapping]:
    """Every assessment that stands, baselines included, of those who received the product, as one evaluator read it."""
    about = assessments.join(participants, participants.c.participant_id == assessments.c.participant_id)
    query = (
        select(assessments)
        .select_from(about)
        .where(within(scope), participants.c.day_zero.is_not(None))
        .where(assessments.c.retracted.is_(false()), assessments.c.evaluator == evaluator.value)
        .order_by(assessments.c.assessment_id)
    )
    return (await connection.execute(query)).mappings().all()
