"""Dose-limiting toxicities as proposed and decided, and the halts of dosing: fired, reviewed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Integer, RowMapping, Table, Text, Uuid, false, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.adverse_events import adverse_events
from services.projector.readmodels.participants import Scope, about
from services.projector.readmodels.toxicity_episodes import episodes
from services.projector.tables import METADATA, SAFETY
from shared.contracts.safety_dose_limiting import (
    DltBasisChanged,
    DoseLimitingToxicityDecided,
    DoseLimitingToxicityProposed,
    DoseLimitingToxicityWithdrawn,
    StoppingBasisChanged,
    StoppingReviewed,
    StoppingRuleTriggered,
)
from shared.db import ExactDecimal, Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

toxicities = Table(
    "dose_limiting_toxicities",
    METADATA,
    Column("dlt_id", Uuid, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("source_kind", Text),
    Column("source_id", Uuid),
    Column("basis", Json, comment="what the rules find now, as in the event"),
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
    Column("proposed_at", Instant),
    Column("decision", Text),
    Column("reason", Text),
    Column("decided_on", Json, comment="the basis at the decision"),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("version", Integer, comment="of the participant's stream: the ETag to decide with"),
)

halts = Table(
    "dosing_halts",
    METADATA,
    Column("rule", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("participants", Json, comment="those with the event, as last said"),
    Column("evaluable", Integer),
    Column("posterior", ExactDecimal),
    Column("triggered_at", Instant),
    Column("holds", Boolean),
    Column("decision", Text),
    Column("reason", Text),
    Column("reviewed_at", Instant),
    Column("reviewed_by", Text),
)

PROJECTION = Projection("dose-limiting-toxicity", tables=[toxicities, halts], topics=[SAFETY])


def _told(rows: Rows, event: Any, envelope: Envelope, **columns: Any) -> None:
    key = {"dlt_id": event.dlt_id}
    rows.upsert(toxicities, key, participant_id=event.participant_id, version=envelope.version, **columns)


@PROJECTION.on(DoseLimitingToxicityProposed)
def _(rows: Rows, event: DoseLimitingToxicityProposed, envelope: Envelope) -> None:
    """Proposed again after it was withdrawn, a toxicity is as new."""
    undecided = dict.fromkeys(("decision", "reason", "decided_on", "decided_at", "decided_by"))
    _told(
        rows,
        event,
        envelope,
        source_kind=event.source.kind.value,
        source_id=event.source.id,
        basis=event.basis.model_dump(mode="json"),
        withdrawn=False,
        proposed_at=envelope.recorded_at,
        **undecided,
    )


@PROJECTION.on(DoseLimitingToxicityDecided)
def _(rows: Rows, event: DoseLimitingToxicityDecided, envelope: Envelope) -> None:
    who = {"decided_at": envelope.recorded_at, "decided_by": envelope.actor}
    basis = event.basis.model_dump(mode="json")
    _told(rows, event, envelope, decision=event.decision, reason=event.reason, decided_on=basis, **who)


@PROJECTION.on(DoseLimitingToxicityWithdrawn)
def _(rows: Rows, event: DoseLimitingToxicityWithdrawn, envelope: Envelope) -> None:
    _told(rows, event, envelope, basis=event.basis.model_dump(mode="json"), withdrawn=True)


@PROJECTION.on(DltBasisChanged)
def _(rows: Rows, event: DltBasisChanged, envelope: Envelope) -> None:
    _told(rows, event, envelope, basis=event.now.model_dump(mode="json"))


def _key(event: StoppingRuleTriggered | StoppingBasisChanged | StoppingReviewed) -> dict[str, Any]:
    return {"rule": event.rule, "number": event.number}


@PROJECTION.on(StoppingRuleTriggered)
def _(rows: Rows, event: StoppingRuleTriggered, envelope: Envelope) -> None:
    rows.upsert(
        halts,
        _key(event),
        participants=[str(each) for each in event.participants],
        evaluable=event.evaluable,
        posterior=event.posterior,
        triggered_at=envelope.recorded_at,
        holds=True,
    )


@PROJECTION.on(StoppingBasisChanged)
def _(rows: Rows, event: StoppingBasisChanged, _envelope: Envelope) -> None:
    rows.upsert(halts, _key(event), participants=[str(each) for each in event.now], holds=event.holds)


@PROJECTION.on(StoppingReviewed)
def _(rows: Rows, event: StoppingReviewed, envelope: Envelope) -> None:
    reviewed = {"reviewed_at": envelope.recorded_at, "reviewed_by": envelope.actor}
    rows.upsert(halts, _key(event), decision=event.decision, reason=event.reason, **reviewed)


# An episode leads to the adverse event that follows it; any other source is an adverse event itself.
_EVENT = func.coalesce(episodes.c.adverse_event_id, toxicities.c.source_id)
_KNOWN = toxicities.outerjoin(episodes, episodes.c.episode_id == toxicities.c.source_id).outerjoin(
    adverse_events, adverse_events.c.adverse_event_id == _EVENT
)


async def of(connection: AsyncConnection, scope: Scope) -> Sequence[RowMapping]:
    """Every toxicity that was proposed, withdrawn ones too, with the adverse event of its record and its CTCAE term."""
    event = (_EVENT.label("adverse_event_id"), adverse_events.c.term)
    query = select(toxicities, *event).select_from(_KNOWN).where(toxicities.c.proposed_at.is_not(None))
    ordered = query.where(about(toxicities.c.participant_id, scope)).order_by(
        toxicities.c.proposed_at, toxicities.c.dlt_id
    )
    return (await connection.execute(ordered)).mappings().all()


async def of_dosing(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Every halt of dosing in the trial, in the order in which the rules fired."""
    fired = select(halts).where(halts.c.triggered_at.is_not(None))
    ordered = fired.order_by(halts.c.triggered_at, halts.c.rule, halts.c.number)
    return (await connection.execute(ordered)).mappings().all()
