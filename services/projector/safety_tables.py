"""Questions about the safety of the trial as a whole: dose-limiting toxicity, and what is open."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping

from services.projector.domain.dose_limiting_table import (
    Dosed,
    DoseLimitingToxicityTable,
    Proposed,
    dose_limiting_table,
)
from services.projector.domain.reconciliation import Records, SafetyReconciliation, reconciliation
from services.projector.domain.stopping_rules import FiredRule
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import (
    adverse_events,
    alerts,
    candidates,
    case_clocks,
    dose_limiting,
    participants,
    periodic_clocks,
    quarantined_rows,
    toxicity_episodes,
)
from services.projector.readmodels.participants import ENDINGS
from shared.contracts.safety_dose_limiting import DltBasis, ToxicitySource
from shared.protocol import Protocol

OF_TOXICITIES = (
    participants.PROJECTION,
    adverse_events.PROJECTION,
    toxicity_episodes.PROJECTION,
    dose_limiting.PROJECTION,
)


_OF_RECORDS = (
    alerts.PROJECTION,
    case_clocks.PROJECTION,
    candidates.PROJECTION,
    quarantined_rows.PROJECTION,
    periodic_clocks.PROJECTION,
)


class SafetyTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def dose_limiting_toxicity(self, question: Question) -> Found[DoseLimitingToxicityTable]:
        async with self._reading(question, *OF_TOXICITIES) as reading:
            people = await participants.dosed(reading.connection, reading.scope)
            proposed = await _proposed(reading)
            fired = await dose_limiting.of_dosing(reading.connection)
        dosed = [dosed_of(row, self.protocol) for row in people]
        halts = fired_of(fired)
        return reading.found(dose_limiting_table(self.protocol, dosed, proposed, halts, reading.now))

    async def reconciliation(self, question: Question) -> Found[SafetyReconciliation]:
        of = (*OF_TOXICITIES, *_OF_RECORDS)
        async with self._reading(question, *of) as reading:
            connection, scope = reading.connection, reading.scope
            records = Records(
                adverse_events=await adverse_events.to_reconcile(connection, scope),
                cases=await case_clocks.kept(connection, scope),
                alerts=await alerts.raised(connection, scope),
                toxicities=await _proposed(reading),
                episodes=await toxicity_episodes.not_followed(connection, scope),
                candidates=await candidates.to_reconcile(connection, scope),
                quarantine=await quarantined_rows.waiting(connection, scope),
                periodic_clocks=await periodic_clocks.waiting(connection),
            )
            people = await participants.numbers(connection, scope)
        return reading.found(reconciliation(records, people, now=reading.now))


async def _proposed(reading: Reading) -> list[Proposed]:
    return toxicities_of(await dose_limiting.of(reading.connection, reading.scope))


def dosed_of(row: RowMapping, protocol: Protocol) -> Dosed:
    """Who was screened before the time zone was kept is at a site of the trial's own until `rebuild participants`."""
    named = {name: row[name] for name in ("participant_id", "subject_number", "site_id", "dose_level", "cells_per_kg")}
    return Dosed(
        **named,
        zone=protocol.zone if row["time_zone"] is None else ZoneInfo(row["time_zone"]),
        infused_from=row["infused_from"],
        infused_to=row["infused_to"],
        endings={status: row[column] for status, column in ENDINGS.items()},
    )


def fired_of(rows: Iterable[RowMapping]) -> list[FiredRule]:
    return [FiredRule(**{**row, "participants": tuple(UUID(each) for each in row["participants"])}) for row in rows]


def toxicities_of(rows: Iterable[RowMapping]) -> list[Proposed]:
    return [_toxicity(row) for row in rows]


_AS_KEPT = (
    *("dlt_id", "participant_id", "adverse_event_id", "term", "withdrawn", "proposed_at"),
    *("decision", "reason", "decided_at", "decided_by"),
)


def _toxicity(row: RowMapping) -> Proposed:
    as_kept: dict[str, Any] = {name: row[name] for name in _AS_KEPT}
    return Proposed(
        **as_kept,
        source=ToxicitySource(kind=row["source_kind"], id=row["source_id"]),
        basis=DltBasis.model_validate(row["basis"]),
        decided_on=None if row["decided_on"] is None else DltBasis.model_validate(row["decided_on"]),
    )
