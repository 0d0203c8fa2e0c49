"""Laboratories: the commands and questions about their codes and ranges. One of another site does not exist."""

from uuid import UUID

from services.safety.domain.lab_results.laboratory import DECIDER, Laboratory, NoSuchLaboratory
from services.safety.domain.lab_results.laboratory_commands import (
    MapTests,
    RecordReferenceRanges,
    RegisterLaboratory,
)
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Recording
from shared.kernel.events import Envelope
from shared.telemetry import tracing


class Laboratories:
    """What the routes of laboratories call."""

    def __init__(self, store: EventStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def register(self, command: RegisterLaboratory, *, by: Actor, command_id: UUID) -> Receipt:
        if not by.may_see(command.site_id):
            raise NoSuchLaboratory("no such site is yours")
        state, _ = await self._store.load(DECIDER, command.laboratory_id)
        if isinstance(state, Laboratory) and not by.may_see(state.site_id):
            raise NoSuchLaboratory("no such site is yours")
        frame = self._frame(by, command.site_id, command_id)
        return await self._store.execute(DECIDER, command.laboratory_id, command, None, frame)

    async def change(
        self,
        laboratory_id: str,
        command: MapTests | RecordReferenceRanges,
        *,
        by: Actor,
        expected: int,
        command_id: UUID,
    ) -> Receipt:
        known, _ = await self.laboratory(laboratory_id, by=by)
        frame = self._frame(by, known.site_id, command_id)
        return await self._store.execute(DECIDER, known.id, command, None, frame, expected=expected)

    async def laboratory(self, laboratory_id: str, *, by: Actor) -> tuple[Laboratory, int]:
        state, version = await self._store.load(DECIDER, laboratory_id)
        if not isinstance(state, Laboratory) or not by.may_see(state.site_id):
            raise NoSuchLaboratory("no laboratory has this code, or none at your sites")
        return state, version

    async def history(self, laboratory_id: str, *, by: Actor) -> list[Envelope]:
        await self.laboratory(laboratory_id, by=by)
        return await self._store.history(DECIDER.stream(laboratory_id))

    def _frame(self, by: Actor, site_id: str, command_id: UUID) -> Recording:
        return tracing.recording(by, at=self._clock(), subject=site_id, command_id=command_id)
