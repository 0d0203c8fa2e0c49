"""Numbers on labels, taken in the whole trial: a lot's is one product's, an apheresis's is one participant's.

Several products may be made of what was collected at once, as after a manufacture that failed.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.enrollment.domain.product.facts import ApheresisIdTaken, LotTaken, Owner
from shared.contracts.enrollment_product import (
    ApheresisIdAssigned,
    ApheresisIdEvent,
    ApheresisIdFreed,
    LotAssigned,
    LotEvent,
    LotFreed,
)
from shared.contracts.terms import Code
from shared.kernel.decider import Command, Decider


@dataclass(frozen=True, slots=True)
class Label:
    """Whose the number is; none: nobody's yet, or no more."""

    owners: tuple[Owner, ...] = ()


class AssignLabel(Command):
    """Take the number for a product."""

    label: Code
    product_id: UUID
    participant_id: UUID

    @property
    def owner(self) -> Owner:
        return Owner(self.product_id, self.participant_id)


class FreeLabel(AssignLabel):
    """The number was entered in error for this product."""


def key_of(label: str) -> str:
    """The stream's id: scanners and people spell capitals differently."""
    return label.upper()


def evolve(state: Label, event: LotEvent | ApheresisIdEvent) -> Label:
    owner = Owner(event.product_id, event.participant_id)
    others = tuple(each for each in state.owners if each != owner)
    return Label((*others, owner) if isinstance(event, LotAssigned | ApheresisIdAssigned) else others)


def decide_lot(command: AssignLabel, state: Label, facts: None) -> list[LotEvent]:  # noqa: ARG001 - none are needed
    if _is_done(command, state):
        return []
    told: dict[str, Any] = command.model_dump(exclude={"label"}) | {"lot": command.label}
    if isinstance(command, FreeLabel):
        return [LotFreed(**told)]
    if state.owners:
        raise LotTaken("another product has this lot's number: read the label again, or correct the other one first")
    return [LotAssigned(**told)]


def decide_apheresis(command: AssignLabel, state: Label, facts: None) -> list[ApheresisIdEvent]:  # noqa: ARG001
    if _is_done(command, state):
        return []
    told: dict[str, Any] = command.model_dump(exclude={"label"}) | {"apheresis_id": command.label}
    if isinstance(command, FreeLabel):
        return [ApheresisIdFreed(**told)]
    if any(each.participant_id != command.participant_id for each in state.owners):
        raise ApheresisIdTaken(
            "another participant's cells have this number: read the label again, or correct the other product first"
        )
    return [ApheresisIdAssigned(**told)]


def _is_done(command: AssignLabel, state: Label) -> bool:
    return (command.owner in state.owners) is not isinstance(command, FreeLabel)


LOTS: Decider[AssignLabel, Label, None, LotEvent] = Decider("product-lot", Label(), evolve, decide_lot)
APHERESES: Decider[AssignLabel, Label, None, ApheresisIdEvent] = Decider("apheresis", Label(), evolve, decide_apheresis)
