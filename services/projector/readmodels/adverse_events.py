"""Adverse events as they stand now: corrected as corrected, and retracted ones marked, never gone."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Integer,
    Row,
    RowMapping,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    false,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import EVERYBODY, Scope, about, participants, within
from services.projector.tables import METADATA, SAFETY
from shared.contracts.enrollment_terms import ConsentGap
from shared.contracts.safety import (
    ActionTaken,
    AdverseEventCorrected,
    AdverseEventRegraded,
    AdverseEventReported,
    AdverseEventResolved,
    AdverseEventRetracted,
    AdverseEventTerm,
    AgentCausality,
    Attribution,
    CausalityAssessed,
    Grade,
    GradeBasis,
    GradeSince,
    Outcome,
    SeriousAdverseEventIdentified,
    Seriousness,
    SeriousnessReassessed,
)
from shared.contracts.terms import PartialDate, SiteId
from shared.db import Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

adverse_events = Table(
    "adverse_events",
    METADATA,
    Column("adverse_event_id", Uuid, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("edition", Text),
    Column("meddra_code", Text),
    Column("term", Text),
    Column("soc", Text),
    Column("specification", Text),
    Column("onset", Text),
    Column("ended_on", Text),
    Column("became_aware_at", Instant),
    Column("serious", Boolean),
    Column("seriousness", Json),
    Column("action_taken", Text),
    Column("outcome", Text),
    Column("retracted", Boolean, nullable=False, server_default=false()),
    Column("version", Integer, comment="of the event's stream: the ETag to change it with"),
)

# The history of grades. A correction replaces all of it; `place` grows with every entry.
grades = Table(
    "adverse_event_grades",
    METADATA,
    Column("adverse_event_id", Uuid, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("grade", Integer),
    Column("since", Text),
    Column("basis", Json),
)

# The latest opinion about each agent.
causality = Table(
    "adverse_event_causality",
    METADATA,
    Column("adverse_event_id", Uuid, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("attribution", Text),
)

PROJECTION = Projection("adverse-events", tables=[adverse_events, grades, causality], topics=[SAFETY])

PLACES_PER_VERSION = 1000  # a correction brings at most 100 grades


def _key(event: Any) -> dict[str, UUID]:
    return {"adverse_event_id": event.adverse_event_id}


@PROJECTION.on(AdverseEventReported)
def _(rows: Rows, event: AdverseEventReported, envelope: Envelope) -> None:
    rows.upsert(
        adverse_events,
        _key(event),
        participant_id=event.participant_id,
        onset=event.onset,
        ended_on=event.ended_on,
        became_aware_at=event.became_aware_at,
        **_seriousness(event.seriousness),
        action_taken=event.action_taken.value,
        outcome=event.outcome.value,
        version=envelope.version,
        **_term(event.term),
    )
    first = GradeSince(grade=event.grade, since=event.onset, basis=event.grade_basis)
    _keep_grades(rows, event, [first], envelope)
    _keep_causality(rows, event, event.causality)


@PROJECTION.on(AdverseEventRegraded)
def _(rows: Rows, event: AdverseEventRegraded, envelope: Envelope) -> None:
    rows.upsert(adverse_events, _key(event), version=envelope.version)
    entry = GradeSince(grade=event.grade, since=event.since, basis=event.grade_basis)
    _keep_grades(rows, event, [entry], envelope)


@PROJECTION.on(AdverseEventResolved)
def _(rows: Rows, event: AdverseEventResolved, envelope: Envelope) -> None:
    ended = {"ended_on": event.ended_on, "outcome": event.outcome.value}
    rows.upsert(adverse_events, _key(event), **ended, version=envelope.version)


@PROJECTION.on(SeriousnessReassessed)
def _(rows: Rows, event: SeriousnessReassessed, envelope: Envelope) -> None:
    rows.upsert(adverse_events, _key(event), **_seriousness(event.seriousness), version=envelope.version)


@PROJECTION.on(CausalityAssessed)
def _(rows: Rows, event: CausalityAssessed, envelope: Envelope) -> None:
    rows.upsert(adverse_events, _key(event), version=envelope.version)
    _keep_causality(rows, event, event.causality)


@PROJECTION.on(AdverseEventCorrected)
def _(rows: Rows, event: AdverseEventCorrected, envelope: Envelope) -> None:
    told: dict[str, Any] = {} if event.term is None else _term(event.term.now)
    for name in ("onset", "ended_on", "became_aware_at", "action_taken", "outcome"):
        replaced = getattr(event, name)
        if replaced is not None:
            told[name] = replaced.now
    if event.seriousness is not None:
        told |= _seriousness(event.seriousness.now)
    rows.upsert(adverse_events, _key(event), **told, version=envelope.version)
    if event.grades is not None:
        rows.delete(grades, _key(event))
        _keep_grades(rows, event, event.grades.now, envelope)
    if event.causality is not None:
        rows.delete(causality, _key(event))
        _keep_causality(rows, event, event.causality.now)


@PROJECTION.on(AdverseEventRetracted)
def _(rows: Rows, event: AdverseEventRetracted, envelope: Envelope) -> None:
    rows.upsert(adverse_events, _key(event), retracted=True, version=envelope.version)


@PROJECTION.on(SeriousAdverseEventIdentified)
def _(rows: Rows, event: SeriousAdverseEventIdentified, envelope: Envelope) -> None:
    """The alert is a read model of its own; the stream has moved on all the same."""
    rows.upsert(adverse_events, _key(event), version=envelope.version)


def _term(term: AdverseEventTerm) -> dict[str, str | None]:
    return {
        "edition": term.edition,
        "meddra_code": term.meddra_code,
        "term": term.name,
        "soc": term.soc,
        "specification": term.specification,
    }


def _seriousness(criteria: Sequence[Seriousness]) -> dict[str, Any]:
    return {"serious": bool(criteria), "seriousness": [criterion.value for criterion in criteria]}


def _keep_grades(rows: Rows, event: Any, entries: Sequence[GradeSince], envelope: Envelope) -> None:
    for place, entry in enumerate(entries, start=envelope.version * PLACES_PER_VERSION):
        told = {"grade": entry.grade, "since": entry.since, "basis": entry.basis.model_dump(mode="json")}
        rows.upsert(grades, {**_key(event), "place": place}, **told)


def _keep_causality(rows: Rows, event: Any, opinions: Sequence[AgentCausality]) -> None:
    for opinion in opinions:
        rows.upsert(causality, {**_key(event), "agent": opinion.agent}, attribution=opinion.attribution.value)


class AdverseEvent(BaseModel):
    """An adverse event as it stands now (AE)."""

    model_config = ConfigDict(from_attributes=True)

    adverse_event_id: UUID
    participant_id: UUID
    subject_number: str | None = Field(description="None: the participant has not arrived here yet")
    site_id: SiteId | None
    term: str  # AEDECOD
    meddra_code: str  # AELLTCD
    soc: str  # AEBODSYS
    specification: str | None
    grade: Grade = Field(description="The CTCAE grade now (AETOXGR)")
    worst_grade: Grade
    grades: tuple[GradeSince, ...] = Field(description="The history of grades, in order of time")
    onset: PartialDate  # AESTDTC
    ended_on: PartialDate | None  # AEENDTC
    became_aware_at: datetime
    serious: bool  # AESER
    seriousness: tuple[Seriousness, ...]
    causality: tuple[AgentCausality, ...]  # AEREL, per agent
    action_taken: ActionTaken  # AEACN
    outcome: Outcome  # AEOUT
    retracted: bool = Field(description="It should never have been reported, and counts nowhere")
    version: int = Field(description="Of its stream: the ETag to change it with")
    consent_gaps: tuple[ConsentGap, ...] | None = Field(
        None,
        description="What consent to follow-up lacked on the day of onset: a report is flagged, never refused. Null: "
        "the protocol does not ask, or no consent has arrived",
    )


class Key(NamedTuple):
    """The order of the listing: by participant, then by onset."""

    subject_number: str
    onset: str
    adverse_event_id: UUID


class Filter(NamedTuple):
    """Which adverse events to list. None: all."""

    serious: bool | None = None
    worst_grade_at_least: int | None = None
    soc: str | None = None
    retracted: bool | None = None


_SUBJECT = func.coalesce(participants.c.subject_number, "")
_ORDER = (_SUBJECT, adverse_events.c.onset, adverse_events.c.adverse_event_id)

# Made once: to put a statement together costs as much as to run it (`make bench`, "POST to visible in a GET").
_LISTED = (
    select(adverse_events, participants.c.subject_number, participants.c.site_id)
    .outerjoin_from(adverse_events, participants, participants.c.participant_id == adverse_events.c.participant_id)
    .where(adverse_events.c.onset.is_not(None))
)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_HISTORY = select(grades).where(grades.c.adverse_event_id.in_(_IDS)).order_by(grades.c.place)
_OPINIONS = select(causality).where(causality.c.adverse_event_id.in_(_IDS)).order_by(causality.c.agent)
_FIELDS = frozenset(AdverseEvent.model_fields)


async def page(
    connection: AsyncConnection, scope: Scope, wanted: Filter, after: Key | None, limit: int
) -> list[AdverseEvent]:
    """The next adverse events after a key."""
    query = _visible(scope).where(*_conditions(wanted))
    if after is not None:
        bounds = (literal(after.subject_number), literal(after.onset), literal(after.adverse_event_id, Uuid))
        query = query.where(tuple_(*_ORDER) > tuple_(*bounds))
    return await _whole(connection, query.order_by(*_ORDER).limit(limit))


async def that_count(connection: AsyncConnection, scope: Scope) -> list[AdverseEvent]:
    """Every adverse event that stands, of those who received the product."""
    infused = participants.c.day_zero.is_not(None)
    query = _visible(scope).where(infused, adverse_events.c.retracted.is_(false()))
    return await _whole(connection, query.order_by(*_ORDER))


async def to_reconcile(connection: AsyncConnection, scope: Scope) -> list[dict[str, Any]]:
    """Every adverse event, retracted ones too, by what a report of it rests on."""
    names = ("adverse_event_id", "participant_id", "term", "serious", "retracted", "became_aware_at")
    query = select(*(adverse_events.c[name] for name in names)).where(adverse_events.c.onset.is_not(None))
    ordered = query.where(about(adverse_events.c.participant_id, scope)).order_by(adverse_events.c.adverse_event_id)
    return [dict(row) for row in (await connection.execute(ordered)).mappings().all()]


def key_of(event: AdverseEvent) -> Key:
    return Key(event.subject_number or "", event.onset, event.adverse_event_id)


def _visible(scope: Scope) -> Select[Any]:
    """With its participant, who may not have arrived yet: then only who sees every site sees the event."""
    return _LISTED if scope == EVERYBODY else _LISTED.where(within(scope))


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.serious is not None:
        yield adverse_events.c.serious.is_(wanted.serious)
    if wanted.soc is not None:
        yield adverse_events.c.soc == wanted.soc
    if wanted.retracted is not None:
        yield adverse_events.c.retracted.is_(wanted.retracted)
    if wanted.worst_grade_at_least is not None:
        severe = select(grades.c.adverse_event_id).where(grades.c.grade >= wanted.worst_grade_at_least)
        yield adverse_events.c.adverse_event_id.in_(severe)


async def _whole(connection: AsyncConnection, query: Select[Any]) -> list[AdverseEvent]:
    """The events of a query, each with its grades and opinions."""
    found = (await connection.execute(query)).mappings().all()
    ids = [row["adverse_event_id"] for row in found]
    history = await _children(connection, _HISTORY, ids)
    opinions = await _children(connection, _OPINIONS, ids)
    return [_view(row, history[row["adverse_event_id"]], opinions[row["adverse_event_id"]]) for row in found]


async def _children(connection: AsyncConnection, query: Select[Any], ids: Sequence[UUID]) -> dict[UUID, list[Row[Any]]]:
    found: dict[UUID, list[Row[Any]]] = {each: [] for each in ids}
    if ids:
        for row in (await connection.execute(query, {"ids": ids})).all():
            found[row.adverse_event_id].append(row)
    return found


def _view(row: RowMapping, history: Sequence[Row[Any]], opinions: Sequence[Row[Any]]) -> AdverseEvent:
    entries = tuple(
        GradeSince(grade=each.grade, since=each.since, basis=GradeBasis.model_validate(each.basis)) for each in history
    )
    attributed = tuple(AgentCausality(agent=each.agent, attribution=Attribution(each.attribution)) for each in opinions)
    return AdverseEvent(
        **{name: value for name, value in row.items() if name in _FIELDS},
        grade=entries[-1].grade,
        worst_grade=max(entry.grade for entry in entries),
        grades=entries,
        causality=attributed,
    )
