"""Cytokine panels: what the latest report of each sample says, all its analytes together."""

from collections.abc import Sequence

from sqlalchemy import Boolean, Column, RowMapping, Table, Text, Uuid, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, participants, within
from services.projector.tables import BIOMARKERS, METADATA
from shared.contracts.biomarkers import CytokinePanelCancelled, CytokinePanelCorrected, CytokinePanelRecorded
from shared.db import Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

cytokine_panels = Table(
    "cytokine_panels",
    METADATA,
    Column("cytokine_panel_id", Uuid, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("specimen", Text),
    Column("collected_at", Instant),
    Column("platform", Text),
    Column("kit", Text),
    Column("lot", Text),
    Column("results", Json, comment="as in the event: CytokineResult"),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
)

PROJECTION = Projection("cytokine-panels", tables=[cytokine_panels], topics=[BIOMARKERS])


@PROJECTION.on(CytokinePanelRecorded, CytokinePanelCorrected)
def _(rows: Rows, event: CytokinePanelRecorded | CytokinePanelCorrected, _envelope: Envelope) -> None:
    rows.upsert(
        cytokine_panels,
        {"cytokine_panel_id": event.cytokine_panel_id},
        participant_id=event.participant_id,
        specimen=event.report.specimen.type.value,
        collected_at=event.report.specimen.collected_at,
        **event.report.model_dump(include={"platform", "kit", "lot"}),
        results=[result.model_dump(mode="json") for result in event.results],
    )


@PROJECTION.on(CytokinePanelCancelled)
def _(rows: Rows, event: CytokinePanelCancelled, _envelope: Envelope) -> None:
    rows.upsert(cytokine_panels, {"cytokine_panel_id": event.cytokine_panel_id}, cancelled=True)


async def that_count(connection: AsyncConnection, scope: Scope) -> Sequence[RowMapping]:
    """Every panel that stands, of those who received the product."""
    about = cytokine_panels.join(participants, participants.c.participant_id == cytokine_panels.c.participant_id)
    query = (
        select(cytokine_panels)
        .select_from(about)
        .where(within(scope), participants.c.day_zero.is_not(None), cytokine_panels.c.cancelled.is_(false()))
        .order_by(cytokine_panels.c.cytokine_panel_id)
    )
    return (await connection.execute(query)).mappings().all()


async def that_stand(connection: AsyncConnection, scope: Scope) -> Sequence[RowMapping]:
    """Every panel that stands, of participants who were infused and of those who were not."""
    about = cytokine_panels.join(participants, participants.c.participant_id == cytokine_panels.c.participant_id)
    query = select(cytokine_panels).select_from(about).where(within(scope), cytokine_panels.c.cancelled.is_(false()))
    return (await connection.execute(query.order_by(cytokine_panels.c.cytokine_panel_id))).mappings().all()
