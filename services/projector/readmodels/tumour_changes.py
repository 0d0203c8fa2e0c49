"""How the measured tumour compares with the baseline at each assessment: the numbers that its response rests on."""

from collections.abc import Sequence

from sqlalchemy import Column, RowMapping, Table, Text, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.readmodels.participants import Scope, about
from services.projector.tables import EFFICACY, METADATA
from shared.contracts.efficacy import ResponseAssigned
from shared.db import ExactDecimal
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

tumour_changes = Table(
    "tumour_changes",
    METADATA,
    Column("assessment_id", Uuid, primary_key=True),
    Column("evaluator", Text, primary_key=True),
    Column("participant_id", Uuid, index=True),
    Column("baseline_on", Text),
    Column("percent_from_baseline", ExactDecimal, comment="NULL: no sum here, or none at baseline"),
)

PROJECTION = Projection("tumour-changes", tables=[tumour_changes], topics=[EFFICACY])


@PROJECTION.on(ResponseAssigned)
def _(rows: Rows, event: ResponseAssigned, _envelope: Envelope) -> None:
    rows.upsert(
        tumour_changes,
        {"assessment_id": event.assessment_id, "evaluator": event.evaluator.value},
        participant_id=event.participant_id,
        **event.basis.model_dump(include={"baseline_on", "percent_from_baseline"}),
    )


async def known(connection: AsyncConnection, scope: Scope, evaluator: str) -> Sequence[RowMapping]:
    """Each assessment of one evaluator at which there is a change, retracted assessments too."""
    columns = tumour_changes.c
    query = select(tumour_changes).where(
        about(columns.participant_id, scope),
        columns.evaluator == evaluator,
        columns.percent_from_baseline.is_not(None),
        columns.baseline_on.is_not(None),
    )
    return (await connection.execute(query)).mappings().all()
