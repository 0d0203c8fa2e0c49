"""The commands and questions of biomarkers: gathers the facts that a decision may not fetch, then executes it.

Flow results and cytokine panels have the same life (recorded, corrected, cancelled), so there is one method for
each step of it, which takes the decider.
"""

from typing import Any
from uuid import UUID

from services.biomarkers import references
from services.biomarkers.cytokine_course import fold_changes_of
from services.biomarkers.domain import cytokine_panel, flow_result
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
from services.biomarkers.references import NoSuchParticipant, Participant
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Decider
from shared.kernel.errors import NotFound
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.protocol.fold_change import FoldChange
from shared.telemetry import tracing

Kind = Decider[Any, Any, Facts, Any]
Recording = RecordFlowResult | RecordCytokinePanel
Change = CorrectFlowResult | CancelFlowResult | CorrectCytokinePanel | CancelCytokinePanel

_UNKNOWN: dict[str, type[NotFound]] = {
    flow_result.DECIDER.category: NoSuchFlowResult,
    cytokine_panel.DECIDER.category: NoSuchCytokinePanel,
}


class Biomarkers:
    """What the routes of biomarkers call. A result of a site that the actor may not see does not exist for them."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self.protocol = protocol

    async def record(self, decider: Kind, result_id: UUID, command: Recording, *, by: Actor) -> Receipt:
        """Put a new result on record.

        Raises:
            NoSuchParticipant: nobody of this id is known here yet, or at the actor's sites.
        """
        participant = await references.participant(self._db, command.participant_id)
        if not by.may_see(participant.site_id):
            raise NoSuchParticipant
        facts = self._facts()
        frame = tracing.recording(by, at=facts.now, subject=participant.participant_id, command_id=result_id)
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
        facts = self._facts()
        frame = tracing.recording(
            by, at=facts.now, subject=participant.participant_id, command_id=command_id, reason=command.stated_reason
        )
        return await self._store.execute(decider, result_id, command, facts, frame, expected=expected)

    async def result(self, decider: Kind, result_id: UUID, *, by: Actor) -> tuple[list[Envelope], Participant]:
        """All that happened to a result, and what is known of its participant."""
        participant = await self._participant_of(decider, result_id, by)
        return await self._store.history(decider.stream(result_id)), participant

    async def fold_changes(self, panel_id: UUID, participant: Participant) -> dict[str, FoldChange]:
        """The fold changes of a panel by analyte, over the baseline that stands now."""
        return await fold_changes_of(self._db, self.protocol, participant, panel_id)

    async def _participant_of(self, decider: Kind, result_id: UUID, by: Actor) -> Participant:
        participant = await references.participant_of(self._db, decider.stream(result_id))
        if participant is None or not by.may_see(participant.site_id):
            raise _UNKNOWN[decider.category]("no result has this id, or none at your sites")
        return participant

    def _facts(self) -> Facts:
        return Facts(self._clock(), self.protocol)
