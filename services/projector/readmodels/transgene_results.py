"""Transgene copies by PCR: what the latest report of each sample says. A series of its own, beside flow results."""

from collections.abc import Sequence

from sqlalchemy import Boolean, Column, RowMapping, Table, Text, Uuid, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, participants, within
from services.projector.tables import BIOMARKERS, METADATA
from shared.contracts.biomarkers import FlowSpecimenType
from shared.contracts.biomarkers_transgene import (
    TransgeneResultCancelled,
    TransgeneResultCorrected,
    TransgeneResultRecorded,
)
from shared.db import ExactDecimal, Instant
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

transgene_results = Table(
    "transgene_results",
    METADATA,
    Column("transgene_result_id", Uuid, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("specimen", Text),
    Column("collected_at", Instant),
    Column("method", Text),
    Column("below_lloq", Boolean),
    Column("detectable", Boolean),
    Column("copies_per_ug", ExactDecimal),
    Column("lloq_copies_per_ug", ExactDecimal),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
)

PROJECTION = Projection("transgene-results", tables=[transgene_results], topics=[BIOMARKERS])

_LEVEL = {"below_lloq", "detectable", "copies_per_ug", "lloq_copies_per_ug"}


@PROJECTION.on(TransgeneResultRecorded, TransgeneResultCorrected)
def _(rows: Rows, event: TransgeneResultRecorded | TransgeneResultCorrected, _envelope: Envelope) -> None:
    rows.upsert(
        transgene_results,
        {"transgene_result_id": event.transgene_result_id},
        participant_id=event.participant_id,
        specimen=event.report.specimen.type.value,
        collected_at=event.report.specimen.collected_at,
        method=event.report.method.value,
        **event.level.model_dump(include=_LEVEL),
    )


@PROJECTION.on(TransgeneResultCancelled)
def _(rows: Rows, event: TransgeneResultCancelled, _envelope: Envelope) -> None:
    rows.upsert(transgene_results, {"transgene_result_id": event.transgene_result_id}, cancelled=True)


async def that_count(connection: AsyncConnection, scope: Scope, specimen: FlowSpecimenType) -> Sequence[RowMapping]:
    """Every result that stands, of one kind of specimen, of those who received the product."""
    about = transgene_results.join(participants, participants.c.participant_id == transgene_results.c.participant_id)
    query = (
        select(transgene_results)
        .select_from(about)
        .where(within(scope), participants.c.day_zero.is_not(None))
        .where(transgene_results.c.cancelled.is_(false()), transgene_results.c.specimen == specimen.value)
        .order_by(transgene_results.c.transgene_result_id)
    )
    return (await connection.execute(query)).mappings().all()
