"""The commands and questions about lots of assays, which are one stream for the trial."""

from uuid import UUID

from services.biomarkers.domain import assays
from services.biomarkers.domain.assays import AssayCommand, Meant, RegisterAssayLot, Registry, WithdrawAssayLot
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.telemetry import tracing

DECIDER = assays.DECIDER


class AssayRegistry:
    """What the routes of the registry call. It concerns no participant, and every site."""

    def __init__(self, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._store = store
        self._protocol = protocol
        self._clock = clock

    async def register(self, assay_lot_id: UUID, command: RegisterAssayLot, *, by: Actor) -> Receipt:
        return await self._carry_out(command, assay_lot_id, by, assay_lot_id)

    async def withdraw(self, assay_lot_id: UUID, command: WithdrawAssayLot, *, by: Actor, command_id: UUID) -> Receipt:
        return await self._carry_out(command, assay_lot_id, by, command_id)

    async def registry(self) -> Registry:
        state, _ = await self._store.load(DECIDER, self._protocol.protocol_id)
        return state

    async def history(self) -> list[Envelope]:
        return await self._store.history(DECIDER.stream(self._protocol.protocol_id))

    async def _carry_out(self, command: AssayCommand, assay_lot_id: UUID, by: Actor, command_id: UUID) -> Receipt:
        frame = tracing.recording(
            by, at=self._clock(), subject=DECIDER.category, command_id=command_id, reason=command.stated_reason
        )
        return await self._store.execute(
            DECIDER, self._protocol.protocol_id, command, Meant(assay_lot_id, self._protocol), frame
        )
