"""Participants and their infusions: who takes part, where, since when, and how it ended."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Integer,
    RowMapping,
    Table,
    Text,
    Uuid,
    and_,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels import anticancer_therapies, lymphodepletions
from services.projector.readmodels.anticancer_therapies import AnticancerTherapy
from services.projector.readmodels.lymphodepletions import Lymphodepletion
from services.projector.tables import ENROLLMENT, METADATA
from shared.contracts.enrollment import (
    CellsInfused,
    ConsentWithdrawn,
    DiscontinuationRetracted,
    DoseLevelReassigned,
    EligibilityAssessed,
    FollowUpCompleted,
    InfusionCorrected,
    InfusionRetracted,
    ParticipantDied,
    ParticipantEnrolled,
    ParticipantLostToFollowUp,
    ParticipantRescreened,
    ParticipantScreened,
    ParticipantTransferred,
    ScreeningDataCorrected,
    ScreeningFailed,
    TreatmentDiscontinued,
)
from shared.contracts.enrollment_terms import Diagnosis, Eligibility, ParticipantStatus, Route, Sex
from shared.contracts.terms import BirthMonth, Measurement, PartialDate, SiteId
from shared.db import ExactDecimal, Instant
from shared.kernel.errors import NotFound
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows


class Scope(NamedTuple):
    """Whose data are asked for: participants of these sites (None: of every site), or one of them alone."""

    sites: frozenset[str] | None
    participant_id: UUID | None = None


EVERYBODY = Scope(None)

participants = Table(
    "participants",
    METADATA,
    Column("participant_id", Uuid, primary_key=True),
    Column("site_id", Text),
    Column("time_zone", Text, comment="the site's"),
    Column("subject_number", Text),
    Column("screening_number", Text),
    Column("subject_label", Text),
    Column("birth_month", Text),
    Column("sex", Text),
    Column("diagnosis", Text),
    Column("diagnosis_text", Text),
    Column("status", Text),
    Column("screened_on", Date),
    Column("eligibility", Text),
    Column("enrolled_on", Date),
    Column("dose_level", Text),
    Column("first_infused_at", Instant),
    Column("day_zero", Instant),
    Column("screen_failed_on", Text),
    Column("off_treatment_on", Text),
    Column("lost_on", Text),
    Column("withdrawn_on", Text),
    Column("completed_on", Text),
    Column("died_on", Text),
)

infusions = Table(
    "infusions",
    METADATA,
    Column("participant_id", Uuid, primary_key=True),
    Column("infusion_number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("route", Text),
    Column("lot", Text),
    Column("weight_kg", ExactDecimal),
    Column("cells_per_kg", ExactDecimal),
    Column("total_car_positive_cells", ExactDecimal),
)

PROJECTION = Projection("participants", tables=[participants, infusions], topics=[ENROLLMENT])

# Where each way of ending keeps its date: an ending that is retracted takes away its own date alone.
ENDINGS = {
    ParticipantStatus.SCREEN_FAILED: "screen_failed_on",
    ParticipantStatus.OFF_TREATMENT: "off_treatment_on",
    ParticipantStatus.LOST_TO_FOLLOW_UP: "lost_on",
    ParticipantStatus.WITHDRAWN: "withdrawn_on",
    ParticipantStatus.COMPLETED: "completed_on",
    ParticipantStatus.DIED: "died_on",
}


def _key(event: Any) -> dict[str, UUID]:
    return {"participant_id": event.participant_id}


_SCREENING_DATA = {"birth_month", "sex", "diagnosis", "diagnosis_text", "screened_on"}


@PROJECTION.on(ParticipantScreened)
def _(rows: Rows, event: ParticipantScreened, _envelope: Envelope) -> None:
    told = _SCREENING_DATA | {"site_id", "time_zone", "subject_number", "screening_number", "subject_label", "status"}
    rows.upsert(participants, _key(event), **event.model_dump(include=told))


@PROJECTION.on(ParticipantRescreened)
def _(rows: Rows, event: ParticipantRescreened, _envelope: Envelope) -> None:
    told = event.model_dump(include={"screening_number", "screened_on", "status"})
    rows.upsert(participants, _key(event), **told, eligibility=None, **dict.fromkeys(ENDINGS.values()))


@PROJECTION.on(ParticipantTransferred)
def _(rows: Rows, event: ParticipantTransferred, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), **event.model_dump(include={"site_id", "time_zone"}))


@PROJECTION.on(ScreeningDataCorrected)
def _(rows: Rows, event: ScreeningDataCorrected, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), **event.model_dump(include=_SCREENING_DATA))


@PROJECTION.on(EligibilityAssessed)
def _(rows: Rows, event: EligibilityAssessed, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), eligibility=event.outcome.value)


@PROJECTION.on(ParticipantEnrolled)
def _(rows: Rows, event: ParticipantEnrolled, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), **event.model_dump(include={"enrolled_on", "dose_level", "status"}))


@PROJECTION.on(DoseLevelReassigned)
def _(rows: Rows, event: DoseLevelReassigned, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), dose_level=event.dose_level)


@PROJECTION.on(CellsInfused)
def _(rows: Rows, event: CellsInfused, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), status=event.status.value, **_day_zero(event))
    _keep_infusion(rows, event)


@PROJECTION.on(InfusionCorrected)
def _(rows: Rows, event: InfusionCorrected, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), **_day_zero(event))
    _keep_infusion(rows, event)


@PROJECTION.on(InfusionRetracted)
def _(rows: Rows, event: InfusionRetracted, _envelope: Envelope) -> None:
    first = {"first_infused_at": None} if event.infusion_number == 1 else {}
    rows.upsert(participants, _key(event), status=event.status.value, day_zero=event.day_zero, **first)
    rows.delete(infusions, {**_key(event), "infusion_number": event.infusion_number})


def _day_zero(event: CellsInfused | InfusionCorrected) -> dict[str, datetime]:
    first = {"first_infused_at": event.started_at} if event.infusion_number == 1 else {}
    return {"day_zero": event.day_zero, **first}


def _keep_infusion(rows: Rows, event: CellsInfused | InfusionCorrected) -> None:
    key = {**_key(event), "infusion_number": event.infusion_number}
    rows.upsert(infusions, key, **event.model_dump(include={column.name for column in infusions.columns} - key.keys()))


@PROJECTION.on(ScreeningFailed)
def _(rows: Rows, event: ScreeningFailed, _envelope: Envelope) -> None:
    _end(rows, event, event.failed_on.isoformat())


@PROJECTION.on(ConsentWithdrawn)
def _(rows: Rows, event: ConsentWithdrawn, _envelope: Envelope) -> None:
    _end(rows, event, event.withdrawn_on.isoformat())


@PROJECTION.on(TreatmentDiscontinued)
def _(rows: Rows, event: TreatmentDiscontinued, _envelope: Envelope) -> None:
    _end(rows, event, event.discontinued_on)


@PROJECTION.on(ParticipantLostToFollowUp)
def _(rows: Rows, event: ParticipantLostToFollowUp, _envelope: Envelope) -> None:
    _end(rows, event, event.last_contact_on)


@PROJECTION.on(FollowUpCompleted)
def _(rows: Rows, event: FollowUpCompleted, _envelope: Envelope) -> None:
    _end(rows, event, event.completed_on)


@PROJECTION.on(ParticipantDied)
def _(rows: Rows, event: ParticipantDied, _envelope: Envelope) -> None:
    _end(rows, event, event.died_on)


def _end(rows: Rows, event: Any, on: str) -> None:
    rows.upsert(participants, _key(event), status=event.status.value, **{ENDINGS[event.status]: on})


@PROJECTION.on(DiscontinuationRetracted)
def _(rows: Rows, event: DiscontinuationRetracted, _envelope: Envelope) -> None:
    rows.upsert(participants, _key(event), status=event.status.value, **{ENDINGS[event.retracted]: None})


class Infusion(BaseModel):
    """One infusion of the product (EX). Cells are viable CAR-positive T cells."""

    model_config = ConfigDict(from_attributes=True)

    infusion_number: int
    started_at: datetime
    ended_at: datetime
    route: Route
    lot: str | None
    weight_kg: Measurement | None
    cells_per_kg: Measurement | None
    total_car_positive_cells: Measurement | None


class Participant(BaseModel):
    """A participant as the trial knows them now (DM). Dates of endings are as far as they are known."""

    model_config = ConfigDict(from_attributes=True)

    participant_id: UUID
    site_id: SiteId  # SITEID
    subject_number: str  # SUBJID
    screening_number: str
    subject_label: str | None = Field(description="The pseudonym in another system (USUBJID of a loaded study)")
    birth_month: BirthMonth
    sex: Sex  # SEX
    diagnosis: Diagnosis
    diagnosis_text: str | None
    status: ParticipantStatus
    screened_on: date
    eligibility: Eligibility | None
    enrolled_on: date | None
    dose_level: str | None
    day_zero: datetime | None = Field(description="The instant that study days count from (RFSTDTC)")
    off_treatment_on: PartialDate | None
    lost_on: PartialDate | None = Field(description="The last day of contact with a participant lost to follow-up")
    withdrawn_on: PartialDate | None
    completed_on: PartialDate | None
    died_on: PartialDate | None  # DTHDTC


class ParticipantWithInfusions(Participant):
    """One participant, with every lymphodepletion, infusion and new anticancer therapy on record."""

    lymphodepletions: tuple[Lymphodepletion, ...]
    infusions: tuple[Infusion, ...]
    anticancer_therapies: tuple[AnticancerTherapy, ...]


class NoSuchParticipant(NotFound):
    """There is no such participant, or none at the caller's sites; one screened just now may still arrive."""


