"""The commands and questions about the reference safety information, which is one stream for the trial."""

from uuid import UUID

from services.safety.domain.cases import reference_safety_information
from services.safety.domain.cases.reference_safety_information import (
    Listings,
    RecordReferenceSafetyInformation,
    ReferenceSafetyInformationCommand,
    WithdrawReferenceSafetyInformation,
)
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.telemetry import tracing

DECIDER = reference_safety_information.DECIDER


class Expectations:
    """What the routes of the reference safety information call. It concerns no participant, and every site."""

    def __init__(self, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._store = store
        self._trial = protocol.protocol_id
        self._clock = clock

    async def record(self, command: RecordReferenceSafetyInformation, *, by: Actor, command_id: UUID) -> Receipt:
        return await self._carry_out(command, command.rsi_version, by, command_id)

    async def withdraw(
        self, rsi_version: str, command: WithdrawReferenceSafetyInformation, *, by: Actor, command_id: UUID
    ) -> Receipt:
        return await self._carry_out(command, rsi_version, by, command_id)

    async def listings(self) -> Listings:
        state, _ = await self._store.load(DECIDER, self._trial)
        return state

    async def history(self) -> list[Envelope]:
        return await self._store.history(DECIDER.stream(self._trial))

    async def _carry_out(
        self, command: ReferenceSafetyInformationCommand, rsi_version: str, by: Actor, command_id: UUID
    ) -> Receipt:
        frame = tracing.recording(
            by, at=self._clock(), subject=DECIDER.category, command_id=command_id, reason=command.stated_reason
        )
        return await self._store.execute(DECIDER, self._trial, command, rsi_version, frame)
