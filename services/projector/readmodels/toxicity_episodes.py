"""Episodes of CRS, ICANS and IEC-HS with their observations, both grades at each instant, and what was given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Boolean, Column, Integer, RowMapping, Table, Text, Uuid, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.adverse_events import adverse_events
from services.projector.readmodels.participants import Scope, about
from services.projector.tables import METADATA, SAFETY
from shared.contracts.safety import Outcome
from shared.contracts.safety_episodes import (
    AdverseEventNotFollowed,
    EpisodeKind,
    Grades,
    ScaleGrade,
    ToxicityEpisodeEnded,
    ToxicityEpisodeOpened,
    ToxicityEpisodeReopened,
    ToxicityEpisodeRetracted,
    ToxicityObservationCorrected,
    ToxicityObservationRegraded,
    ToxicityObservationRetracted,
    ToxicityObserved,
    ToxicityTreated,
    ToxicityTreatmentRetracted,
    Treatment,
)
from shared.contracts.terms import Measurement
from shared.db import ExactDecimal, Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

episodes = Table(
    "toxicity_episodes",
    METADATA,
    Column("episode_id", Uuid, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("adverse_event_id", Uuid),
    Column("kind", Text),
    Column("onset", Instant),
    Column("ended_at", Instant),
    Column("outcome", Text),
    Column("problem", Text, comment="why the adverse event last could not follow"),
    Column("retracted", Boolean, nullable=False, server_default=false()),
    Column("version", Integer, comment="of the episode's stream: the ETag to change it with"),
)

observations = Table(
    "toxicity_observations",
    METADATA,
    Column("episode_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("observed_at", Instant),
    Column("observation", Json, comment="as in the event"),
    Column("astct_grade", Integer),
    Column("ctcae_grade", Integer),
    Column("explanation", Text),
    Column("rule", Text),
    Column("protocol", Text),
)

treatments = Table(
    "toxicity_treatments",
    METADATA,
    Column("episode_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("treatment", Text),
    Column("given_at", Instant),
    Column("dose", ExactDecimal),
    Column("unit", Text),
)

PROJECTION = Projection("crs-icans-course", tables=[episodes, observations, treatments], topics=[SAFETY])


def _key(event: Any) -> dict[str, Any]:
    return {"episode_id": event.episode_id}


def _entry(event: Any) -> dict[str, Any]:
    return {**_key(event), "number": event.number}


def _moved_on(rows: Rows, event: Any, envelope: Envelope, **columns: Any) -> None:
    rows.upsert(episodes, _key(event), participant_id=event.participant_id, version=envelope.version, **columns)


@PROJECTION.on(ToxicityEpisodeOpened)
def _(rows: Rows, event: ToxicityEpisodeOpened, envelope: Envelope) -> None:
    told = {"adverse_event_id": event.adverse_event_id, "kind": event.kind.value, "onset": event.onset}
    _moved_on(rows, event, envelope, **told)


@PROJECTION.on(ToxicityObserved, ToxicityObservationCorrected)
def _(rows: Rows, event: ToxicityObserved | ToxicityObservationCorrected, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope)
    seen = event.observation.model_dump(mode="json")
    rows.upsert(observations, _entry(event), observed_at=event.observed_at, observation=seen, **_grades(event))


@PROJECTION.on(ToxicityObservationRegraded)
def _(rows: Rows, event: ToxicityObservationRegraded, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope)
    rows.upsert(observations, _entry(event), **_grades(event))


@PROJECTION.on(ToxicityObservationRetracted)
def _(rows: Rows, event: ToxicityObservationRetracted, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope)
    rows.delete(observations, _entry(event))


@PROJECTION.on(ToxicityTreated)
def _(rows: Rows, event: ToxicityTreated, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope)
    given = {"given_at": event.given_at, "dose": event.dose, "unit": event.unit}
    rows.upsert(treatments, _entry(event), treatment=event.treatment.value, **given)


@PROJECTION.on(ToxicityTreatmentRetracted)
def _(rows: Rows, event: ToxicityTreatmentRetracted, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope)
    rows.delete(treatments, _entry(event))


@PROJECTION.on(ToxicityEpisodeEnded)
def _(rows: Rows, event: ToxicityEpisodeEnded, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope, ended_at=event.ended_at, outcome=event.outcome.value)


@PROJECTION.on(ToxicityEpisodeReopened)
def _(rows: Rows, event: ToxicityEpisodeReopened, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope, ended_at=None, outcome=None)


@PROJECTION.on(ToxicityEpisodeRetracted)
def _(rows: Rows, event: ToxicityEpisodeRetracted, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope, retracted=True)


@PROJECTION.on(AdverseEventNotFollowed)
def _(rows: Rows, event: AdverseEventNotFollowed, envelope: Envelope) -> None:
    _moved_on(rows, event, envelope, problem=event.problem)


def _grades(event: Any) -> dict[str, Any]:
    grades: Grades = event.grades
    told = {"explanation": grades.explanation, "rule": grades.rule, "protocol": event.protocol}
    return {"astct_grade": grades.astct, "ctcae_grade": grades.ctcae, **told}


class GradedObservation(BaseModel):
    """Both grades at one instant; null: not graded, and the explanation says what was missing."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    observed_at: datetime
    day: int | None = Field(None, description="Study day; null: not infused")
    astct_grade: ScaleGrade | None
    ctcae_grade: ScaleGrade | None
    explanation: str
    rule: str
    protocol: str
    observation: dict[str, Any]


