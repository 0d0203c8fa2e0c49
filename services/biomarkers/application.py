"""The commands and questions of biomarkers: gathers the facts that a decision may not fetch, then executes it.

Flow results, cytokine panels and transgene results have the same life (recorded, corrected, cancelled), so there is
one method for each step of it, which takes the decider.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any
from uuid import UUID

from services.biomarkers import references
from services.biomarkers.cytokine_course import fold_changes_of
from services.biomarkers.domain import assays, cytokine_panel, flow_result, transgene_result
from services.biomarkers.domain.cytokine_panel import (
    CancelCytokinePanel,
    CorrectCytokinePanel,
    NoSuchCytokinePanel,
    RecordCytokinePanel,
)
from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.flow_result import (
    CancelFlowResult,
    CorrectFlowResult,
    NoSuchFlowResult,
    RecordFlowResult,
)
from services.biomarkers.domain.life import Standing
from services.biomarkers.domain.specimens import results
from services.biomarkers.domain.specimens import specimen as specimens
from services.biomarkers.domain.specimens.custody import State as SpecimenState
from services.biomarkers.domain.transgene_result import (
    CancelTransgeneResult,
    CorrectTransgeneResult,
    NoSuchTransgeneResult,
    RecordTransgeneResult,
)
from services.biomarkers.drafts import Draft, Streams
from services.biomarkers.references import Participant
from services.biomarkers.specimens import origin_of
from services.biomarkers.tables import known_consents
from shared.contracts.biomarkers_specimens import ResultKind, ResultRef
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt, Write
from shared.kernel import decider as deciding
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Decider
from shared.kernel.errors import NoSuchParticipant, NotFound
from shared.kernel.events import Envelope
from shared.known_consents import KnownConsents
from shared.protocol import ConsentGate, Protocol
from shared.protocol.fold_change import FoldChange
from shared.telemetry import tracing

Kind = Decider[Any, Any, Facts, Any]
Recording = RecordFlowResult | RecordCytokinePanel | RecordTransgeneResult
Change = (
    CorrectFlowResult
    | CancelFlowResult
    | CorrectCytokinePanel
    | CancelCytokinePanel
    | CorrectTransgeneResult
    | CancelTransgeneResult
)

_UNKNOWN: dict[str, type[NotFound]] = {
    flow_result.DECIDER.category: NoSuchFlowResult,
    cytokine_panel.DECIDER.category: NoSuchCytokinePanel,
    transgene_result.DECIDER.category: NoSuchTransgeneResult,
}


class Biomarkers:
    """What the routes of biomarkers call. A result of a site that the actor may not see does not exist for them."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._consents = KnownConsents(db, known_consents, protocol)
        self.protocol = protocol

    async def record(self, decider: Kind, result_id: UUID, command: Recording, *, by: Actor) -> Receipt:
        """Put a new result on record.

        Raises:
            NoSuchParticipant: nobody of this id is known here yet, or at the actor's sites.
        """
        participant = await self._participant(command.participant_id, by)
        facts = await self._with_lot(self._store, await self._facts(participant), command)
        frame = tracing.recording(by, at=facts.now, subject=participant.participant_id, command_id=result_id)
        if command.specimen.specimen_id is not None:
            return await self._with_specimen(decider, result_id, command, facts, frame)
        return await self._store.execute(decider, result_id, command, facts, frame, fresh=True)

    async def change(
        self,
        decider: Kind,
        result_id: UUID,
        command: Change,
        *,
        by: Actor,
        expected: int,
        command_id: UUID,
    ) -> Receipt:
        """Correct or cancel a result, on the version its sender has seen."""
        participant = await self._participant_of(decider, result_id, by)
        facts = await self._with_lot(self._store, await self._facts(participant), command)
        frame = tracing.recording(
            by, at=facts.now, subject=participant.participant_id, command_id=command_id, reason=command.stated_reason
        )
        return await self._with_specimen(decider, result_id, command, facts, frame, expected)

    async def draft(
        self, draft: Draft, decider: Kind, result_id: UUID, command: Recording | Change, *, command_id: UUID, by: Actor
    ) -> None:
        """Decide on a result, and add what follows to a draft: raises what recording or changing it would."""
        state, _ = await draft.load(decider, result_id)
        whose = command.participant_id if isinstance(command, Recording) else state.participant_id
        if whose not in draft.facts:
            seen = references.participant(self._db, whose) if whose in draft.elsewhere else self._participant(whose, by)
            draft.facts[whose] = await self._facts(await seen)
        facts = await self._with_lot(draft, draft.facts[whose], command)
        frame = tracing.recording(by, at=facts.now, subject=whose, command_id=command_id, reason=command.stated_reason)
        await draft.add(*await self._writes(draft, decider, result_id, command, facts, frame))

    async def result(self, decider: Kind, result_id: UUID, *, by: Actor) -> tuple[list[Envelope], Participant]:
        """All that happened to a result, and what is known of its participant."""
        participant = await self._participant_of(decider, result_id, by)
        return await self._store.history(decider.stream(result_id)), participant

    async def specimen_of(self, specimen_id: UUID | None) -> tuple[SpecimenState, SpecimenState] | None:
        """The specimen that a result names and what that was made of (or itself); None: it names none."""
        if specimen_id is None:
            return None
        state, _ = await self._store.load(specimens.DECIDER, specimen_id)
        return state, await origin_of(self._store, state)

    async def fold_changes(self, panel_id: UUID, participant: Participant) -> dict[str, FoldChange]:
        """The fold changes of a panel by analyte, over the baseline that stands now."""
        return await fold_changes_of(self._db, self.protocol, participant, panel_id)

    async def _with_specimen(
        self,
        decider: Kind,
        result_id: UUID,
        command: Recording | Change,
        facts: Facts,
        frame: deciding.Recording,
        expected: int | None = None,
    ) -> Receipt:
        """Load the result and the specimens that it names and named, decide, append all; again where somebody wrote.

        Raises:
            NoSpecimenOfParticipant, SpecimenIsRejected, SpecimenNotAtLaboratory, SpecimenDiffers.
        """
        stream, fingerprint = decider.stream(result_id), command.fingerprint()

        async def decide() -> Sequence[Write]:
            return await self._writes(self._store, decider, result_id, command, facts, frame)

        return await self._store.execute_together(stream, frame, fingerprint, decide, expected=expected)

    async def _writes(
        self,
        streams: Streams,
        decider: Kind,
        result_id: UUID,
        command: Recording | Change,
        facts: Facts,
        frame: deciding.Recording,
    ) -> list[Write]:
        """What a command leads to, in the result's own stream (last) and in those of its specimens."""
        state, version = await streams.load(decider, result_id)
        decided = decider.decide(command, state, facts)
        if not decided:
            return []
        after, fingerprint = reduce(decider.evolve, decided, state), command.fingerprint()
        result = ResultRef(kind=ResultKind(decider.category), id=result_id)
        beside = await self._beside(streams, result, state, after, fingerprint, frame)
        return [*beside, Write(decider.stream(result_id), version, decided, frame, fingerprint)]

    async def _beside(
        self,
        streams: Streams,
        result: ResultRef,
        before: Any,
        after: Any,
        fingerprint: str,
        frame: deciding.Recording,
    ) -> list[Write]:
        """What specimens take with a result: the one it names now, and the one it no longer names."""
        writes, left, sample = [], _specimen_named(before), after.report.specimen if _counts(after) else None
        if left is not None and (sample is None or sample.specimen_id != left):
            state, version = await streams.load(specimens.DECIDER, left)
            told = results.no_longer_named(state, result)
            writes.append(Write(specimens.DECIDER.stream(left), version, told, frame, fingerprint))
        if sample is not None and sample.specimen_id is not None:
            state, version = await streams.load(specimens.DECIDER, sample.specimen_id)
            told = results.named(
                state,
                await origin_of(streams, state),
                participant_id=after.participant_id,
                result=result,
                type_=sample.type.value,
                collected_at=sample.collected_at,
            )
            writes.append(Write(specimens.DECIDER.stream(sample.specimen_id), version, told, frame, fingerprint))
        return [write for write in writes if write.events]

    async def _participant_of(self, decider: Kind, result_id: UUID, by: Actor) -> Participant:
        participant = await references.participant_of(self._db, decider.stream(result_id))
        if participant is None or not by.may_see(participant.site_id):
            raise _UNKNOWN[decider.category]("no result has this id, or none at your sites")
        return participant

    async def _participant(self, participant_id: UUID, by: Actor) -> Participant:
        participant = await references.participant(self._db, participant_id)
        if not by.may_see(participant.site_id):
            raise NoSuchParticipant
        return participant

    async def _facts(self, participant: Participant) -> Facts:
        consent = await self._consents.gating(ConsentGate.SAMPLES, participant.participant_id, participant.site_id)
        return Facts(self._clock(), self.protocol, consent=consent)

    async def _with_lot(self, streams: Streams, facts: Facts, command: Recording | Change) -> Facts:
        """The facts, with the lot that a panel names.

        Raises:
            UnknownAssayLot.
        """
        if not isinstance(command, RecordCytokinePanel | CorrectCytokinePanel) or command.assay_lot_id is None:
            return facts
        registry, _ = await streams.load(assays.DECIDER, self.protocol.protocol_id)
        return replace(facts, lot=assays.lot_for(registry, command.assay_lot_id))

    async def assay_lots(self) -> assays.Registry:
        """Every lot that was registered."""
        registry, _ = await self._store.load(assays.DECIDER, self.protocol.protocol_id)
        return registry


def _counts(state: Any) -> bool:
    return isinstance(state, Standing)


def _specimen_named(state: Any) -> UUID | None:
    return state.report.specimen.specimen_id if isinstance(state, Standing) else None
