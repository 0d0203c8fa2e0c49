"""A lot's number: one product's alone, in the whole trial."""

from dataclasses import dataclass
from uuid import UUID

from services.enrollment.domain.product.facts import LotTaken, Owner
from shared.contracts.enrollment_product import LotAssigned, LotEvent, LotFreed
from shared.contracts.terms import Code
from shared.kernel.decider import Command, Decider


@dataclass(frozen=True, slots=True)
class Lot:
    """Whose it is; None: nobody's yet, or no more."""

    owner: Owner | None = None


class AssignLot(Command):
    """Take the number for a product."""

    lot: Code
    product_id: UUID
    participant_id: UUID


class FreeLot(Command):
    """The number was entered in error."""

    lot: Code


def key_of(lot: str) -> str:
    """The stream's id: scanners and people spell capitals differently."""
    return lot.upper()


def evolve(state: Lot, event: LotEvent) -> Lot:  # noqa: ARG001 - the last event tells all
    return Lot(Owner(event.product_id, event.participant_id)) if isinstance(event, LotAssigned) else Lot()


def decide(command: AssignLot | FreeLot, state: Lot, facts: None) -> list[LotEvent]:  # noqa: ARG001 - none are needed
    owner = state.owner
    if isinstance(command, FreeLot):
        if owner is None:
            return []
        return [LotFreed(lot=command.lot, product_id=owner.product_id, participant_id=owner.participant_id)]
    if owner is not None and owner.product_id == command.product_id:
        return []
    if owner is not None:
        raise LotTaken("another product has this lot's number: read the label again, or correct the other one first")
    return [LotAssigned(**command.model_dump())]


DECIDER: Decider[AssignLot | FreeLot, Lot, None, LotEvent] = Decider("product-lot", Lot(), evolve, decide)
