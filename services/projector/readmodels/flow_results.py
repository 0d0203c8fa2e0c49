"""Flow cytometry of CAR-T cells: what the latest report of each sample says."""

from collections.abc import Sequence

from sqlalchemy import Boolean, Column, RowMapping, Table, Text, Uuid, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, participants, within
from services.projector.tables import BIOMARKERS, METADATA
from shared.contracts.biomarkers import FlowResultCancelled, FlowResultCorrected, FlowResultRecorded, FlowSpecimenType
from shared.db import ExactDecimal, Instant, Json
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

flow_results = Table(
    "flow_results",
    METADATA,
    Column("flow_result_id", Uuid, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("specimen", Text),
    Column("collected_at", Instant),
    Column("parent_population", Text),
    Column("below_lloq", Boolean),
    Column("detectable", Boolean),
    Column("percent", ExactDecimal),
    Column("lloq_percent", ExactDecimal),
    Column("cells_per_ul", ExactDecimal),
    Column("lloq_cells_per_ul", ExactDecimal),
    Column("subsets", Json, comment="as in the event: CarSubsets"),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
)

PROJECTION = Projection("flow-results", tables=[flow_results], topics=[BIOMARKERS])

_COUNT = {"below_lloq", "detectable", "percent", "lloq_percent", "cells_per_ul", "lloq_cells_per_ul"}


@PROJECTION.on(FlowResultRecorded, FlowResultCorrected)
def _(rows: Rows, event: FlowResultRecorded | FlowResultCorrected, _envelope: Envelope) -> None:
    subsets = event.count.subsets or event.report.subsets  # events from before gates tell them in the report alone
    rows.upsert(
        flow_results,
        {"flow_result_id": event.flow_result_id},
        participant_id=event.participant_id,
        specimen=event.report.specimen.type.value,
        collected_at=event.report.specimen.collected_at,
        parent_population=event.report.parent_population.value,
        subsets=None if subsets is None else subsets.model_dump(mode="json"),
        **event.count.model_dump(include=_COUNT),
    )


@PROJECTION.on(FlowResultCancelled)
def _(rows: Rows, event: FlowResultCancelled, _envelope: Envelope) -> None:
    rows.upsert(flow_results, {"flow_result_id": event.flow_result_id}, cancelled=True)


async def that_count(connection: AsyncConnection, scope: Scope, specimen: FlowSpecimenType) -> Sequence[RowMapping]:
    """Every result that stands, of one kind of specimen, of those who received the product."""
    about = flow_results.join(participants, participants.c.participant_id == flow_results.c.participant_id)
    query = (
        select(flow_results)
        .select_from(about)
        .where(within(scope), participants.c.day_zero.is_not(None))
        .where(flow_results.c.cancelled.is_(false()), flow_results.c.specimen == specimen.value)
        .order_by(flow_results.c.flow_result_id)
    )
    return (await connection.execute(query)).mappings().all()