class Key(NamedTuple):
    """The order of participants: as a site's list has them."""

    subject_number: str
    participant_id: UUID


def within(scope: Scope) -> ColumnElement[bool]:
    """Participants that are known here and within the scope."""
    conditions: list[ColumnElement[bool]] = [participants.c.subject_number.is_not(None)]
    if scope.sites is not None:
        conditions.append(participants.c.site_id.in_(sorted(scope.sites)))
    if scope.participant_id is not None:
        conditions.append(participants.c.participant_id == scope.participant_id)
    return and_(*conditions)


def about(column: ColumnElement[UUID], scope: Scope) -> ColumnElement[bool]:
    """Rows about participants within the scope. Who asks for everybody sees those who have not arrived yet, too."""
    return true() if scope == EVERYBODY else column.in_(select(participants.c.participant_id).where(within(scope)))


async def page(
    connection: AsyncConnection, scope: Scope, status: ParticipantStatus | None, after: Key | None, limit: int
) -> list[Participant]:
    """The next participants after a key."""
    query = select(participants).where(within(scope))
    if status is not None:
        query = query.where(participants.c.status == status.value)
    if after is not None:
        key = tuple_(participants.c.subject_number, participants.c.participant_id)
        query = query.where(key > tuple_(literal(after.subject_number), literal(after.participant_id, Uuid)))
    query = query.order_by(participants.c.subject_number, participants.c.participant_id).limit(limit)
    return [Participant.model_validate(row) for row in (await connection.execute(query)).all()]


