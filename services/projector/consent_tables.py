"""Questions about consent: who lacks which, and what it did not cover."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.domain.consent_gaps import (
    ConsentGapOf,
    Consenting,
    GapKey,
    GapState,
    consent_gaps,
    key_of_gap,
)
from services.projector.domain.uncovered_data import Kept, Uncovered, uncovered_data
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import (
    consents,
    cytokine_panels,
    flow_results,
    participants,
    responses,
    specimens,
    transgene_results,
)
from services.projector.readmodels.adverse_events import AdverseEvent
from services.projector.readmodels.consents import known_consents
from services.projector.readmodels.participants import Scope
from shared.consent.coverage import Coverage
from shared.contracts.biomarkers import FlowSpecimenType
from shared.contracts.efficacy_terms import Evaluator
from shared.contracts.enrollment_terms import ConsentScope, ParticipantStatus
from shared.known_consents import coverages
from shared.protocol import ConsentGate, Protocol

OF_UNCOVERED = (
    participants.PROJECTION,
    consents.PROJECTION,
    responses.PROJECTION,
    flow_results.PROJECTION,
    transgene_results.PROJECTION,
    cytokine_panels.PROJECTION,
    specimens.PROJECTION,
)


class ConsentTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def gaps(
        self, question: Question, until: date | None, states: frozenset[GapState], after: GapKey | None, limit: int
    ) -> Found[list[ConsentGapOf]]:
        async with self._reading(question, participants.PROJECTION, consents.PROJECTION) as reading:
            rows = await participants.everybody(reading.connection, reading.scope)
            named = [(row["participant_id"], row["site_id"]) for row in rows]
            covered = await covered_of(reading, self.protocol, named)
        people = [
            Consenting(who, row["subject_number"], ParticipantStatus(row["status"]), covered[who])
            for row in rows
            if (who := row["participant_id"]) in covered
        ]
        lines = consent_gaps(people, now=reading.now, until=until, states=states)
        return reading.found([line for line in lines if after is None or key_of_gap(line) > after][:limit])


async def flagged(reading: Reading, protocol: Protocol, events: Sequence[AdverseEvent]) -> list[AdverseEvent]:
    """Adverse events with what consent to follow-up lacked at their onset, where the protocol lets it gate data."""
    if ConsentGate.FOLLOW_UP not in protocol.consent.gates.value:
        return list(events)
    covered = await covered_of(reading, protocol, [(each.participant_id, each.site_id) for each in events])
    return [_flagged(each, covered.get(each.participant_id)) for each in events]


async def uncovered_of(reading: Reading, protocol: Protocol) -> list[Uncovered]:
    """What is on record although consent did not cover it, of the kinds that the protocol lets consent gate."""
    gates, connection, scope = protocol.consent.gates.value, reading.connection, reading.scope
    kept: list[Kept] = []
    if ConsentGate.FOLLOW_UP in gates:
        read = await responses.that_count(connection, scope, Evaluator.INVESTIGATOR)
        asked = ConsentScope.FOLLOW_UP
        kept += [Kept(each["participant_id"], "tumour assessment", asked, each["assessed_on"]) for each in read]
    if ConsentGate.SAMPLES in gates:
        kept += await _samples(connection, scope)
    rows = await participants.everybody(connection, scope)
    covered = await covered_of(reading, protocol, [(row["participant_id"], row["site_id"]) for row in rows])
    return uncovered_data(kept, covered)


async def _samples(connection: AsyncConnection, scope: Scope) -> list[Kept]:
    found: list[tuple[str, RowMapping]] = []
    for compartment in FlowSpecimenType:
        found += [("flow result", row) for row in await flow_results.that_count(connection, scope, compartment)]
        found += [
            ("transgene result", row) for row in await transgene_results.that_count(connection, scope, compartment)
        ]
    found += [("cytokine panel", row) for row in await cytokine_panels.that_count(connection, scope)]
    results = [Kept(row["participant_id"], what, ConsentScope.SAMPLES, row["collected_at"]) for what, row in found]
    first = [own[0] for own in (await specimens.steps(connection, scope)).values()]
    drawn = [row for row in first if row["status"] == "collected" and row["parent_id"] is None]
    return results + [Kept(row["participant_id"], "specimen", ConsentScope.SAMPLES, row["at"]) for row in drawn]


async def covered_of(
    reading: Reading, protocol: Protocol, whose: Iterable[tuple[UUID, str | None]]
) -> dict[UUID, Coverage]:
    """What the consent of participants, each named with their site, covers."""
    subjects = {name for who, site_id in whose for name in (str(who), site_id) if name is not None}
    return await coverages(reading.connection, known_consents, protocol, subjects)


def _flagged(event: AdverseEvent, covered: Coverage | None) -> AdverseEvent:
    gaps = None if covered is None else covered.gaps_of(event.onset, ConsentScope.FOLLOW_UP)
    return event.model_copy(update={"consent_gaps": gaps})
