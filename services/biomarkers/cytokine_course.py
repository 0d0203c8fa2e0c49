"""All cytokine panels of one participant as they stand, from the service's own events: what a fold change rests on."""

from itertools import groupby
from uuid import UUID

from sqlalchemy import select

from services.biomarkers.domain.cytokine_panel import DECIDER
from services.biomarkers.domain.life import Standing
from services.biomarkers.references import Participant
from services.biomarkers.tables import events
from shared.contracts.biomarkers import (
    CytokinePanelCancelled,
    CytokinePanelCorrected,
    CytokinePanelRecorded,
    CytokineReport,
    CytokineResult,
)
from shared.db import Database
from shared.kernel.events import decode
from shared.protocol import Protocol
from shared.protocol.fold_change import FoldChange, Measured, fold_changes

Panel = Standing[CytokineReport, tuple[CytokineResult, ...]]

_KINDS = [kind.event_type for kind in (CytokinePanelRecorded, CytokinePanelCorrected, CytokinePanelCancelled)]


async def fold_changes_of(
    db: Database, protocol: Protocol, participant: Participant, panel_id: UUID
) -> dict[str, FoldChange]:
    """The fold changes of one panel by analyte, over the baseline that stands now."""
    standing = await _standing_panels(db, participant.participant_id)
    measured = [each for panel in standing for each in _measured(panel)]
    folds = fold_changes(protocol.cytokines, measured, participant.day_zero)
    return {analyte: fold for (panel, analyte), fold in folds.items() if panel == panel_id}


async def _standing_panels(db: Database, participant_id: UUID) -> list[Panel]:
    query = (
        select(events.c.stream, events.c.type, events.c.schema_version, events.c.data)
        .where(events.c.subject == str(participant_id), events.c.type.in_(_KINDS))
        .order_by(events.c.stream, events.c.version)
    )
    async with db.connect() as connection:
        rows = (await connection.execute(query)).all()
    states = [
        DECIDER.fold(decode(row.type, row.schema_version, row.data) for row in panel)  # type: ignore[misc]
        for _, panel in groupby(rows, key=lambda row: row.stream)
    ]
    return [state for state in states if isinstance(state, Standing)]


def _measured(panel: Panel) -> list[Measured]:
    report = panel.report
    return [
        Measured(
            panel_id=panel.result_id,
            analyte=result.analyte,
            collected_at=report.specimen.collected_at,
            platform=report.platform,
            value=result.value_pg_ml,
            qualifier=result.qualifier,
            lloq=result.lloq_pg_ml,
            uloq=result.uloq_pg_ml,
            kit=report.kit,
            lot=report.lot,
            specimen=report.specimen.type,
        )
        for result in panel.reading
        if result.not_measured is None
    ]
