"""An alert about a product: raised with what was refused, taken in hand by somebody."""

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID, uuid5

from pydantic import ConfigDict

from services.enrollment.domain.life import Unknown
from services.enrollment.domain.product.chain import Chain
from shared.contracts.enrollment_product import ProductAlertAcknowledged, ProductAlertEvent, ProductAlertRaised
from shared.contracts.enrollment_product_terms import ProductFinding
from shared.contracts.terms import Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import Conflict, NotFound


class NoSuchProductAlert(NotFound):
    """There is no alert under this id, or none that this caller may know of."""


class ProductAlertInHand(Conflict):
    """Somebody else took the alert in hand."""


@dataclass(frozen=True, slots=True)
class Raised:
    alert_id: UUID
    participant_id: UUID
    site_id: str
    note: str | None = None


State = Unknown | Raised


class RaiseProductAlert(Command):
    """Put on record what was refused."""

    raised: ProductAlertRaised


class AcknowledgeProductAlert(Command):
    """Take an alert in hand."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "Bag returned to the store; the right one was scanned"}]}
    )

    note: Reason


def concerns_another(raised: ProductAlertRaised) -> bool:
    """Whether there is another participant, whose lot was scanned."""
    return ProductFinding.LOT_OF_ANOTHER_PARTICIPANT in raised.findings


def for_owner(raised: ProductAlertRaised, owned: Chain, site_id: str) -> ProductAlertRaised:
    """What the site of the lot's own participant is told: that it was scanned, neither for whom nor where.

    A bag is named where it is one of the lot's: any other may be the other participant's.
    """
    return ProductAlertRaised(
        alert_id=uuid5(raised.alert_id, "owner"),
        participant_id=owned.participant_id,
        site_id=site_id,
        product_id=owned.product_id,
        point=raised.point,
        at=raised.at,
        lot=raised.lot,
        bag=raised.bag if raised.bag in owned.bags else None,
        findings=(ProductFinding.SCANNED_FOR_ANOTHER_PARTICIPANT,),
    )


def evolve(state: State, event: ProductAlertEvent) -> State:
    match event:
        case ProductAlertRaised():
            return Raised(event.alert_id, event.participant_id, event.site_id)
        case ProductAlertAcknowledged():
            assert isinstance(state, Raised)  # noqa: S101 - nothing else comes first
            return Raised(state.alert_id, state.participant_id, state.site_id, event.note)
        case _:
            assert_never(event)


def decide(
    command: RaiseProductAlert | AcknowledgeProductAlert,
    state: State,
    facts: None,  # noqa: ARG001 - none are needed
) -> list[ProductAlertEvent]:
    if isinstance(command, RaiseProductAlert):
        return [command.raised] if isinstance(state, Unknown) else []
    if isinstance(state, Unknown):
        raise NoSuchProductAlert("no alert has this id, or none at your sites")
    if state.note == command.note:
        return []
    if state.note is not None:
        raise ProductAlertInHand("somebody has this alert in hand")
    return [ProductAlertAcknowledged(alert_id=state.alert_id, participant_id=state.participant_id, note=command.note)]


DECIDER: Decider[RaiseProductAlert | AcknowledgeProductAlert, State, None, ProductAlertEvent] = Decider(
    "product-alert", Unknown(), evolve, decide
)