async def one(connection: AsyncConnection, scope: Scope) -> ParticipantWithInfusions:
    """The participant that the scope names.

    Raises:
        NoSuchParticipant: none is known here, or none at these sites.
    """
    row = (await connection.execute(select(participants).where(within(scope)))).one_or_none()
    if row is None or scope.participant_id is None:
        raise NoSuchParticipant("no such participant here; one screened just now may not have arrived yet")
    given = select(infusions).where(infusions.c.participant_id == scope.participant_id)
    found = (await connection.execute(given.order_by(infusions.c.infusion_number))).all()
    return ParticipantWithInfusions(
        **Participant.model_validate(row).model_dump(),
        lymphodepletions=await lymphodepletions.of(connection, scope.participant_id),
        infusions=tuple(Infusion.model_validate(each) for each in found),
        anticancer_therapies=await anticancer_therapies.of(connection, scope.participant_id),
    )


async def numbers(connection: AsyncConnection, scope: Scope) -> dict[UUID, tuple[str, str]]:
    """The subject number and the site of each participant."""
    query = select(participants.c.participant_id, participants.c.subject_number, participants.c.site_id)
    rows = (await connection.execute(query.where(within(scope)))).all()
    return {row.participant_id: (row.subject_number, row.site_id) for row in rows}


async def everybody(connection: AsyncConnection, scope: Scope) -> Sequence[RowMapping]:
    """Everybody who was screened, with the dates of endings."""
    query = select(participants).where(within(scope))
    ordered = query.order_by(participants.c.subject_number, participants.c.participant_id)
    return (await connection.execute(ordered)).mappings().all()


async def dosed(connection: AsyncConnection, scope: Scope, beside: Collection[UUID] = ()) -> Sequence[RowMapping]:
    """Everybody enrolled or infused, with the first infusion: `infused_from`, `infused_to`, `cells_per_kg`.

    `beside`: who is among them in any case, as somebody with a slot before the enrolment is.
    """
    first = and_(infusions.c.participant_id == participants.c.participant_id, infusions.c.infusion_number == 1)
    given = (infusions.c.started_at.label("infused_from"), infusions.c.ended_at.label("infused_to"))
    taken = or_(
        participants.c.enrolled_on.is_not(None),
        infusions.c.started_at.is_not(None),
        participants.c.participant_id.in_(sorted(beside)),
    )
    query = select(participants, *given, infusions.c.cells_per_kg).outerjoin_from(participants, infusions, first)
    ordered = query.where(within(scope), taken).order_by(participants.c.subject_number, participants.c.participant_id)
    return (await connection.execute(ordered)).mappings().all()


async def infused(connection: AsyncConnection, scope: Scope) -> Sequence[RowMapping]:
    """Everybody who received the product, with the dates of endings."""
    query = select(participants).where(within(scope), participants.c.day_zero.is_not(None))
    ordered = query.order_by(participants.c.subject_number, participants.c.participant_id)
    return (await connection.execute(ordered)).mappings().all()


async def given(connection: AsyncConnection, scope: Scope) -> dict[UUID, list[datetime]]:
    """When each infusion of each participant began, in order."""
    query = select(infusions.c.participant_id, infusions.c.started_at).order_by(infusions.c.infusion_number)
    found: dict[UUID, list[datetime]] = {}
    for row in (await connection.execute(query.where(about(infusions.c.participant_id, scope)))).all():
        found.setdefault(row.participant_id, []).append(row.started_at)
    return found