class GivenTreatment(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    number: int
    treatment: Treatment
    given_at: datetime
    dose: Measurement | None
    unit: str | None


class ToxicityEpisode(BaseModel):
    """One episode: when it began and ended, its maxima, its series in order of time."""

    episode_id: UUID
    adverse_event_id: UUID
    kind: EpisodeKind
    onset: datetime
    onset_day: int | None = Field(None, description="Study day; null: not infused")
    ended_at: datetime | None
    outcome: Outcome | None
    worst_astct_grade: ScaleGrade | None
    worst_ctcae_grade: ScaleGrade | None
    ungraded: int = Field(description="How many observations lack a grade of either scale")
    problem: str | None = Field(description="Why the adverse event last could not follow; null: it always could")
    retracted: bool
    version: int = Field(description="Of its stream: the ETag to change it with")
    series: tuple[GradedObservation, ...]
    treatments: tuple[GivenTreatment, ...]


async def of(connection: AsyncConnection, participant_id: UUID) -> list[ToxicityEpisode]:
    """Every episode of one participant, retracted ones marked, by onset."""
    query = select(episodes).where(episodes.c.participant_id == participant_id, episodes.c.onset.is_not(None))
    ordered = query.order_by(episodes.c.onset, episodes.c.episode_id)
    found = (await connection.execute(ordered)).mappings().all()
    return [
        _view(row, await _entries(connection, observations, row), await _entries(connection, treatments, row))
        for row in found
    ]


async def first_given(connection: AsyncConnection, scope: Scope, treatment: Treatment) -> dict[UUID, datetime]:
    """When each participant was first given something, in an episode that stands."""
    query = select(episodes.c.participant_id, treatments.c.given_at).join_from(
        treatments, episodes, episodes.c.episode_id == treatments.c.episode_id
    )
    standing = query.where(treatments.c.treatment == treatment.value, episodes.c.retracted.is_(false()))
    found: dict[UUID, datetime] = {}
    for row in (await connection.execute(standing.where(about(episodes.c.participant_id, scope)))).all():
        found[row.participant_id] = min(row.given_at, found.get(row.participant_id, row.given_at))
    return found


async def not_followed(connection: AsyncConnection, scope: Scope) -> list[dict[str, Any]]:
    """Episodes that stand and that their adverse event, whose `term` is given, could not follow at some time."""
    event = adverse_events.c.adverse_event_id == episodes.c.adverse_event_id
    query = select(episodes, adverse_events.c.term).outerjoin_from(episodes, adverse_events, event)
    query = query.where(episodes.c.problem.is_not(None), episodes.c.retracted.is_(false()))
    ordered = query.where(about(episodes.c.participant_id, scope)).order_by(episodes.c.episode_id)
    return [dict(row) for row in (await connection.execute(ordered)).mappings().all()]


async def _entries(connection: AsyncConnection, table: Table, episode: RowMapping) -> Sequence[RowMapping]:
    at = table.c.given_at if table is treatments else table.c.observed_at
    query = select(table).where(table.c.episode_id == episode["episode_id"]).order_by(at, table.c.number)
    return (await connection.execute(query)).mappings().all()


def _view(row: RowMapping, seen: Sequence[RowMapping], given: Sequence[RowMapping]) -> ToxicityEpisode:
    return ToxicityEpisode(
        **{name: row[name] for name in ToxicityEpisode.model_fields if name in row},
        worst_astct_grade=_worst(seen, "astct_grade"),
        worst_ctcae_grade=_worst(seen, "ctcae_grade"),
        ungraded=sum(None in {each["astct_grade"], each["ctcae_grade"]} for each in seen),
        series=tuple(GradedObservation.model_validate(dict(each)) for each in seen),
        treatments=tuple(GivenTreatment.model_validate(dict(each)) for each in given),
    )


def _worst(seen: Sequence[RowMapping], column: str) -> int | None:
    return max((each[column] for each in seen if each[column] is not None), default=None)
