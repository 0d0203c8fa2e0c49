"""Tumour assessments with their responses: assigned by the criteria, and overridden by a reader, side by side."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, RowMapping, Table, Text, Uuid, and_, false, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, about, participants, within
from services.projector.tables import EFFICACY, METADATA
from shared.contracts.efficacy import (
    AssessmentCorrected,
    AssessmentRetracted,
    OverrideBasisChanged,
    OverrideWithdrawn,
    ResponseAssigned,
    ResponseOverridden,
    ResponseReported,
    SupportiveResponsesAssigned,
    TumourAssessed,
)
from shared.contracts.efficacy_review import IndependentResponseSettled, IndependentResponseUnsettled
from shared.contracts.efficacy_terms import Evaluator, Response, ResponseOf
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

assessments = Table(
    "tumour_assessments",
    METADATA,
    Column("assessment_id", Uuid, primary_key=True, comment="a reader's own: two readers may give the same"),
    Column("evaluator", Text, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("baseline", Boolean),
    Column("assessed_on", Text),
    Column("criteria", Text),
    Column("assigned", Text),
    Column("overridden", Text, comment="what counts instead of the assigned response"),
    Column("override_to_review", Boolean, nullable=False, server_default=false()),
    Column("retracted", Boolean, nullable=False, server_default=false()),
)

supportive = Table(
    "supportive_responses",
    METADATA,
    Column("assessment_id", Uuid, primary_key=True),
    Column("evaluator", Text, primary_key=True),
    Column("criteria", Text, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("response", Text, comment="NULL: the criteria do not cover such disease"),
)

reported = Table(
    "reported_responses",
    METADATA,
    Column("assessment_id", Uuid, primary_key=True),
    Column("evaluator", Text, primary_key=True),
    Column("criteria", Text, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("response", Text, comment="as somebody stated it, overall"),
)

PROJECTION = Projection("tumour-assessments", tables=[assessments, supportive, reported], topics=[EFFICACY])


def _key(event: Any) -> dict[str, Any]:
    return {"assessment_id": event.assessment_id, "evaluator": event.evaluator.value}


@PROJECTION.on(TumourAssessed, AssessmentCorrected)
def _(rows: Rows, event: TumourAssessed | AssessmentCorrected, _envelope: Envelope) -> None:
    rows.upsert(
        assessments,
        _key(event),
        participant_id=event.participant_id,
        baseline=event.baseline,
        assessed_on=event.findings.assessed_on,
    )


@PROJECTION.on(AssessmentRetracted)
def _(rows: Rows, event: AssessmentRetracted, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), retracted=True)


@PROJECTION.on(ResponseAssigned)
def _(rows: Rows, event: ResponseAssigned, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), criteria=event.criteria, assigned=event.response.value)


@PROJECTION.on(SupportiveResponsesAssigned)
def _(rows: Rows, event: SupportiveResponsesAssigned, _envelope: Envelope) -> None:
    rows.delete(supportive, _key(event))  # a set that is no longer computed says nothing any more
    for each in event.responses:
        rows.upsert(
            supportive,
            {**_key(event), "criteria": each.criteria},
            participant_id=event.participant_id,
            response=None if each.response is None else each.response.value,
        )


@PROJECTION.on(ResponseReported)
def _(rows: Rows, event: ResponseReported, _envelope: Envelope) -> None:
    if event.of is ResponseOf.OVERALL:
        key = {**_key(event), "criteria": event.criteria}
        rows.upsert(reported, key, participant_id=event.participant_id, response=event.response.value)


@PROJECTION.on(ResponseOverridden)
def _(rows: Rows, event: ResponseOverridden, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), overridden=event.response.value, override_to_review=False)


@PROJECTION.on(OverrideBasisChanged)
def _(rows: Rows, event: OverrideBasisChanged, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), override_to_review=True)


@PROJECTION.on(OverrideWithdrawn)
def _(rows: Rows, event: OverrideWithdrawn, _envelope: Envelope) -> None:
    rows.upsert(assessments, _key(event), overridden=None, override_to_review=False)


@PROJECTION.on(IndependentResponseSettled)
def _(rows: Rows, event: IndependentResponseSettled, _envelope: Envelope) -> None:
    rows.upsert(
        assessments,
        {"assessment_id": event.assessment_id, "evaluator": Evaluator.INDEPENDENT_REVIEW.value},
        participant_id=event.participant_id,
        baseline=False,
        assessed_on=event.assessed_on,
        criteria=event.criteria,
        assigned=event.response.value,
        retracted=False,
    )


@PROJECTION.on(IndependentResponseUnsettled)
def _(rows: Rows, event: IndependentResponseUnsettled, _envelope: Envelope) -> None:
    key = {"assessment_id": event.assessment_id, "evaluator": Evaluator.INDEPENDENT_REVIEW.value}
    rows.upsert(assessments, key, retracted=True)


def counting(row: RowMapping) -> Response:
    """The response that counts at an assessment: as overridden, else as the criteria assigned it."""
    return Response(row["overridden"] or row["assigned"])


async def with_baseline(connection: AsyncConnection, scope: Scope) -> set[UUID]:
    """Participants with a baseline assessment that stands, whoever read the images."""
    stands = assessments.c.baseline.is_(true()), assessments.c.retracted.is_(false())
    query = select(assessments.c.participant_id).where(*stands, about(assessments.c.participant_id, scope))
    return set((await connection.execute(query)).scalars())


async def that_count(connection: AsyncConnection, scope: Scope, evaluator: Evaluator) -> Sequence[RowMapping]:
    """Every assessment that stands, baselines included, of those who received the product, as one evaluator read it."""
    joined = assessments.join(participants, participants.c.participant_id == assessments.c.participant_id)
    query = (
        select(assessments)
        .select_from(joined)
        .where(within(scope), participants.c.day_zero.is_not(None))
        .where(assessments.c.retracted.is_(false()), assessments.c.evaluator == evaluator.value)
        .order_by(assessments.c.assessment_id)
    )
    return (await connection.execute(query)).mappings().all()


async def beside(connection: AsyncConnection, scope: Scope, evaluator: Evaluator) -> Sequence[RowMapping]:
    """What the sets of criteria that do not decide make of assessments, as one evaluator read them."""
    about = supportive.join(participants, participants.c.participant_id == supportive.c.participant_id)
    query = (
        select(supportive)
        .select_from(about)
        .where(within(scope), supportive.c.evaluator == evaluator.value)
        .order_by(supportive.c.assessment_id, supportive.c.criteria)
    )
    return (await connection.execute(query)).mappings().all()


async def stated(connection: AsyncConnection, scope: Scope, evaluator: Evaluator) -> Sequence[RowMapping]:
    """The overall responses that somebody stated, with what the same set makes of the assessment (`computed`)."""
    decided = and_(
        assessments.c.assessment_id == reported.c.assessment_id,
        assessments.c.evaluator == reported.c.evaluator,
        assessments.c.criteria == reported.c.criteria,
    )
    beside = and_(
        supportive.c.assessment_id == reported.c.assessment_id,
        supportive.c.evaluator == reported.c.evaluator,
        supportive.c.criteria == reported.c.criteria,
    )
    about = reported.join(participants, participants.c.participant_id == reported.c.participant_id)
    computed = func.coalesce(assessments.c.assigned, supportive.c.response).label("computed")
    query = (
        select(reported, computed)
        .select_from(about.outerjoin(assessments, decided).outerjoin(supportive, beside))
        .where(within(scope), reported.c.evaluator == evaluator.value)
        .order_by(reported.c.assessment_id, reported.c.criteria)
    )
    return (await connection.execute(query)).mappings().all()
