"""Cases of serious adverse events: every clock and how far it has come, every report, what the sponsor judges."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid, false, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.functions import coalesce

from services.projector.readmodels.adverse_events import adverse_events
from services.projector.readmodels.participants import Scope, participants
from services.projector.tables import METADATA, SAFETY
from shared.contracts.safety_cases import (
    ClockDueSoon,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockStarted,
    ClockStopped,
    ReportAcknowledged,
    ReportSubmitted,
    SponsorAssessed,
    SusarIdentified,
    SusarNoLongerHeld,
)
from shared.db import Instant
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

case_clocks = Table(
    "case_clocks",
    METADATA,
    Column("clock_id", Text, primary_key=True),
    Column("adverse_event_id", Uuid),
    Column("participant_id", Uuid),
    Column("site_id", Text),
    Column("clock", Text),
    Column("to", Text),
    Column("number", Integer),
    Column("cause", Text),
    Column("reference", Text, comment="the alert's id, or the number of the identification or the report"),
    Column("since", Instant),
    Column("due_at", Instant),
    Column("due_soon", Boolean, nullable=False, server_default=false()),
    Column("escalation_level", Integer, nullable=False, server_default="0"),
    Column("missed", Boolean, nullable=False, server_default=false()),
    Column("met_at", Instant),
    Column("late", Boolean),
    Column("report_number", Integer),
    Column("stopped_because", Text),
)

case_reports = Table(
    "case_reports",
    METADATA,
    Column("adverse_event_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("site_id", Text),
    Column("kind", Text),
    Column("recipient", Text),
    Column("sent_at", Instant),
    Column("answered", Text),
    Column("answered_at", Instant),
)

cases = Table(
    "cases",
    METADATA,
    Column("adverse_event_id", Uuid, primary_key=True),
    Column("site_id", Text),
    Column("susar", Text, comment="its urgency; none: no suspected unexpected serious adverse reaction"),
    Column("assessed_at", Instant),
)

PROJECTION = Projection("case-clocks", tables=[case_clocks, case_reports, cases], topics=[SAFETY])


@PROJECTION.on(ClockStarted)
def _(rows: Rows, event: ClockStarted, _envelope: Envelope) -> None:
    ids = {"adverse_event_id", "participant_id", "site_id"}
    told = event.model_dump(include={*ids, "clock", "to", "number", "since", "due_at"})
    basis = event.basis
    rows.upsert(case_clocks, {"clock_id": event.clock_id}, **told, cause=basis.cause.value, reference=basis.reference)


@PROJECTION.on(ClockDueSoon)
def _(rows: Rows, event: ClockDueSoon, _envelope: Envelope) -> None:
    rows.upsert(case_clocks, {"clock_id": event.clock_id}, due_soon=True)


@PROJECTION.on(ClockEscalated)
def _(rows: Rows, event: ClockEscalated, _envelope: Envelope) -> None:
    rows.upsert(case_clocks, {"clock_id": event.clock_id}, escalation_level=event.level)


@PROJECTION.on(ClockMissed)
def _(rows: Rows, event: ClockMissed, _envelope: Envelope) -> None:
    rows.upsert(case_clocks, {"clock_id": event.clock_id}, missed=True)


@PROJECTION.on(ClockMet)
def _(rows: Rows, event: ClockMet, _envelope: Envelope) -> None:
    told = event.model_dump(include={"met_at", "late", "report_number"})
    rows.upsert(case_clocks, {"clock_id": event.clock_id}, **told)


@PROJECTION.on(ClockStopped)
def _(rows: Rows, event: ClockStopped, _envelope: Envelope) -> None:
    rows.upsert(case_clocks, {"clock_id": event.clock_id}, stopped_because=event.because.value)


@PROJECTION.on(ReportSubmitted)
def _(rows: Rows, event: ReportSubmitted, _envelope: Envelope) -> None:
    key = {"adverse_event_id": event.adverse_event_id, "number": event.number}
    told = event.model_dump(include={"site_id", "recipient", "sent_at"})
    rows.upsert(case_reports, key, **told, kind=event.kind.value)


@PROJECTION.on(ReportAcknowledged)
def _(rows: Rows, event: ReportAcknowledged, _envelope: Envelope) -> None:
    key = {"adverse_event_id": event.adverse_event_id, "number": event.report_number}
    rows.upsert(case_reports, key, answered=event.verdict, answered_at=event.acknowledged_at)


@PROJECTION.on(SponsorAssessed)
def _(rows: Rows, event: SponsorAssessed, _envelope: Envelope) -> None:
    _of_case(rows, event, assessed_at=event.assessed_at)


@PROJECTION.on(SusarIdentified)
def _(rows: Rows, event: SusarIdentified, _envelope: Envelope) -> None:
    _of_case(rows, event, susar=event.urgency.value)


@PROJECTION.on(SusarNoLongerHeld)
def _(rows: Rows, event: SusarNoLongerHeld, _envelope: Envelope) -> None:
    _of_case(rows, event, susar=None)


def _of_case(rows: Rows, event: SponsorAssessed | SusarIdentified | SusarNoLongerHeld, **columns: Any) -> None:
    rows.upsert(cases, {"adverse_event_id": event.adverse_event_id}, site_id=event.site_id, **columns)


async def kept(connection: AsyncConnection, scope: Scope) -> dict[UUID, dict[str, Any]]:
    """By adverse event: `susar`, `assessed_at`, `clocks` and `reports`, in the order in which they began."""
    found: dict[UUID, dict[str, Any]] = defaultdict(
        lambda: {"susar": None, "assessed_at": None, "clocks": [], "reports": []}
    )
    for row in await _rows(connection, cases, scope):
        found[row["adverse_event_id"]] |= {"susar": row["susar"], "assessed_at": row["assessed_at"]}
    for row in await _rows(connection, case_clocks, scope):
        found[row["adverse_event_id"]]["clocks"].append(row)
    for row in await _rows(connection, case_reports, scope):
        found[row["adverse_event_id"]]["reports"].append(row)
    return dict(found)


async def _rows(connection: AsyncConnection, table: Table, scope: Scope) -> list[dict[str, Any]]:
    """The rows of the caller's sites, where their participants are now. One without a site is not begun here yet."""
    event, who = adverse_events.c, participants.c
    about = table.outerjoin(adverse_events, event.adverse_event_id == table.c.adverse_event_id)
    about = about.outerjoin(participants, who.participant_id == event.participant_id)
    here = coalesce(who.site_id, table.c.site_id)
    told = [each for each in table.c if each.name != "site_id"]
    query = select(*told, here.label("site_id")).select_from(about).where(table.c.site_id.is_not(None))
    if scope.sites is not None:
        query = query.where(here.in_(sorted(scope.sites)))
    order = [table.c.adverse_event_id, *([table.c.number] if "number" in table.c else [])]
    return [dict(row) for row in (await connection.execute(query.order_by(*order))).mappings().all()]
